import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import {
	fetchIn,
	needs_chromium,
	type PageAnswer,
	type PageRequest,
	startBrowser,
	startSite,
	type TestBrowser,
	type TestSite,
} from "../support/browser.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

const modern = "2026-07-28";
const legacy = "2025-11-25";
const json_headers = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
};

const modern_meta = {
	"io.modelcontextprotocol/protocolVersion": modern,
	"io.modelcontextprotocol/clientCapabilities": {},
};

/** On each test and not on their suite, so that each says why it did not run. */
const here = { skip: needs_chromium };

describe("pages in Chromium", () => {
	let browser: TestBrowser;
	let friendly: TestSite;
	let strange: TestSite;
	let gateway: TestGateway;
	/** A page of the allowed origin, and one of another. */
	let friend: Page;
	let stranger: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		friendly = await startSite();
		strange = await startSite();
		gateway = await startGateway({
			servers: { regions: stdioFixture("regions"), progress: stdioFixture("progress") },
			allowed_origins: [friendly.origin],
		});
		browser = await startBrowser();
		friend = await browser.open(friendly.origin);
		stranger = await browser.open(strange.origin);
	});

	after(async () => {
		await browser?.close();
		await gateway?.stop();
		friendly?.close();
		strange?.close();
	});

	test("an allowed page opens a session, lists, calls and ends it", here, async () => {
		const session_id = await openSession(friend, address("regions"));
		const headers = { "mcp-session-id": session_id, "mcp-protocol-version": legacy };
		const listed = await post(friend, "regions", { id: 2, method: "tools/list", headers });
		assert.ok(
			messagesIn(listed)
				.at(-1)
				?.result?.tools.some(({ name }) => name === "region"),
		);
		const params = { name: "region", arguments: { region: "eu" } };
		const called = await post(friend, "regions", {
			id: 3,
			method: "tools/call",
			params,
			headers,
		});
		assert.equal(textOf(called), "eu by Region");
		const ended = await fetchIn(friend, {
			address: address("regions"),
			method: "DELETE",
			headers,
		});
		assert.equal(ended.status, 200, ended.thrown);
		const gone = await post(friend, "regions", { id: 4, method: "tools/list", headers });
		assert.equal(gone.status, 404);
	});

	test("an allowed page reads a reply as a stream, and takes it up again", here, async () => {
		const session_id = await openSession(friend, address("progress"));
		const headers = { "mcp-session-id": session_id, "mcp-protocol-version": legacy };
		const params = { name: "steps", arguments: { steps: 3 }, _meta: { progressToken: "t" } };
		const answer = await post(friend, "progress", { id: 2, method: "tools/call", params, headers });
		assert.equal(answer.headers["content-type"], "text/event-stream");
		assert.deepEqual(progressIn(answer), [1, 2, 3]);
		assert.match(textOf(answer), /^3 steps/);
		const first_event = /^id: ?(.+)$/m.exec(answer.text)?.[1];
		assert.ok(first_event !== undefined, answer.text);
		const again = await fetchIn(friend, {
			address: address("progress"),
			headers: { ...headers, accept: "text/event-stream", "last-event-id": first_event },
		});
		assert.deepEqual(progressIn(again), [1, 2, 3]);
		assert.match(textOf(again), /^3 steps/);
	});

	test("an allowed page makes modern calls with every header of theirs", here, async () => {
		const listed = await modernPost(friend, "regions", "tools/list", {}, {});
		assert.equal(listed.status, 200, listed.thrown);
		const params = { name: "region", arguments: { region: "Zürich" } };
		const headers = { "mcp-name": "region", "mcp-param-region": "=?base64?WsO8cmljaA==?=" };
		const called = await modernPost(friend, "regions", "tools/call", params, headers);
		assert.equal(textOf(called), "Zürich by Region");
		const wrong = { ...headers, "mcp-param-region": "Bern" };
		const refused = await modernPost(friend, "regions", "tools/call", params, wrong);
		assert.equal(refused.status, 400, refused.thrown);
		assert.equal(messagesIn(refused)[0]?.error?.code, -32020);
		const steps = { name: "steps", arguments: { steps: 2 }, _meta: { progressToken: 1 } };
		const named = { "mcp-name": "steps", authorization: "Bearer of-the-page" };
		const streamed = await modernPost(friend, "progress", "tools/call", steps, named);
		assert.deepEqual(progressIn(streamed), [1, 2]);
		assert.match(textOf(streamed), /^2 steps/);
	});

	test("an allowed page reads errors, but no header that is not exposed", here, async () => {
		const answer = await post(friend, "nobody", { id: 1, method: "ping" });
		assert.equal(answer.status, 404, answer.thrown);
		assert.match(answer.text, /server_unknown/);
		const readable = ["cache-control", "content-length", "content-type"];
		assert.deepEqual(Object.keys(answer.headers).toSorted(), readable);
	});

	test("an allowed page that is turned away reads when to come again", here, async () => {
		const busy = await startGateway({
			servers: { progress: stdioFixture("progress") },
			allowed_origins: [friendly.origin],
			limits: { requests_in_flight: 1 },
		});
		try {
			assert.equal(await retryAfterWhileBusy(friend, String(busy.address("progress"))), "1");
		} finally {
			await busy.stop();
		}
	});

	test("an allowed page gets no header through that is not the protocol's", here, async () => {
		for (const name of ["x-other", "mcp-other", "mcp-param-"]) {
			const headers = { [name]: "1" };
			const answer = await post(friend, "regions", { id: 1, method: "ping", headers });
			assert.match(answer.thrown ?? "", /Failed to fetch/, name);
		}
		const put = await fetchIn(friend, { address: address("regions"), method: "PUT" });
		assert.match(put.thrown ?? "", /Failed to fetch/);
	});

	test("nobody can read the answer to a request with cookies", here, async () => {
		for (const page of [friend, stranger]) {
			for (const request of requestsOf(address("regions"))) {
				const answer = await fetchIn(page, { ...request, credentials: "include" });
				assert.match(answer.thrown ?? "", /Failed to fetch/);
			}
		}
	});

	test("a page of another origin gets nothing, and nothing is run for it", here, async () => {
		const count = { name: "calls", arguments: {} };
		const named = { "mcp-name": "calls" };
		const before_calls = await modernPost(friend, "regions", "tools/call", count, named);
		for (const request of requestsOf(address("regions"))) {
			const answer = await fetchIn(stranger, { ...request, credentials: "omit" });
			assert.match(answer.thrown ?? "", /Failed to fetch/);
			assert.equal(answer.text, "");
		}
		const blind = await fetchIn(stranger, {
			address: address("regions"),
			method: "POST",
			mode: "no-cors",
			body: requestsOf(address("regions"))[0]?.body ?? "",
		});
		assert.deepEqual([blind.type, blind.status, blind.text], ["opaque", 0, ""]);
		const after_calls = await modernPost(friend, "regions", "tools/call", count, named);
		assert.equal(textOf(after_calls), textOf(before_calls));
	});

	function address(endpoint: string): string {
		return String(gateway.address(endpoint));
	}

	function post(page: Page, endpoint: string, { headers = {}, ...message }: Post) {
		return fetchIn(page, {
			address: address(endpoint),
			method: "POST",
			headers: { ...json_headers, ...headers },
			body: JSON.stringify({ jsonrpc: "2.0", ...message }),
		});
	}

	function modernPost(
		page: Page,
		endpoint: string,
		method: string,
		{ _meta, ...params }: Params,
		more: Record<string, string>,
	): Promise<PageAnswer> {
		const meta = { ...modern_meta, ..._meta };
		const headers = { "mcp-protocol-version": modern, "mcp-method": method, ...more };
		return post(page, endpoint, { id: 1, method, params: { ...params, _meta: meta }, headers });
	}
});

