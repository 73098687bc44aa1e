import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, textOf } from "../support/raw-client.ts";
import { openLegacy, openWire, type WireClient } from "../support/wire-clients.ts";

/**
 * Servers that misbehave in every way there is, each beside a healthy one: every call to the
 * healthy one has to succeed while the other does its worst, and whoever calls the bad one is
 * told which server it was, what happened and whether to try again.
 */

const eras = ["legacy", "modern"] as const;
const line_bytes = 100_000_000;

let gateway: TestGateway;
let remote: HttpFixture;

before(async () => {
	remote = await startHttpFixture("silent", ["--http", "--after_handshake"]);
	// Only what is expected to run into a deadline has a short one: the machine may be busy.
	const quick = { timeouts: { call: "700ms", stop: "200ms" } };
	const impatient = { timeouts: { start: "400ms", stop: "200ms" } };
	const bounded = { timeouts: { start: "10s" } };
	gateway = await startGateway(
		{
			servers: {
				healthy: stdioFixture("echo"),
				chatty: stdioFixture("chatty"),
				crashing: stdioFixture("crashing"),
				slow: stdioFixture("slow"),
				mute: { ...stdioFixture("silent", "--after_handshake"), ...quick },
				"remote-mute": { url: remote.url, ...quick },
				silent: { ...stdioFixture("silent"), ...impatient },
				"exits-at-once": { ...stdioFixture("crashing", "--at_start", "--code", "7"), ...bounded },
				"exits-later": { ...stdioFixture("crashing", "--after_handshake"), ...bounded },
				missing: { command: "moorage-no-such-program" },
				nowhere: { url: "http://127.0.0.1:9/mcp", ...bounded },
				late: { ...stdioFixture("slow", "--start_ms", "1500"), start: "on-demand" },
			},
			limits: { list_wait: "2s" },
		},
		{
			wrong: [
				{
					hop: "pipes",
					direction: "to-client",
					peer: /chatty\.mjs/u,
					complaint: /^/u,
					why: "This server writes what it should not; its clients must not see any of it.",
				},
			],
		},
	);
});

after(async () => {
	await gateway.stop();
	await remote.stop();
});

/** Calls the healthy server without a pause until the work is done; every call must succeed. */
async function beside<T>(work: (server: string) => Promise<T>, server = ""): Promise<T> {
	const clients = await Promise.all(
		eras.map((era) => openWire(era, gateway.address(era === "legacy" ? "healthy" : "mcp"))),
	);
	let done = false;
	const calls = clients.map(async (client, at) => {
		const tool = client.era === "legacy" ? "echo" : "healthy__echo";
		for (let count = 0; !done || count < 10; count += 1) {
			const reply = await client.call(tool, `{"text":"${at}-${count}"}`);
			assert.equal(textOf(reply), `${at}-${count}`);
		}
	});
	const finish = () => {
		done = true;
	};
	const [value] = await Promise.all([work(server).finally(finish), ...calls]);
	return value;
}

interface Expected {
	readonly code: string | readonly string[];
	readonly server: string;
	readonly retry_safe: boolean;
	readonly says: RegExp;
}

function checkData(data: unknown, expected: Expected): void {
	const { code, server, error_id, retry_safe, ...rest } = data as Record<string, unknown>;
	assert.deepEqual(rest, {});
	const codes = [expected.code].flat();
	assert.ok(codes.includes(String(code)), `${String(code)} is none of ${codes.join()}`);
	assert.equal(server, expected.server);
	assert.equal(retry_safe, expected.retry_safe);
	assert.match(String(error_id), /^[\w-]{8}$/);
	error_ids.push(String(error_id));
}

/** Ids of all errors that clients were told of. */
const error_ids: string[] = [];

/** A failed tool call: a result that a model can read, and the same for programs in `_meta`. */
function checkToolFault(reply: Parsed, expected: Expected): void {
	const { result } = reply;
	assert.equal(result?.isError, true, JSON.stringify(reply));
	assert.equal(result.content.length, 1);
	assert.match(result.content[0]?.text ?? "", expected.says);
	assert.match(result.content[0]?.text ?? "", new RegExp(`"?${expected.server}"?`));
	assert.deepEqual(Object.keys(result._meta), ["dev.moorage/error"]);
	checkData(result._meta["dev.moorage/error"], expected);
}

/** Any other failed request: an error with a code of our own and the same data. */
function checkRpcFault(reply: Parsed, expected: Expected): void {
	const { error } = reply;
	assert.ok(error !== undefined, JSON.stringify(reply));
	assert.ok(error.code > -32000 || error.code < -32768, String(error.code));
	assert.match(error.message, expected.says);
	checkData(error.data, expected);
}

