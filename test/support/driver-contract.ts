import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import type { Result } from "../../src/lib/result.ts";
import type { Fault } from "../../src/protocol/fault.ts";
import type { Driver, DriverContext, Upstream } from "../../src/upstreams/driver.ts";
import { memberSpan, rawText } from "../../src/wire/object.ts";
import { FakeClock } from "./fake-clock.ts";
import { PlainSpawner } from "./plain-spawner.ts";
import {
	callTool,
	faultOf,
	message,
	type Opened,
	openUpstream,
	Recorder,
	type RequestOverrides,
	recordingContext,
	taken,
	textOf,
	toolRequest,
} from "./upstream-harness.ts";

/** One way of running the fixture servers that a driver has to cope with. */
export interface DriverVariant<Spec> {
	/** As it stands in the names of the tests. */
	readonly name: string;
	readonly driver: Driver<Spec>;
	readonly era: "legacy" | "modern";
	/** Starts what the fixture needs and gives the specification to open it. */
	start(fixture: string, args: readonly string[]): Promise<{ spec: Spec; stop(): Promise<void> }>;
	/** Tests that make no sense here, with the reason. */
	readonly skip?: Readonly<Partial<Record<ContractTest, string>>>;
}

/** Tests that a variant may leave out. */
export type ContractTest =
	| "pushes"
	| "asks"
	| "notifications"
	| "noise"
	| "gone"
	| "cancel"
	| "oversize";

const odd_result = readFileSync(new URL("../servers/odd-result.raw", import.meta.url))
	.toString("utf8")
	.trimEnd();

/** What every test of the contract is given. */
interface Bench {
	/** Opens a fixture; everything is gone when the test is over. */
	open(
		t: TestContext,
		fixture: string,
		args?: readonly string[],
		overrides?: Partial<DriverContext>,
	): Promise<Opened>;
	/** Opens a fixture that will not do. */
	openBadly(
		t: TestContext,
		fixture: string,
		args?: readonly string[],
		overrides?: Partial<DriverContext>,
	): Promise<{ outcome: Result<Upstream, Fault>; recorder: Recorder; context: DriverContext }>;
	skipped(name: ContractTest): { skip: string | false };
	readonly era: "legacy" | "modern";
}

/** Calls `hold`, which waits at the server for its release; `there` resolves when it does. */
function hold(upstream: Upstream, key: string, overrides: RequestOverrides = {}) {
	const there = Promise.withResolvers<void>();
	const more = { token: "1", onNotification: () => there.resolve() };
	const call = callTool(upstream, "hold", { key }, { ...more, ...overrides });
	return { call, there: there.promise };
}

/** The contract of the driver seam: whatever a driver drives, this holds. */
export function verifyDriver<Spec>(variant: DriverVariant<Spec>): void {
	describe(`the driver contract, ${variant.name}`, { concurrency: 2 }, () => {
		const bench = benchOf(variant);
		verifyHandshake(bench);
		verifyBytes(bench);
		verifyManyCalls(bench);
		verifyProgress(bench);
		verifyGivingUp(bench);
		verifyBadServers(bench);
		verifyServerMessages(bench);
		verifyClosing(bench);
	});
}

function benchOf<Spec>(variant: DriverVariant<Spec>): Bench {
	const { driver, era, skip } = variant;
	return {
		era,
		skipped: (name) => ({ skip: skip?.[name] ?? false }),
		async open(t, fixture, args = [], overrides = {}) {
			const { spec, stop } = await variant.start(fixture, args);
			t.after(stop);
			const opened = await openUpstream(driver, spec, overrides);
			t.after(() => opened.upstream.close());
			return opened;
		},
		async openBadly(t, fixture, args = [], overrides = {}) {
			const { spec, stop } = await variant.start(fixture, args);
			t.after(stop);
			const recorder = new Recorder();
			const context = recordingContext(recorder, overrides);
			return { outcome: await driver.open(spec, context), recorder, context };
		},
	};
}

