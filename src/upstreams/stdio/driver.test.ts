import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import { fixturePath } from "../../../test/support/fixtures.ts";
import { PlainSpawner } from "../../../test/support/plain-spawner.ts";
import {
	callTool,
	faultOf,
	nodeSpec,
	openUpstream,
	Recorder,
	recordingContext,
	textOf,
} from "../../../test/support/upstream-harness.ts";
import type { DriverContext } from "../driver.ts";
import { stdioDriver } from "./driver.ts";

async function open(fixture: string, args: string[] = [], overrides: Partial<DriverContext> = {}) {
	return openUpstream(stdioDriver, nodeSpec(fixturePath(fixture), args), overrides);
}

async function openBadly(args: string[], overrides: Partial<DriverContext> = {}) {
	const recorder = new Recorder();
	const spec = { ...nodeSpec("", []), args };
	const outcome = await stdioDriver.open(spec, recordingContext(recorder, overrides));
	return { fault: faultOf(outcome), recorder };
}

describe("the stdio driver starts", { concurrency: 2 }, () => {
	test("a server built with the official SDK 1.x", async (t) => {
		const { upstream } = await open("sdk-v1-stdio");
		t.after(() => upstream.close());
		assert.equal(upstream.hello.era, "legacy");
		assert.equal(upstream.hello.instructions, "Built with SDK 1.x.");
		assert.equal(textOf(await callTool(upstream, "echo", { text: "v1" })), "v1");
	});

	test("a server built with the official SDK 2.x that speaks both eras", async (t) => {
		const { upstream } = await open("sdk-v2-stdio");
		t.after(() => upstream.close());
		assert.equal(upstream.hello.era, "legacy");
		assert.equal(textOf(await callTool(upstream, "echo", { text: "v2" })), "v2");
	});

	test("a server built with the official SDK 2.x that is modern only", async (t) => {
		const { upstream } = await open("sdk-v2-stdio", ["--modern_only"]);
		t.after(() => upstream.close());
		assert.equal(upstream.hello.era, "modern");
		assert.equal(upstream.hello.revision, "2026-07-28");
		assert.match(upstream.hello.server_info, /"sdk-v2"/);
		const seen: string[] = [];
		const text = textOf(
			await callTool(
				upstream,
				"steps",
				{ steps: 2 },
				{ token: '"t"', onNotification: ({ bytes }) => seen.push(bytes.toString()) },
			),
		);
		assert.equal(text, "2 steps");
		assert.equal(seen.filter((line) => line.includes('"progressToken":"t"')).length, 2);
	});

	test("a server that does not know initialize but is modern", async (t) => {
		const code = `process.stdin.on("data", (chunk) => {
			for (const line of chunk.toString().split("\\n")) {
				if (line === "") continue;
				const { id, method } = JSON.parse(line);
				const reply = method === "server/discover"
					? { result: { supportedVersions: ["2026-07-28"], capabilities: {} } }
					: { error: { code: -32601, message: "Method not found" } };
				console.log(JSON.stringify({ jsonrpc: "2.0", id, ...reply }));
			}
		});`;
		const { upstream } = await openUpstream(stdioDriver, {
			...nodeSpec("", []),
			args: ["-e", code],
		});
		t.after(() => upstream.close());
		assert.equal(upstream.hello.era, "modern");
	});
});