async function clients(server: string): Promise<WireClient[]> {
	return Promise.all(eras.map((era) => openWire(era, gateway.address(server))));
}

describe("a server that writes what it should not", () => {
	test("text that is no message is passed over, and the call is answered", async () => {
		await beside(async () => {
			for (const client of await clients("chatty")) {
				assert.equal(textOf(await client.call("noise", '{"lines":2000}')), "done");
				assert.equal(textOf(await client.call("unknown_id")), "still here");
				assert.equal(textOf(await client.call("stray_progress")), "done");
				assert.match(textOf(await client.call("invalid_utf8")), /^after /);
				assert.equal(textOf(await client.call("twice")), "first");
			}
		});
	});

	test("a message in pieces of one byte is put together", async () => {
		await beside(async () => {
			for (const client of await clients("chatty")) {
				assert.equal(textOf(await client.call("halves")), "in halves");
			}
		});
	});

	test("a flood on standard error is read away", async () => {
		await beside(async () => {
			for (const client of await clients("chatty")) {
				assert.equal(textOf(await client.call("flood", '{"bytes":20000000}')), "flooded");
			}
		});
	});

	test("a line of 100 MB is thrown away without delaying anybody", async () => {
		await beside(async () => {
			const [client] = await clients("chatty");
			const call = (id: string) => client?.call("line", `{"bytes":${line_bytes},"id":"${id}"}`);
			assert.equal(textOf((await call("none")) as Parsed), "after the line");
			for (const id of ["first", "last"]) {
				checkToolFault((await call(id)) as Parsed, {
					code: "reply_too_large",
					server: "chatty",
					retry_safe: false,
					says: /larger|too large|limit/i,
				});
			}
			assert.equal(textOf((await client?.call("echo", '{"text":"on"}')) as Parsed), "on");
		});
	});

	test("a reply that is no reply fails its call alone", async () => {
		await beside(async () => {
			for (const client of await clients("chatty")) {
				const reply = await client.call("not_object");
				checkToolFault(reply, {
					code: "server_protocol",
					server: "chatty",
					retry_safe: false,
					says: /./,
				});
			}
		});
	});
});

describe("a server that does not answer", () => {
	test("its handshake is given up, and callers hear why", async () => {
		await beside(async () => {
			const client = await openWire("modern", gateway.address("silent"));
			const expected = {
				code: "server_failed",
				server: "silent",
				retry_safe: true,
				says: /handshake|answer/i,
			};
			checkToolFault(await client.call("anything"), expected);
			checkRpcFault(await client.ask({ method: "tools/list" }), expected);
			checkRpcFault(await client.ask({ method: "server/discover" }), expected);
		});
	});

	test("a call it took and never answers ends at its deadline, whatever the driver", async () => {
		for (const server of ["mute", "remote-mute"]) {
			await beside(async () => {
				const all = await clients(server);
				const replies = await Promise.all(all.map((client) => client.call("mute")));
				for (const reply of replies) {
					const expected = { code: "call_timeout", server, retry_safe: false, says: /700 ms/ };
					checkToolFault(reply, expected);
				}
			});
		}
	});

	test("one that starts late is waited for by its own callers only", async () => {
		await beside(async () => {
			const client = await openWire("modern", gateway.address("late"));
			assert.equal(textOf(await client.call("wait", '{"ms":1}')), "waited 1 ms");
		});
	});

	test("slow calls of one server do not keep others waiting", async () => {
		await beside(async () => {
			for (const client of await clients("slow")) {
				const calls = Array.from({ length: 20 }, () => client.call("wait", '{"ms":50}'));
				for (const reply of await Promise.all(calls)) assert.equal(textOf(reply), "waited 50 ms");
			}
		});
	});
});

