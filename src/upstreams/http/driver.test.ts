import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { startHttpFixture } from "../../../test/support/fixtures.ts";
import { httpDriver } from "../../../test/support/http-driver.ts";
import {
	answerJson,
	answerLegacyBasics,
	type SeenRequest,
	serveHttp,
	textResult,
} from "../../../test/support/local-http.ts";
import {
	callTool,
	faultOf,
	message,
	type Opened,
	openUpstream,
	Recorder,
	recordingContext,
	taken,
	textOf,
	toolRequest,
} from "../../../test/support/upstream-harness.ts";
import type { DriverContext } from "../driver.ts";

function specOf(url: string, headers: Record<string, string> = {}) {
	return { driver: "http" as const, url, headers };
}

async function openUrl(
	t: TestContext,
	url: string,
	headers: Record<string, string> = {},
	overrides: Partial<DriverContext> = {},
): Promise<Opened> {
	const opened = await openUpstream(httpDriver, specOf(url, headers), overrides);
	t.after(() => opened.upstream.close());
	return opened;
}

async function openFixture(
	t: TestContext,
	name: string,
	args: string[] = [],
	headers: Record<string, string> = {},
): Promise<Opened & { url: string }> {
	const fixture = await startHttpFixture(name, args);
	t.after(fixture.stop);
	return { ...(await openUrl(t, fixture.url, headers)), url: fixture.url };
}

async function openBadly(url: string, overrides: Partial<DriverContext> = {}) {
	const context = recordingContext(new Recorder(), overrides);
	return faultOf(await httpDriver.open(specOf(url, { authorization: "Bearer hush" }), context));
}

describe("the http driver opens", { concurrency: 2 }, () => {
	for (const args of [[], ["--json"]]) {
		test(`a server with sessions built with SDK 1.x ${args}`, async (t) => {
			const { upstream } = await openFixture(t, "sdk-v1-http", args);
			assert.equal(upstream.hello.era, "legacy");
			assert.equal(upstream.hello.revision, "2025-11-25");
			assert.equal(textOf(await callTool(upstream, "echo", { text: "v1" })), "v1");
			const onRequest: DriverContext["onRequest"] = (ask) => {
				ask.answer({ kind: "result", json: '{"action":"decline"}' });
			};
			// This SDK asks on the GET stream; it belongs to the only call there is.
			const text = textOf(await callTool(upstream, "elicit", {}, { onRequest }));
			assert.equal(text, '{"action":"decline"}');
		});
	}

	for (const args of [[], ["--modern_only"]]) {
		test(`a server for the modern era built with SDK 2.x ${args}`, async (t) => {
			const { upstream } = await openFixture(t, "sdk-v2-http", args);
			assert.equal(upstream.hello.era, "modern");
			assert.match(upstream.hello.server_info, /"sdk-v2"/);
			assert.equal(textOf(await callTool(upstream, "echo", { text: "v2" })), "v2");
			let progress = 0;
			const onNotification = () => {
				progress += 1;
			};
			await callTool(upstream, "steps", { steps: 3 }, { token: '"t"', onNotification });
			assert.equal(progress, 3);
			const error = taken(await callTool(upstream, "echo", { text: 1 }));
			assert.ok(error.bytes.includes("isError") || error.kind === "error");
			const listed = message('{"jsonrpc":"2.0","id":"l","method":"tools/list"}');
			const list = taken(
				await upstream.request({ ...toolRequest("x"), message: listed, name: undefined }),
			);
			assert.match(list.bytes.toString(), /"echo"/);
		});
	}

	test("a server that moved within its origin, where it is now", async (t) => {
		const { upstream } = await openFixture(t, "echo", ["--http", "--moved"]);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "found" })), "found");
	});

	test("a server of both eras in the modern one", async (t) => {
		const { upstream } = await openFixture(t, "echo", ["--http", "--era", "dual"]);
		assert.equal(upstream.hello.era, "modern");
	});

	for (const status of [400, 404, 405, 406, 422]) {
		test(`a legacy server that answers the modern request with ${status}`, async (t) => {
			const { origin } = await serveHttp(t, (request, response) => {
				if (request.body?.method === "server/discover") response.writeHead(status).end("?");
				else answerLegacyBasics(request, response);
			});
			const { upstream } = await openUrl(t, `${origin}/mcp`);
			assert.equal(upstream.hello.revision, "2025-06-18");
		});
	}

	test("a legacy server that answers the modern request with an error of its own", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			if (request.body?.method !== "server/discover") answerLegacyBasics(request, response);
			else {
				const error = { code: -32601, message: "Method not found" };
				answerJson(response, 200, { jsonrpc: "2.0", id: request.body.id, error });
			}
		});
		const { upstream } = await openUrl(t, `${origin}/mcp`);
		assert.equal(upstream.hello.era, "legacy");
	});

	test("a server whose error for the modern request names legacy revisions", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			if (request.body?.method !== "server/discover") answerLegacyBasics(request, response);
			else {
				const data = { supported: ["2025-06-18"], requested: "2026-07-28" };
				const error = { code: -32022, message: "Unsupported", data };
				answerJson(response, 400, { jsonrpc: "2.0", id: null, error });
			}
		});
		const { upstream } = await openUrl(t, `${origin}/mcp`);
		assert.equal(upstream.hello.era, "legacy");
	});
});