function verifyHandshake({ open, openBadly, era }: Bench): void {
	test("what a server says of itself is kept as it wrote it", async (t) => {
		const { upstream } = await open(t, "echo");
		assert.equal(upstream.hello.era, era);
		assert.equal(upstream.hello.revision, era === "legacy" ? "2025-11-25" : "2026-07-28");
		assert.equal(upstream.hello.capabilities, '{"tools":{"listChanged":true},"logging":{}}');
		const info = '{"name":"echo","version":"1.0.0","x-unknown":1.0}';
		assert.equal(upstream.hello.server_info, info);
		assert.equal(upstream.hello.instructions, "A fixture.");
		assert.equal(upstream.in_flight, 0);
	});

	if (era === "legacy") {
		test("any legacy revision that a server answers with is accepted", async (t) => {
			const { upstream } = await open(t, "echo", ["--revision", "2024-11-05"]);
			assert.equal(upstream.hello.revision, "2024-11-05");
			assert.equal(textOf(await callTool(upstream, "echo", { text: "old" })), "old");
		});

		test("a server that answers with an unknown revision is refused", async (t) => {
			const { outcome } = await openBadly(t, "echo", ["--revision", "next"]);
			assert.equal(faultOf(outcome).code, "server_protocol");
		});
	}

	test("an open that is not wanted any more ends and leaves nothing", async (t) => {
		const wanted = new AbortController();
		const spawner = new PlainSpawner();
		wanted.abort();
		const overrides = { signal: wanted.signal, spawner };
		const { outcome } = await openBadly(t, "echo", [], overrides);
		assert.equal(outcome.ok, false);
		assert.equal(spawner.running.size, 0);
	});
}

function verifyBytes({ open, era }: Bench): void {
	test("a result comes with every byte the server wrote", async (t) => {
		const { upstream } = await open(t, "fidelity");
		const reply = taken(await callTool(upstream, "odd"));
		const span = memberSpan(reply.envelope, "result");
		assert.ok(span !== undefined);
		assert.equal(rawText(reply.bytes, span), odd_result);
	});

	test("a request reaches the server with every byte but its id and token", async (t) => {
		const { upstream } = await open(t, "fidelity");
		const meta =
			'"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
			'"io.modelcontextprotocol/clientCapabilities":{ },' +
			'"io.modelcontextprotocol/clientInfo":{"name":"\\u0058","version":"1"}';
		const write = (id: string, token: string) =>
			`{ "x-first":1.0 ,"id":${id},"jsonrpc":"2.0", "method" : "tools/call","params":` +
			'{"arguments":{"big":12345678901234567890,"e":1E400,"s":"\\u00e9é\\/😀"},"x":[ ],' +
			`"_meta":{"progressToken":${token}, ${meta},"com.example/y":-0.0},"name":"mirror"} }`;
		const request = { ...toolRequest("mirror"), message: message(write('"a\\u0062"', '"t"')) };
		const mirrored = Buffer.from(textOf(await upstream.request(request)), "base64").toString();
		const id = /"id":(\d+),/.exec(mirrored)?.[1];
		assert.ok(id !== undefined);
		assert.equal(mirrored, write(id, id));
	});

	test("line breaks between the tokens of a request do no harm", async (t) => {
		const { upstream } = await open(t, "echo");
		const text =
			'{\n"jsonrpc": "2.0",\r\n"id": 1,\n"method": "tools/call",\n' +
			'"params": {"name": "echo",\n"arguments": {"text": "a\\nb"}}\n}\n';
		const request = { ...toolRequest("echo"), message: message(text) };
		assert.equal(textOf(await upstream.request(request)), "a\nb");
	});

	test("edits of the caller are made together with the driver's own", async (t) => {
		const { upstream } = await open(t, "echo");
		const request = toolRequest("shown__echo", { text: "edited" }, { token: "7", name: "echo" });
		const name = memberSpan(request.message.params, "name");
		assert.ok(name !== undefined);
		const edits = [{ start: name.start, end: name.end, text: '"echo"' }];
		assert.equal(textOf(await upstream.request({ ...request, edits })), "edited");
	});

	test("a result of 5 MB arrives whole", async (t) => {
		const { upstream } = await open(t, "huge");
		const text = textOf(await callTool(upstream, "huge", { bytes: 5_000_000 }));
		assert.equal(text.length, 5_000_000);
		assert.ok(text === "0123456789".repeat(500_000));
	});

	test("a request of 2 MB arrives whole", async (t) => {
		const { upstream } = await open(t, "huge");
		const request = toolRequest("length", { filler: "ü".repeat(1_000_000) });
		const length = Number(textOf(await upstream.request(request)));
		// A modern envelope is added to a request that has none.
		const added = length - request.message.bytes.length;
		assert.ok(era === "legacy" ? added === 0 : added > 0 && added < 500, `${added}`);
	});

	test("an error of the server is a reply, with its bytes", async (t) => {
		const { upstream } = await open(t, "echo");
		const reply = taken(await callTool(upstream, "no-such-tool"));
		const span = memberSpan(reply.envelope, "error");
		assert.ok(reply.kind === "error" && span !== undefined);
		const text = rawText(reply.bytes, span);
		assert.equal(text, '{"code":-32602,"message":"Unknown tool: no-such-tool"}');
	});
}