describe("a server that ends", () => {
	test("at once: it counts as failed, and callers hear with which code it exited", async () => {
		await beside(async () => {
			const expected = {
				code: "server_failed",
				server: "exits-at-once",
				retry_safe: true,
				says: /exited with code 7/,
			};
			const client = await openWire("modern", gateway.address("exits-at-once"));
			checkToolFault(await client.call("anything"), expected);
			checkRpcFault(await client.ask({ method: "resources/list" }), expected);
		});
	});

	test("behind its handshake: callers hear a reason, not silence", async () => {
		await beside(async () => {
			const client = await openWire("modern", gateway.address("exits-later"));
			checkToolFault(await client.call("echo", '{"text":"x"}'), {
				code: ["server_failed", "server_starting", "server_exited"],
				server: "exits-later",
				retry_safe: true,
				says: /exited with code 3|still starting/,
			});
		});
	});

	test("in the middle of a call: the call's fate is unknown, and the next one is served", async () => {
		await beside(async () => {
			for (const client of await clients("crashing")) {
				const tool = client.era === "legacy" ? "crash" : "abort";
				checkToolFault(await client.call(tool), {
					code: "server_exited",
					server: "crashing",
					retry_safe: false,
					says: tool === "crash" ? /exited with code 3/ : /SIGKILL/,
				});
				// The next call waits for the restart.
				assert.equal(textOf(await client.call("echo", '{"text":"again"}')), "again");
			}
		});
	});
});

describe("a server that cannot be reached", () => {
	test("a program that is not installed is named", async () => {
		await beside(async () => {
			const client = await openWire("modern", gateway.address("missing"));
			const expected = {
				code: "command_missing",
				server: "missing",
				retry_safe: true,
				says: /moorage-no-such-program/,
			};
			checkToolFault(await client.call("anything"), expected);
			checkRpcFault(await client.ask({ method: "prompts/list" }), expected);
		});
	});

	test("an address where nobody listens is named", async () => {
		await beside(async () => {
			const client = await openWire("modern", gateway.address("nowhere"));
			const expected = {
				code: "server_unreachable",
				server: "nowhere",
				retry_safe: true,
				says: /127\.0\.0\.1:9|nowhere/,
			};
			checkToolFault(await client.call("anything"), expected);
			checkRpcFault(await client.ask({ method: "tools/list" }), expected);
		});
	});
});

describe("the address of all servers", () => {
	const absent = ["exits-at-once", "missing", "nowhere", "silent"];

	test("lists what is there and names what is absent, and never fails", async () => {
		for (const era of eras) {
			const client = await openWire(era, gateway.address());
			for (const method of ["tools/list", "resources/list", "prompts/list"]) {
				const { result } = await client.ask({ method });
				assert.ok(result !== undefined, method);
				const notes = result._meta["dev.moorage/absent"] as Record<string, unknown>[];
				const named = new Map(notes.map((note) => [note["server"], note]));
				for (const server of absent) {
					const note = named.get(server);
					assert.ok(note !== undefined, `${server} is not named by ${method}`);
					assert.match(String(note["message"]), /\w/);
					assert.match(String(note["error_id"]), /^[\w-]{8}$/);
					assert.equal(note["retry_safe"], true);
				}
				assert.ok(!named.has("healthy"));
			}
			const { tools } = (await client.ask({ method: "tools/list" })).result;
			const names = tools.map(({ name }) => name);
			for (const name of ["healthy__echo", "chatty__noise", "crashing__crash", "mute__mute"]) {
				assert.ok(names.includes(name), name);
			}
		}
	});

	test("introduces itself and names what is absent, in both eras", async () => {
		const modern = await openWire("modern", gateway.address());
		const { result } = await modern.ask({ method: "server/discover" });
		assert.deepEqual(result.supportedVersions, ["2026-07-28"]);
		const notes = result._meta["dev.moorage/absent"] as { server: string }[];
		for (const server of absent)
			assert.ok(
				notes.some((note) => note.server === server),
				server,
			);
		const { hello } = await openLegacy(gateway.address());
		const told = hello.result._meta["dev.moorage/absent"] as { server: string }[];
		for (const server of absent)
			assert.ok(
				told.some((note) => note.server === server),
				server,
			);
	});

	test("fails a call to a tool of an absent server with that server's reason", async () => {
		await beside(async () => {
			for (const era of eras) {
				const client = await openWire(era, gateway.address());
				checkToolFault(await client.call("missing__tool"), {
					code: "command_missing",
					server: "missing",
					retry_safe: true,
					says: /moorage-no-such-program/,
				});
			}
		});
	});
});

test("every error a client was told of is in the log once, under the same id", () => {
	assert.ok(error_ids.length > 20);
	const logged = gateway.log.lines.map(({ fields }) => (fields as { error_id?: string }).error_id);
	for (const id of error_ids) {
		assert.equal(logged.filter((other) => other === id).length, 1, id);
	}
});

test("what a failed server printed stays out of what clients see", () => {
	const { servers } = gateway.daemon.overview();
	const failed = servers.find(({ name }) => name === "exits-at-once");
	assert.equal(failed?.state, "failed");
	assert.doesNotMatch(JSON.stringify(servers), /flux capacitor/);
});