describe("the http driver does not open", { concurrency: 2 }, () => {
	test("an address where nothing listens; nothing secret is in the message", async () => {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		server.close();
		await once(server, "close");
		const fault = await openBadly(`http://127.0.0.1:${port}/mcp?key=hush`);
		assert.equal(fault.code, "server_unreachable");
		assert.match(fault.message, /http:\/\/127\.0\.0\.1:\d+ .*connection refused/);
		assert.doesNotMatch(JSON.stringify(fault), /hush/);
	});

	for (const [status, code, advice] of [
		[401, "authorization_required", /set `oauth` or `headers`/],
		[403, "authorization_failed", /may not/],
		[500, "server_rejected", /a problem of its own/],
		[503, "server_rejected", /a problem of its own/],
		[429, "server_rejected", /too many/],
	] as const) {
		test(`a server that answers ${status}, and no handshake is tried`, async (t) => {
			const { origin, seen } = await serveHttp(t, (_request, response) => {
				response.writeHead(status, { "content-type": "text/html" }).end("<p>hush</p>");
			});
			const fault = await openBadly(`${origin}/mcp?key=hush`);
			assert.equal(fault.code, code);
			assert.match(fault.message, advice);
			assert.doesNotMatch(JSON.stringify(fault), /hush/);
			assert.equal(seen.length, 1);
		});
	}

	test("a server that sends us to another host: no header goes there", async (t) => {
		const other = await serveHttp(t, (_request, response) => response.end());
		const { origin } = await serveHttp(t, (_request, response) => {
			response.writeHead(308, { location: `${other.origin}/mcp?key=hush` }).end();
		});
		const fault = await openBadly(`${origin}/mcp`);
		assert.equal(fault.code, "server_rejected");
		assert.ok(fault.message.includes(`redirects to ${other.origin}:`), fault.message);
		assert.doesNotMatch(fault.message, /hush/);
		assert.equal(other.seen.length, 0);
	});

	test("a server that redirects in circles", async (t) => {
		const { origin, seen } = await serveHttp(t, (_request, response) => {
			response.writeHead(307, { location: "/again" }).end();
		});
		assert.equal((await openBadly(`${origin}/mcp`)).code, "server_rejected");
		assert.equal(seen.length, 4);
	});

	test("a web site", async (t) => {
		const { origin } = await serveHttp(t, (_request, response) => {
			response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
		});
		assert.equal((await openBadly(`${origin}/mcp`)).code, "server_protocol");
	});

	test("a modern server of a revision that we do not know", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			const error = { code: -32022, message: "no", data: { supported: ["2031-01-01"] } };
			answerJson(response, 400, { jsonrpc: "2.0", id: request.body?.id ?? null, error });
		});
		const fault = await openBadly(`${origin}/mcp`);
		assert.equal(fault.code, "not_supported");
		assert.match(fault.message, /2031-01-01/);
	});

	test("a port that does not speak HTTP", async (t) => {
		const server = createServer((socket) => socket.resume().end("220 mail ready\r\n")).listen(
			0,
			"127.0.0.1",
		);
		t.after(() => server.close());
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		const fault = await openBadly(`http://127.0.0.1:${port}/`);
		assert.equal(fault.code, "server_failed");
		assert.match(fault.message, /does not speak HTTP/);
	});

	test("a configured header that cannot be sent", async () => {
		const spec = specOf("http://127.0.0.1:9/mcp", { "x-key": "hush\nx" });
		const fault = faultOf(await httpDriver.open(spec, recordingContext(new Recorder())));
		assert.match(fault.message, /configured header/);
		assert.doesNotMatch(JSON.stringify(fault), /hush/);
	});

	test("a server when its start is given up half way", async (t) => {
		const wanted = new AbortController();
		const { origin } = await serveHttp(t, () => wanted.abort());
		assert.equal((await openBadly(origin, { signal: wanted.signal })).code, "call_cancelled");
	});
});