function verifyManyCalls({ open }: Bench): void {
	test("a thousand calls with the same client id each get their own answer", async (t) => {
		const { upstream } = await open(t, "echo");
		const texts = Array.from({ length: 1000 }, (_, index) => `text ${index}`);
		const calls = texts.map((text) => callTool(upstream, "echo", { text }));
		assert.equal(upstream.in_flight, 1000);
		const answers = (await Promise.all(calls)).map(textOf);
		assert.deepEqual(answers, texts);
		assert.equal(upstream.in_flight, 0);
	});

	test("a call that waits does not hold up another", async (t) => {
		const { upstream } = await open(t, "slow");
		const held = hold(upstream, "a");
		await held.there;
		assert.equal(textOf(await callTool(upstream, "wait", { ms: 1 })), "waited 1 ms");
		assert.equal(upstream.in_flight, 1);
		assert.equal(textOf(await callTool(upstream, "release", { key: "a" })), "true");
		assert.equal(textOf(await held.call), "released a");
	});
}

function verifyProgress({ open }: Bench): void {
	test("progress comes with the client's own token, in order, before the reply", async (t) => {
		const { upstream } = await open(t, "progress");
		const seen: string[] = [];
		const token = '"tok\\u0065n é"';
		const onNotification = (sent: { bytes: Buffer }) => seen.push(sent.bytes.toString("utf8"));
		const overrides = { token, onNotification };
		await callTool(upstream, "steps", { steps: 3 }, overrides);
		const expected = [1, 2, 3].map(
			(step) =>
				'{"jsonrpc":"2.0","method":"notifications/progress","params":' +
				`{"progressToken":${token},"progress":${step},"total":3,"message":"step ${step}"}}`,
		);
		assert.deepEqual(seen, expected);
	});

	test("two calls with the same token get their own progress only", async (t) => {
		const { upstream } = await open(t, "progress");
		const run = async (steps: number) => {
			let count = 0;
			const onNotification = () => {
				count += 1;
			};
			await callTool(upstream, "steps", { steps }, { token: "1", onNotification });
			return count;
		};
		assert.deepEqual(await Promise.all([run(5), run(9), run(2)]), [5, 9, 2]);
	});

	test("a call that asks for no progress gets none", async (t) => {
		const { upstream } = await open(t, "progress");
		const onNotification = () => assert.fail("nobody asked for this");
		const text = textOf(await callTool(upstream, "steps", { steps: 3 }, { onNotification }));
		assert.equal(text, "3 steps, token null");
	});
}