describe("the stdio driver does not start", { concurrency: 2 }, () => {
	test("a program that is missing", async () => {
		const recorder = new Recorder();
		const spec = { ...nodeSpec("x"), command: "/no/such/program" };
		const fault = faultOf(await stdioDriver.open(spec, recordingContext(recorder)));
		assert.equal(fault.code, "command_missing");
	});

	test("a server that exits at once; its last words are kept", async () => {
		const spawner = new PlainSpawner();
		const { fault, recorder } = await openBadly([fixturePath("crashing"), "--at_start"], {
			spawner,
		});
		assert.equal(fault.code, "server_failed");
		assert.match(fault.message, /exited with code 3 before it was ready/);
		await recorder.until(() => recorder.of("stderr").length > 0);
		assert.match(recorder.of("stderr").join("\n"), /flux capacitor/);
		assert.deepEqual(recorder.gone, []);
		assert.equal(spawner.running.size, 0);
	});

	test("a server that refuses the handshake", async () => {
		const code = `process.stdin.on("data", (chunk) => {
			const { id } = JSON.parse(chunk.toString().split("\\n")[0]);
			const error = { code: -32000, message: "secret reason" };
			console.log(JSON.stringify({ jsonrpc: "2.0", id, error }));
		});`;
		const { fault } = await openBadly(["-e", code]);
		assert.equal(fault.code, "server_protocol");
		assert.match(fault.message, /-32000/);
		assert.doesNotMatch(fault.message, /secret/);
		assert.equal(fault.detail, "secret reason");
	});

	test("a server of a future that we do not know", async () => {
		const code = `process.stdin.on("data", (chunk) => {
			for (const line of chunk.toString().split("\\n").filter(Boolean)) {
				const error = { code: -32022, message: "no", data: { supported: ["2031-01-01"] } };
				console.log(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(line).id, error }));
			}
		});`;
		const { fault } = await openBadly(["-e", code]);
		assert.equal(fault.code, "not_supported");
		assert.match(fault.message, /2031-01-01/);
	});

	test("a server when its start is given up half way", async () => {
		const spawner = new PlainSpawner();
		const wanted = new AbortController();
		const opening = openBadly([fixturePath("silent")], { spawner, signal: wanted.signal });
		while (spawner.running.size === 0) await new Promise((resolve) => setImmediate(resolve));
		wanted.abort();
		assert.equal((await opening).fault.code, "call_cancelled");
		assert.equal(spawner.running.size, 0);
	});
});

describe("the stdio driver and a chatty server", { concurrency: 2 }, () => {
	test("what is no message is kept as a line of stdout", async (t) => {
		const { upstream, recorder } = await open("chatty");
		t.after(() => upstream.close());
		await callTool(upstream, "noise", { lines: 2 });
		assert.deepEqual(recorder.of("stdout"), [
			"Chatty server v1.0 starting...",
			"listening on stdio",
			"not json 0",
			"not json 1",
			'{"broken": ',
			"[1,2,3]",
			'"just a string"',
		]);
		await recorder.until(() => recorder.of("stderr").length > 0);
		assert.deepEqual(recorder.of("stderr"), ["chatty is up"]);
	});

	test("a message that comes byte by byte arrives", async (t) => {
		const { upstream } = await open("chatty");
		t.after(() => upstream.close());
		assert.equal(textOf(await callTool(upstream, "halves")), "in halves");
	});

	test("a flood of stderr is cut into bounded lines and delays nothing", async (t) => {
		const { upstream, recorder } = await open("chatty");
		t.after(() => upstream.close());
		const flood = callTool(upstream, "flood", { bytes: 20_000_000 });
		assert.equal(textOf(await callTool(upstream, "echo", { text: "through" })), "through");
		assert.equal(textOf(await flood), "flooded");
		await recorder.until(() => recorder.of("stderr").length > 19);
		const lengths = recorder.of("stderr").map((line) => line.length);
		assert.ok(Math.max(...lengths) < 4_200);
	});

	test("a line of 100 MB fails the call it answers, wherever its id stands", async (t) => {
		const { upstream, recorder } = await open("chatty", [], { reply_bytes_max: 1_000_000 });
		t.after(() => upstream.close());
		for (const id of ["first", "last"]) {
			const large = callTool(upstream, "line", { bytes: 100_000_000, id });
			const fault = faultOf(await large);
			assert.equal(fault.code, "reply_too_large");
			assert.match(fault.message, /1 MB/);
		}
		assert.equal(textOf(await callTool(upstream, "echo", { text: "alive" })), "alive");
		assert.deepEqual(recorder.of("event"), []);
	});

	test("a line of 100 MB that answers nothing is an event", async (t) => {
		const { upstream, recorder } = await open("chatty", [], { reply_bytes_max: 1_000_000 });
		t.after(() => upstream.close());
		const outcome = await callTool(upstream, "line", { bytes: 100_000_000, id: "none" });
		assert.equal(textOf(outcome), "after the line");
		assert.match(recorder.of("event").join("\n"), /a line of 100000000 bytes/);
	});

	test("invalid UTF-8 is noise", async (t) => {
		const { upstream, recorder } = await open("chatty");
		t.after(() => upstream.close());
		assert.match(textOf(await callTool(upstream, "invalid_utf8")), /^after \d+$/);
		assert.ok(recorder.of("stdout").some((line) => line.includes("\ufffd")));
	});
});