describe("the http driver sends", { concurrency: 2 }, () => {
	async function headersOf(t: TestContext, args: string[], configured: Record<string, string>) {
		const { upstream } = await openFixture(t, "unstable-http", ["--http", ...args], configured);
		const request = toolRequest(
			"headers",
			{},
			{
				headers: { "Mcp-Param-Region": "eu", "x-smuggled": "1" },
			},
		);
		return JSON.parse(textOf(await upstream.request(request))) as Record<string, string>;
	}

	test("configured headers with every request, but none of the protocol's own", async (t) => {
		const headers = await headersOf(t, [], {
			Authorization: "Bearer t",
			"X-Team": "a",
			"User-Agent": "mine",
			"MCP-Protocol-Version": "1999-01-01",
			"Mcp-Session-Id": "stolen",
			"Mcp-Param-Region": "us",
			Accept: "text/plain",
			"Content-Length": "1",
			Host: "example.com",
		});
		assert.equal(headers["authorization"], "Bearer t");
		assert.equal(headers["x-team"], "a");
		assert.equal(headers["user-agent"], "mine");
		assert.equal(headers["mcp-protocol-version"], "2025-11-25");
		assert.match(headers["mcp-session-id"] ?? "", /^session-/);
		assert.equal(headers["accept"], "application/json, text/event-stream");
		assert.match(headers["host"] ?? "", /^127\.0\.0\.1:/);
		assert.equal(headers["mcp-method"], undefined);
		assert.equal(headers["mcp-param-region"], undefined);
	});

	test("what the modern revision asks for, and no session", async (t) => {
		const headers = await headersOf(t, ["--era", "modern"], {});
		assert.equal(headers["mcp-protocol-version"], "2026-07-28");
		assert.equal(headers["mcp-method"], "tools/call");
		assert.equal(headers["mcp-name"], "headers");
		assert.equal(headers["mcp-param-region"], "eu");
		assert.equal(headers["x-smuggled"], undefined);
		assert.equal(headers["mcp-session-id"], undefined);
		assert.equal(headers["user-agent"], "moorage");
	});

	test("a name that is not plain ASCII in its encoded form", async (t) => {
		const { upstream } = await openFixture(t, "echo", ["--http", "--era", "modern"]);
		const reply = taken(await callTool(upstream, "grüße", {}));
		// The fixture compares header and body, and only then looks for the tool.
		assert.match(reply.bytes.toString(), /Unknown tool: grüße/);
	});

	test("a session's end when it closes", async (t) => {
		const { upstream, url } = await openFixture(t, "unstable-http", ["--http"]);
		const other = await openUrl(t, url);
		await upstream.close();
		const counts = JSON.parse(textOf(await callTool(other.upstream, "counts")));
		assert.equal(counts.created, 2);
		assert.equal(counts.ended, 1);
	});
});