function verifyGivingUp({ open, skipped }: Bench): void {
	test("a cancelled call ends at once and the server is told", skipped("cancel"), async (t) => {
		const { upstream } = await open(t, "slow");
		const cancel = new AbortController();
		const { call, there } = hold(upstream, "c", { signal: cancel.signal });
		await there;
		cancel.abort();
		assert.equal(faultOf(await call).code, "call_cancelled");
		assert.equal(textOf(await callTool(upstream, "cancelled", { count: 1 })), "c");
		assert.equal(upstream.in_flight, 0);
	});

	test("a call that was cancelled before is not sent", async (t) => {
		const { upstream } = await open(t, "slow");
		const fault = faultOf(
			await callTool(upstream, "hold", { key: "d" }, { signal: AbortSignal.abort() }),
		);
		assert.equal(fault.code, "call_cancelled");
		assert.equal(fault.retry_safe, true);
		assert.equal(textOf(await callTool(upstream, "release", { key: "d" })), "false");
	});

	test("a call without an answer fails at its deadline, and others do not", async (t) => {
		const clock = new FakeClock();
		const { upstream } = await open(t, "slow", [], { clock });
		const late = hold(upstream, "e", { call_ms: 5_000 });
		const patient = hold(upstream, "f", { call_ms: 60_000 });
		await Promise.all([late.there, patient.there]);
		await clock.advance(5_001);
		const fault = faultOf(await late.call);
		assert.equal(fault.code, "call_timeout");
		assert.equal(fault.retry_safe, false);
		assert.match(fault.message, /fixture.*5 s/);
		assert.equal(textOf(await callTool(upstream, "release", { key: "f" })), "true");
		assert.equal(textOf(await patient.call), "released f");
	});
}

function verifyBadServers({ open, openBadly, skipped }: Bench): void {
	test("a server that never answers its handshake is given up in time", async (t) => {
		const spawner = new PlainSpawner();
		const { outcome } = await openBadly(t, "silent", [], { start_ms: 150, spawner });
		const fault = faultOf(outcome);
		assert.equal(fault.code, "server_failed");
		assert.match(fault.message, /"fixture".*did not answer/);
		assert.equal(spawner.running.size, 0);
	});

	test("a server that never answers a call leaves others alone", async (t) => {
		const clock = new FakeClock();
		const { upstream } = await open(t, "silent", ["--after_handshake"], { clock });
		const call = callTool(upstream, "mute", {}, { call_ms: 1_000 });
		await clock.advance(1_500);
		assert.equal(faultOf(await call).code, "call_timeout");
	});

	test("a crash ends every call in flight with what is known of its fate", async (t) => {
		const { upstream, recorder } = await open(t, "crashing", ["--code", "7"]);
		const calls = ["crash", "crash"].map((name) => callTool(upstream, name));
		for (const call of calls) {
			const fault = faultOf(await call);
			assert.equal(fault.code, "server_exited");
			assert.equal(fault.retry_safe, false);
		}
		assert.equal(upstream.in_flight, 0);
		assert.ok(recorder.gone.length <= 1);
	});

	test(
		"a server that goes away is reported once, with how it ended",
		skipped("gone"),
		async (t) => {
			const { upstream, recorder } = await open(t, "crashing", ["--code", "7"]);
			await callTool(upstream, "crash");
			await recorder.until(() => recorder.gone.length > 0);
			const [gone] = recorder.gone;
			assert.deepEqual(gone, { message: "exited with code 7", exit_code: 7, signal: null });
			const fault = faultOf(await callTool(upstream, "echo", { text: "anyone?" }));
			assert.equal(fault.code, "server_exited");
			assert.equal(fault.retry_safe, true);
			await upstream.close();
			assert.equal(recorder.gone.length, 1);
		},
	);

	test("noise between messages is skipped", skipped("noise"), async (t) => {
		const { upstream } = await open(t, "chatty");
		assert.equal(textOf(await callTool(upstream, "noise", { lines: 50 })), "done");
		assert.equal(textOf(await callTool(upstream, "echo", { text: "on" })), "on");
	});

	test("a reply nobody asked for is an event and nothing more", skipped("noise"), async (t) => {
		const { upstream, recorder } = await open(t, "chatty");
		assert.equal(textOf(await callTool(upstream, "unknown_id")), "still here");
		await recorder.until(() => recorder.of("event").length >= 2);
		assert.match(recorder.of("event").join("\n"), /987654321[^]*"nobody"/);
	});

	test("of two replies the first one counts", skipped("noise"), async (t) => {
		const { upstream } = await open(t, "chatty");
		assert.equal(textOf(await callTool(upstream, "twice")), "first");
		assert.equal(textOf(await callTool(upstream, "echo", { text: "on" })), "on");
	});

	test("a reply that is no message fails its call at once", skipped("noise"), async (t) => {
		const { upstream } = await open(t, "chatty");
		const fault = faultOf(await callTool(upstream, "not_object"));
		assert.equal(fault.code, "server_protocol");
		assert.equal(fault.retry_safe, false);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "on" })), "on");
	});

	test("progress that nobody asked for is dropped", async (t) => {
		const { upstream } = await open(t, "chatty");
		assert.equal(textOf(await callTool(upstream, "stray_progress")), "done");
	});

	test("a reply over the limit fails its call and no other", skipped("oversize"), async (t) => {
		const { upstream } = await open(t, "huge", [], { reply_bytes_max: 100_000 });
		const [large, small] = await Promise.all([
			callTool(upstream, "huge", { bytes: 1_000_000 }),
			callTool(upstream, "huge", { bytes: 1_000 }),
		]);
		const fault = faultOf(large);
		assert.equal(fault.code, "reply_too_large");
		assert.equal(fault.retry_safe, false);
		assert.equal(textOf(small).length, 1_000);
		assert.equal(upstream.in_flight, 0);
	});
}