describe("the stdio driver and a server's end", { concurrency: 2 }, () => {
	test("a reply written right before the exit still counts", async (t) => {
		const { upstream, recorder } = await open("crashing");
		t.after(() => upstream.close());
		const [said, lost] = await Promise.all([
			callTool(upstream, "last_words"),
			callTool(upstream, "echo", { text: "too late" }),
		]);
		assert.equal(textOf(said), "goodbye");
		assert.equal(faultOf(lost).code, "server_exited");
		await recorder.until(() => recorder.gone.length > 0);
	});

	test("a call whose reply was cut short by it ends with the program", async (t) => {
		const { upstream } = await open("crashing");
		t.after(() => upstream.close());
		assert.equal(faultOf(await callTool(upstream, "cut_short")).code, "server_exited");
	});

	test("a death by signal is told as such", async (t) => {
		const { upstream, recorder } = await open("crashing");
		t.after(() => upstream.close());
		const fault = faultOf(await callTool(upstream, "abort"));
		assert.match(fault.message, /was killed by SIGKILL/);
		const expected = { message: "was killed by SIGKILL", exit_code: null, signal: "SIGKILL" };
		assert.deepEqual(recorder.gone, [expected]);
	});

	test("an exit right behind the handshake is told once", async (t) => {
		const recorder = new Recorder();
		const spec = nodeSpec(fixturePath("crashing"), ["--after_handshake"]);
		const outcome = await stdioDriver.open(spec, recordingContext(recorder));
		if (outcome.ok) {
			t.after(() => outcome.value.close());
			await recorder.until(() => recorder.gone.length > 0);
			assert.equal(recorder.gone.length, 1);
		} else assert.equal(outcome.problem.code, "server_failed");
	});

	test("a server that closes its stdout and lives on is ended", async (t) => {
		const code = `process.stdin.once("data", (chunk) => {
			const { id } = JSON.parse(chunk.toString().split("\\n")[0]);
			const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
			const fs = require("node:fs");
			fs.writeSync(1, JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
			process.stdin.once("data", () => {
				process.stdin.resume();
				fs.closeSync(1);
				setInterval(() => {}, 1000);
			});
		});`;
		const spawner = new PlainSpawner();
		const spec = { ...nodeSpec("", []), args: ["-e", code] };
		const opened = await openUpstream(stdioDriver, spec, { spawner, stop_ms: 50 });
		t.after(() => opened.upstream.close());
		const fault = faultOf(await callTool(opened.upstream, "anything"));
		assert.equal(fault.code, "server_exited");
		const [gone] = opened.recorder.gone;
		assert.match(gone?.message ?? "", /closed its standard output|was killed by SIGTERM/);
		await opened.upstream.close();
		assert.equal(spawner.running.size, 0);
	});

	test("a server that ignores everything is killed when it is closed", async () => {
		const code = `process.on("SIGTERM", () => {});
		setInterval(() => {}, 1000);
		process.stdin.on("data", (chunk) => {
			for (const line of chunk.toString().split("\\n").filter(Boolean)) {
				const { id } = JSON.parse(line);
				const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
				if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
			}
		});`;
		const spawner = new PlainSpawner();
		const spec = { ...nodeSpec("", []), args: ["-e", code] };
		const { upstream, recorder } = await openUpstream(stdioDriver, spec, { spawner, stop_ms: 50 });
		await upstream.close();
		assert.equal(spawner.running.size, 0);
		assert.deepEqual(recorder.gone, []);
	});
});