describe("the http driver and lost sessions", { concurrency: 2 }, () => {
	test("a forgotten session is replaced once, and no call notices", async (t) => {
		const { upstream, recorder } = await openFixture(t, "unstable-http", ["--http"]);
		for (let round = 0; round < 3; round++) {
			await callTool(upstream, "forget");
			await recorder.until(() => true);
			const texts = Array.from({ length: 50 }, (_, index) => `${round}-${index}`);
			const calls = texts.map((text) => callTool(upstream, "echo", { text }));
			assert.deepEqual((await Promise.all(calls)).map(textOf), texts);
		}
		const { created } = JSON.parse(textOf(await callTool(upstream, "counts")));
		assert.equal(created, 4);
		assert.equal(recorder.gone.length, 0);
	});

	test("a server that answers 400 for an unknown session is understood too", async (t) => {
		let sessions = 0;
		const { origin } = await serveHttp(t, ({ body, headers, method }, response) => {
			const id = headers["mcp-session-id"];
			if (body?.method === "initialize") {
				sessions += 1;
				response.setHeader("mcp-session-id", `s${sessions}`);
			}
			if (answerLegacyBasics({ body, headers, method, url: "" }, response)) return;
			if (id === "s2") answerJson(response, 200, textResult(body?.id, "again"));
			else {
				const error = { code: -32000, message: "Bad Request: No valid session ID provided" };
				answerJson(response, 400, { jsonrpc: "2.0", id: null, error });
			}
		});
		const { upstream } = await openUrl(t, origin);
		assert.equal(textOf(await callTool(upstream, "x")), "again");
		assert.equal(sessions, 2);
	});

	test("a server that forgets at once is not asked for ever", async (t) => {
		let calls = 0;
		const { origin } = await serveHttp(t, (request, response) => {
			response.setHeader("mcp-session-id", "s");
			if (answerLegacyBasics(request, response)) return;
			calls += 1;
			response.writeHead(404).end();
		});
		const { upstream } = await openUrl(t, origin);
		const fault = faultOf(await callTool(upstream, "x"));
		assert.equal(fault.code, "server_rejected");
		assert.equal(calls, 2);
	});

	test("a server that gives no new session is gone", async (t) => {
		let initialized = 0;
		const { origin } = await serveHttp(t, (request, response) => {
			response.setHeader("mcp-session-id", "s");
			if (request.body?.method === "initialize") initialized += 1;
			if (initialized > 1) response.writeHead(403).end();
			else if (!answerLegacyBasics(request, response)) response.writeHead(404).end();
		});
		const { upstream, recorder } = await openUrl(t, origin);
		assert.equal((await callTool(upstream, "x")).ok, false);
		await recorder.until(() => recorder.gone.length > 0);
		assert.match(recorder.gone[0]?.message ?? "", /refused a new one/);
		assert.equal(faultOf(await callTool(upstream, "x")).retry_safe, true);
	});
});