function verifyServerMessages({ open, skipped }: Bench): void {
	test("list changes are pushed", skipped("pushes"), async (t) => {
		const { upstream, recorder } = await open(t, "list-changing");
		await callTool(upstream, "add_tool", { name: "new" });
		await recorder.until(() => recorder.pushes.length > 0);
		assert.equal(recorder.pushes[0]?.method, "notifications/tools/list_changed");
	});

	test("notifications of the client arrive", skipped("notifications"), async (t) => {
		const { upstream } = await open(t, "stateful");
		const text = '{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1,"b":2}}';
		const sent = message(text);
		const value = sent.params?.members[0]?.value;
		assert.ok(value !== undefined);
		upstream.notify(sent, [{ start: value.start, end: value.end, text: "[3]" }]);
		let notified: { method: string; params: unknown }[] = [];
		// Over HTTP the next call may overtake the notification on another connection.
		while (notified.length < 2) {
			notified = JSON.parse(textOf(await callTool(upstream, "notified")));
		}
		assert.deepEqual(
			notified.map(({ method, params }) => [method, params]),
			[
				["notifications/initialized", undefined],
				["notifications/x", { a: [3], b: 2 }],
			],
		);
	});

	test("a question is put to the call that caused it", skipped("asks"), async (t) => {
		const { upstream, recorder } = await open(t, "asking");
		const onRequest: NonNullable<Parameters<Upstream["request"]>[0]["onRequest"]> = (ask) => {
			assert.equal(ask.message.method, "elicitation/create");
			ask.answer({ kind: "result", json: '{"action":"accept","content":{"n":1.0}}' });
			ask.answer({ kind: "result", json: '{"action":"decline"}' });
		};
		const text = textOf(await callTool(upstream, "elicit", {}, { onRequest }));
		assert.equal(text, '{"result":{"action":"accept","content":{"n":1}}}');
		assert.equal(recorder.asks.length, 0);
	});

	test("a question may be answered with an error", skipped("asks"), async (t) => {
		const { upstream } = await open(t, "asking");
		const onRequest: NonNullable<Parameters<Upstream["request"]>[0]["onRequest"]> = (ask) => {
			ask.answer({ kind: "error", json: Buffer.from('{"code":-1,"message":"no"}') });
		};
		const text = textOf(await callTool(upstream, "roots", {}, { onRequest }));
		assert.equal(text, '{"error":{"code":-1,"message":"no"}}');
	});

	test(
		"a question that is taken back is told to whoever answers it",
		skipped("asks"),
		async (t) => {
			const { upstream } = await open(t, "asking");
			const withdrawn = Promise.withResolvers<void>();
			const onRequest: NonNullable<Parameters<Upstream["request"]>[0]["onRequest"]> = (ask) => {
				ask.signal.addEventListener("abort", () => {
					ask.answer({ kind: "result", json: "{}" });
					withdrawn.resolve();
				});
			};
			assert.equal(textOf(await callTool(upstream, "withdraw", {}, { onRequest })), "withdrawn");
			await withdrawn.promise;
		},
	);

	test("a call's time stands still while its question is open", skipped("asks"), async (t) => {
		const clock = new FakeClock();
		const { upstream } = await open(t, "asking", [], { clock });
		const asked = Promise.withResolvers<Parameters<DriverContext["onRequest"]>[0]>();
		const overrides = { call_ms: 1_000, onRequest: asked.resolve };
		const call = callTool(upstream, "elicit", {}, overrides);
		const ask = await asked.promise;
		await clock.advance(120_000);
		assert.equal(upstream.in_flight, 1);
		ask.answer({ kind: "result", json: '{"action":"cancel"}' });
		assert.equal(textOf(await call), '{"result":{"action":"cancel"}}');
	});

	test("the driver answers a ping itself", skipped("asks"), async (t) => {
		const { upstream, recorder } = await open(t, "asking");
		const onRequest = () => assert.fail("a ping is no question");
		assert.equal(textOf(await callTool(upstream, "ping", {}, { onRequest })), '{"result":{}}');
		assert.equal(recorder.asks.length, 0);
	});
}