describe("the stdio driver and questions of a server", { concurrency: 2 }, () => {
	test("with several calls in flight nobody can say whose question it is", async (t) => {
		const { upstream, recorder } = await open("asking");
		t.after(() => upstream.close());
		const onRequest = () => assert.fail("this would be a guess");
		const calls = ["roots", "roots"].map((name) => callTool(upstream, name, {}, { onRequest }));
		await recorder.until(() => recorder.asks.length === 2);
		for (const ask of recorder.asks) ask.answer({ kind: "result", json: '{"roots":[]}' });
		for (const call of calls) assert.equal(textOf(await call), '{"result":{"roots":[]}}');
	});

	test("a question outside of any call goes to whoever answers for the server", async (t) => {
		const { upstream, recorder } = await open("asking");
		t.after(() => upstream.close());
		await callTool(upstream, "outside");
		await recorder.until(() => recorder.asks.length === 1);
		recorder.asks[0]?.answer({ kind: "result", json: '{"roots":[ 1.0 ]}' });
		await recorder.until(() => recorder.pushes.length === 1);
		assert.match(recorder.pushes[0]?.bytes.toString() ?? "", /"roots":\[1\]/);
	});

	test("an open question is called off when the server goes away", async (t) => {
		const { upstream, recorder } = await open("asking");
		t.after(() => upstream.close());
		void callTool(upstream, "roots");
		await recorder.until(() => recorder.asks.length === 1);
		await upstream.close();
		assert.equal(recorder.asks[0]?.signal.aborted, true);
	});

	test("more questions than may be open are refused, and so is an id in use", async (t) => {
		const code = `const send = (m) => console.log(JSON.stringify({ jsonrpc: "2.0", ...m }));
		process.stdin.on("data", (chunk) => {
			for (const line of chunk.toString().split("\\n").filter(Boolean)) {
				const { id, method, error } = JSON.parse(line);
				const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
				if (method === "initialize") send({ id, result });
				if (method === "tools/call") {
					for (let n = 0; n < 257; n++) send({ id: "q" + n, method: "roots/list" });
					send({ id: "q0", method: "roots/list" });
				}
				if (error) send({ method: "acme/refused", params: { id, error } });
			}
		});`;
		const spec = { ...nodeSpec("", []), args: ["-e", code] };
		const { upstream, recorder } = await openUpstream(stdioDriver, spec);
		t.after(() => upstream.close());
		void callTool(upstream, "ask");
		await recorder.until(() => recorder.pushes.length === 2);
		assert.equal(recorder.asks.length, 256);
		const refused = recorder.pushes.map(({ bytes }) => JSON.parse(bytes.toString()).params);
		assert.deepEqual(
			refused.map(({ id, error }) => [id, error.code]),
			[
				["q256", -32603],
				["q0", -32600],
			],
		);
	});
});

test("a server that does not read its input fills up, and says so", async (t) => {
	const code = `process.stdin.once("data", (chunk) => {
		const { id } = JSON.parse(chunk.toString().split("\\n")[0]);
		const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
		console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
		process.stdin.pause();
	});`;
	const spec = { ...nodeSpec("", []), args: ["-e", code] };
	const { upstream } = await openUpstream(stdioDriver, spec, { stop_ms: 50 });
	t.after(() => upstream.close());
	const text = "x".repeat(6_000_000);
	const waiting = [1, 2, 3].map(() => callTool(upstream, "x", { text }));
	const fault = faultOf(await callTool(upstream, "x", { text }));
	assert.equal(fault.code, "queue_full");
	assert.equal(fault.retry_safe, true);
	await upstream.close();
	for (const call of waiting) assert.equal(faultOf(await call).code, "server_exited");
});

test("a program runs where and with what its specification says", async (t) => {
	const code = `process.stdin.on("data", (chunk) => {
		for (const line of chunk.toString().split("\\n").filter(Boolean)) {
			const { id, method } = JSON.parse(line);
			const text = [process.cwd(), process.env.FIXTURE, process.argv[1]].join(" ");
			const result = method === "initialize"
				? { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} }
				: { content: [{ type: "text", text }] };
			if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
		}
	});`;
	const spec = { ...nodeSpec("", []), args: ["-e", code, "a b"], env: { FIXTURE: "$HOME" } };
	const { upstream } = await openUpstream(stdioDriver, spec);
	t.after(() => upstream.close());
	assert.equal(textOf(await callTool(upstream, "where")), `${tmpdir()} $HOME a b`);
});