describe("the http driver and streams", { concurrency: 2 }, () => {
	test("a call's stream that breaks is resumed, as often as the server likes", async (t) => {
		const { upstream } = await openFixture(t, "unstable-http", ["--http"]);
		const text = textOf(await callTool(upstream, "resume", { times: 3 }));
		assert.equal(text, "resumed 3 times");
	});

	test("a call that is cancelled between two streams comes to nothing", async (t) => {
		const cancel = new AbortController();
		const { origin, seen } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			response.writeHead(200, { "content-type": "text/event-stream" });
			response.end("id: 1\nretry: 30000\ndata:\n\n", () => setImmediate(() => cancel.abort()));
		});
		const { upstream, recorder } = await openUrl(t, origin);
		const fault = faultOf(await callTool(upstream, "x", {}, { signal: cancel.signal }));
		assert.equal(fault.code, "call_cancelled");
		assert.equal(upstream.in_flight, 0);
		assert.equal(recorder.gone.length, 0);
		assert.ok(seen.every(({ method, headers }) => method !== "GET" || !headers["last-event-id"]));
	});

	test("a connection that breaks without a way back fails the call", async (t) => {
		const { upstream } = await openFixture(t, "unstable-http", ["--http"]);
		const fault = faultOf(await callTool(upstream, "cut"));
		assert.equal(fault.code, "server_exited");
		assert.equal(fault.retry_safe, false);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "on" })), "on");
	});

	test("what the server pushes comes on the GET stream, also after it broke", async (t) => {
		const { upstream, recorder } = await openFixture(t, "unstable-http", ["--http"]);
		await callTool(upstream, "push");
		await recorder.until(() => recorder.pushes.length === 1);
		await callTool(upstream, "break_get");
		await recorder.until(() => recorder.pushes.length === 2);
		await callTool(upstream, "forget");
		await callTool(upstream, "push");
		await recorder.until(() => recorder.pushes.length === 3);
	});

	test("a server without a GET stream is asked for it once", async (t) => {
		const { origin, seen } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			answerJson(response, 200, textResult(request.body?.id, "ok"));
		});
		const { upstream } = await openUrl(t, origin);
		for (let call = 0; call < 5; call++) await callTool(upstream, "x");
		assert.equal(seen.filter(({ method }) => method === "GET").length, 1);
	});

	test("a server that leaves a stream open behind the reply does not hold the call", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			response.writeHead(200, { "content-type": "text/event-stream" });
			const data = JSON.stringify(textResult(request.body?.id, "open end"));
			response.write(`: a comment\r\nevent: ping\ndata: {}\n\nevent: message\ndata: ${data}\n\n`);
		});
		const { upstream } = await openUrl(t, origin);
		assert.equal(textOf(await callTool(upstream, "x")), "open end");
		assert.equal(upstream.in_flight, 0);
	});

	test("a reply that comes on the stream of another call still finds its own", async (t) => {
		const waiting: { request: SeenRequest; end: (text: string) => void }[] = [];
		const { origin } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			response.writeHead(200, { "content-type": "text/event-stream" });
			waiting.push({ request, end: (text) => response.end(text) });
			if (waiting.length < 2) return;
			const [one, two] = waiting as [(typeof waiting)[0], (typeof waiting)[0]];
			const event = ({ body }: SeenRequest) =>
				`data: ${JSON.stringify(textResult(body?.id, JSON.stringify(body?.params)))}\n\n`;
			one.end(event(two.request) + event(one.request));
			two.end("");
		});
		const { upstream } = await openUrl(t, origin);
		const calls = ["a", "b"].map((name) => callTool(upstream, name));
		const [first, second] = await Promise.all(calls);
		assert.match(textOf(first as never), /"name":"a"/);
		assert.match(textOf(second as never), /"name":"b"/);
	});

	test("a batch of messages is taken apart", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			const pushed = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
			answerJson(response, 200, [pushed, textResult(request.body?.id, "batched")]);
		});
		const { upstream, recorder } = await openUrl(t, origin);
		assert.equal(textOf(await callTool(upstream, "x")), "batched");
		assert.equal(recorder.pushes.length, 1);
	});
});