function verifyClosing({ open }: Bench): void {
	test("closing leaves nothing, answers what is left, and can be done twice", async (t) => {
		const spawner = new PlainSpawner();
		const { upstream, recorder } = await open(t, "slow", [], { spawner });
		const { call, there } = hold(upstream, "g");
		await there;
		await Promise.all([upstream.close(), upstream.close()]);
		assert.equal(faultOf(await call).code, "server_exited");
		assert.equal(spawner.running.size, 0);
		assert.equal(upstream.in_flight, 0);
		assert.deepEqual(recorder.gone, []);
		const after = faultOf(await callTool(upstream, "wait", { ms: 1 }));
		assert.equal(after.code, "server_exited");
		assert.equal(after.retry_safe, true);
	});

	test("draining waits for what is in flight", async (t) => {
		const { upstream } = await open(t, "slow");
		const { call, there } = hold(upstream, "h");
		await there;
		let drained = false;
		const draining = upstream.drain(60_000).then(() => {
			drained = true;
		});
		assert.equal(textOf(await callTool(upstream, "wait", { ms: 1 })), "waited 1 ms");
		assert.equal(drained, false);
		await callTool(upstream, "release", { key: "h" });
		await call;
		await draining;
		await upstream.drain(60_000);
	});

	test("draining does not wait for ever", async (t) => {
		const clock = new FakeClock();
		const { upstream } = await open(t, "slow", [], { clock });
		void callTool(upstream, "hold", { key: "i" });
		const draining = upstream.drain(1_000);
		await clock.advance(1_000);
		await draining;
		assert.equal(upstream.in_flight, 1);
	});
}