interface Params {
	readonly name?: string;
	readonly arguments?: object;
	readonly _meta?: object;
}

interface Post {
	readonly id: number;
	readonly method: string;
	readonly params?: object;
	readonly headers?: Record<string, string>;
}

/** Opens a legacy session; the page itself reads its id from the answer's header. */
async function openSession(page: Page, address: string): Promise<string> {
	const answer = await fetchIn(page, {
		address,
		method: "POST",
		headers: json_headers,
		body: JSON.stringify({
			jsonrpc: "2.0",
			id: 1,
			method: "initialize",
			params: {
				protocolVersion: legacy,
				capabilities: {},
				clientInfo: { name: "page", version: "1" },
			},
		}),
	});
	assert.equal(answer.status, 200, answer.thrown);
	const session_id = answer.headers["mcp-session-id"];
	assert.ok(session_id !== undefined);
	const initialized = await fetchIn(page, {
		address,
		method: "POST",
		headers: { ...json_headers, "mcp-session-id": session_id, "mcp-protocol-version": legacy },
		body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
	});
	assert.equal(initialized.status, 202, initialized.thrown);
	return session_id;
}

/** Ways to ask: with a preflight, without one that a form could also send, and to read. */
function requestsOf(address: string): PageRequest[] {
	const params = { name: "region", arguments: { region: "eu" } };
	const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
	return [
		{ address, method: "POST", headers: json_headers, body },
		{ address, method: "POST", headers: { "content-type": "text/plain" }, body },
		{ address, method: "DELETE", headers: { "mcp-session-id": "a" } },
		{ address, method: "GET", headers: { accept: "text/event-stream" } },
		{ address: new URL("/api/servers", address).href, headers: { authorization: "Bearer a" } },
	];
}

/** What a second request is told while the first is still being answered. */
function retryAfterWhileBusy(page: Page, address: string): Promise<string | null> {
	const method = "tools/call";
	const _meta = { ...modern_meta, progressToken: 1 };
	const params = { name: "chatter", arguments: {}, _meta };
	const init = {
		method: "POST",
		headers: {
			...json_headers,
			"mcp-protocol-version": modern,
			"mcp-method": method,
			"mcp-name": "chatter",
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
	};
	return page.evaluate(
		async ([url, options]) => {
			const leave = new AbortController();
			await fetch(url, { ...options, signal: leave.signal });
			const refused = await fetch(url, options);
			leave.abort();
			return refused.headers.get("retry-after");
		},
		[address, init] as const,
	);
}

interface PageMessage {
	readonly params?: { readonly progress?: number };
	readonly result?: {
		readonly tools: readonly { readonly name: string }[];
		readonly content: readonly { readonly text: string }[];
	};
	readonly error?: { readonly code: number };
}

/** The messages of an answer: its body, or the data of its events. */
function messagesIn({ text, thrown }: PageAnswer): PageMessage[] {
	assert.equal(thrown, undefined);
	if (text.startsWith("{")) return [JSON.parse(text)];
	return [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data as string));
}

function progressIn(answer: PageAnswer): (number | undefined)[] {
	return messagesIn(answer).flatMap(({ params }) => (params === undefined ? [] : params.progress));
}

function textOf(answer: PageAnswer): string {
	return messagesIn(answer).at(-1)?.result?.content[0]?.text ?? `no text: ${answer.text}`;
}