describe("the http driver and bad answers", { concurrency: 2 }, () => {
	async function answered(
		t: TestContext,
		answer: Parameters<typeof serveHttp>[1],
		overrides: Partial<DriverContext> = {},
	) {
		const { origin } = await serveHttp(t, (request, response) => {
			if (!answerLegacyBasics(request, response)) answer(request, response);
		});
		const { upstream } = await openUrl(t, `${origin}/?key=hush`, {}, overrides);
		const fault = faultOf(await callTool(upstream, "x"));
		assert.doesNotMatch(fault.message, /hush/);
		assert.equal(upstream.in_flight, 0);
		return fault;
	}

	test("202 is no answer to a request", async (t) => {
		const fault = await answered(t, (_request, response) => response.writeHead(202).end());
		assert.equal(fault.code, "server_protocol");
		assert.match(fault.message, /HTTP 202/);
	});

	test("a body that is not JSON fails the call", async (t) => {
		const fault = await answered(t, (_request, response) => {
			response.writeHead(200, { "content-type": "application/json" }).end("<html>hush");
		});
		assert.equal(fault.code, "server_protocol");
		assert.equal(fault.retry_safe, false);
	});

	test("a body that ends too early fails the call", async (t) => {
		const fault = await answered(t, (_request, response) => {
			response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
			response.write('{"jsonrpc":');
			setImmediate(() => response.destroy());
		});
		assert.equal(fault.code, "server_exited");
	});

	test("a reply to somebody else fails the call", async (t) => {
		const fault = await answered(t, (_request, response) => {
			answerJson(response, 200, textResult(4711, "not yours"));
		});
		assert.equal(fault.code, "server_protocol");
		assert.match(fault.message, /without a reply/);
	});

	test("a stream that ends without a reply fails the call", async (t) => {
		const fault = await answered(t, (_request, response) => {
			response.writeHead(200, { "content-type": "text/event-stream" }).end("data: nonsense\n\n");
		});
		assert.equal(fault.code, "server_exited");
	});

	test("a refusal with an endless body is not read to its end", async (t) => {
		const fault = await answered(t, (_request, response) => {
			response.writeHead(418, { "content-type": "text/plain" });
			const more = () => {
				while (!response.destroyed && response.write("x".repeat(100_000)));
				if (!response.destroyed) response.once("drain", more);
			};
			more();
		});
		assert.equal(fault.code, "server_rejected");
		assert.equal(fault.retry_safe, true);
	});

	test("an endless reply is not read to its end either", async (t) => {
		for (const type of ["application/json", "text/event-stream"]) {
			const fault = await answered(
				t,
				(_request, response) => {
					response.writeHead(200, { "content-type": type });
					response.write("data: ");
					const more = () => {
						while (!response.destroyed && response.write("x".repeat(100_000)));
						if (!response.destroyed) response.once("drain", more);
					};
					more();
				},
				{ reply_bytes_max: 1_000_000 },
			);
			assert.equal(fault.code, "reply_too_large");
		}
	});

	test("500 leaves the fate of a call open, 404 does not", async (t) => {
		const failed = await answered(t, (_request, response) => response.writeHead(500).end());
		assert.equal(failed.retry_safe, false);
		const missing = await answered(t, (_request, response) => response.writeHead(404).end());
		assert.equal(missing.retry_safe, true);
	});

	test("an error reply on an HTTP error status is a reply", async (t) => {
		const { origin } = await serveHttp(t, (request, response) => {
			if (answerLegacyBasics(request, response)) return;
			const error = { code: -32601, message: "Method not found" };
			answerJson(response, 404, { jsonrpc: "2.0", id: request.body?.id, error });
		});
		const { upstream } = await openUrl(t, origin);
		assert.equal(taken(await callTool(upstream, "x")).kind, "error");
	});

	test("a server that goes away between two calls is unreachable, and the call is unsent", async (t) => {
		const fixture = await startHttpFixture("echo", ["--http", "--stateless"]);
		const { upstream, recorder } = await openUrl(t, fixture.url);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "a" })), "a");
		await fixture.stop();
		// The first call may still meet a connection that is about to be found dead.
		let fault = faultOf(await callTool(upstream, "echo", { text: "b" }));
		if (fault.code === "server_exited") fault = faultOf(await callTool(upstream, "echo"));
		assert.equal(fault.code, "server_unreachable");
		assert.equal(fault.retry_safe, true);
		assert.deepEqual(recorder.gone, []);
	});
});
