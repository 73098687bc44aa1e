import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { fixturePath } from "../../../test/support/fixtures.ts";
import { PlainSpawner } from "../../../test/support/plain-spawner.ts";
import {
	callTool,
	faultOf,
	nodeSpec,
	Recorder,
	recordingContext,
	taken,
	textOf,
} from "../../../test/support/upstream-harness.ts";
import { fingerprintOf } from "../../config/fingerprint.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { ChildHandle, DriverContext, SpawnRequest, Upstream } from "../driver.ts";
import { EraVerdicts, verdict_ms_max } from "../era-verdicts.ts";
import { stdioDriver } from "./driver.ts";

/** Remembers the pids of everything it has started. */
class CountingSpawner extends PlainSpawner {
	readonly pids: number[] = [];

	override async spawn(request: SpawnRequest): Promise<Result<ChildHandle, Fault>> {
		const child = await super.spawn(request);
		if (child.ok) this.pids.push(child.value.pid);
		return child;
	}
}

type Spec = ReturnType<typeof nodeSpec>;

function bench(t: TestContext, spec: Spec, clock = new FakeClock()) {
	const verdicts = new EraVerdicts({ clock });
	const spawner = new CountingSpawner();
	const open = async (overrides: Partial<DriverContext> = {}) => {
		const recorder = new Recorder();
		const more = { spawner, era_verdicts: verdicts, ...overrides };
		const outcome = await stdioDriver.open(spec, recordingContext(recorder, more));
		if (outcome.ok) t.after(() => outcome.value.close());
		return { outcome, recorder };
	};
	const version = fingerprintOf(spec);
	return { open, spawner, verdicts, version, clock };
}

const eras = (reaction: string) => nodeSpec(fixturePath("eras"), ["--on_discover", reaction]);
const wire = (era: string) => nodeSpec(fixturePath("echo"), ["--era", era]);
const pidOf = async (upstream: Upstream) => Number(textOf(await callTool(upstream, "pid")));

describe("finding out the era of a program", { concurrency: 2 }, () => {
	for (const reaction of ["refuse", "exit", "stuck", "noise", "empty"]) {
		test(`a legacy server that reacts with "${reaction}" runs in a process that was not asked`, async (t) => {
			const { open, spawner, verdicts, version } = bench(t, eras(reaction));
			const { outcome, recorder } = await open();
			const upstream = taken(outcome);
			assert.equal(upstream.hello.era, "legacy");
			assert.equal(spawner.pids.length, 2);
			assert.equal(await pidOf(upstream), spawner.pids[1]);
			assert.equal(spawner.running.size, 1);
			assert.deepEqual(recorder.of("stderr"), []);
			assert.deepEqual(recorder.of("stdout"), []);
			assert.deepEqual(recorder.gone, []);
			assert.equal(verdicts.get(version), "legacy");
		});
	}

	test("a server that does not answer counts as legacy in time", async (t) => {
		const verdicts = new EraVerdicts({ clock: systemClock });
		const { open, spawner, version } = bench(t, eras("silent"));
		const overrides = { clock: systemClock, era_verdicts: verdicts, start_ms: 3_000 };
		const { outcome } = await open(overrides);
		assert.equal(taken(outcome).hello.era, "legacy");
		assert.equal(spawner.pids.length, 2);
		assert.equal(verdicts.get(version), "legacy");
	});

	for (const era of ["modern", "dual"]) {
		test(`a ${era} server is spoken to in the modern revision, in the process that was asked`, async (t) => {
			const { open, spawner, verdicts, version } = bench(t, wire(era));
			const { outcome } = await open();
			assert.equal(taken(outcome).hello.era, "modern");
			assert.equal(textOf(await callTool(taken(outcome), "echo", { text: "x" })), "x");
			assert.equal(spawner.pids.length, 1);
			assert.equal(verdicts.get(version), "modern");
			taken((await open()).outcome);
			assert.equal(spawner.pids.length, 2);
		});
	}

	for (const [name, args, era] of [
		["sdk-v1-stdio", [], "legacy"],
		["sdk-v2-stdio", [], "modern"],
		["sdk-v2-stdio", ["--modern_only"], "modern"],
	] as const) {
		test(`a server of the official SDK is found ${era}: ${name} ${args.join(" ")}`, async (t) => {
			const { open, spawner } = bench(t, nodeSpec(fixturePath(name), args));
			assert.equal(taken((await open()).outcome).hello.era, era);
			assert.equal(spawner.running.size, 1);
		});
	}

	test("what is known is not asked again until a day has passed", async (t) => {
		const { open, spawner, verdicts, version, clock } = bench(t, eras("refuse"));
		await taken((await open()).outcome).close();
		await taken((await open()).outcome).close();
		assert.equal(spawner.pids.length, 3);
		await clock.advance(verdict_ms_max);
		await taken((await open()).outcome).close();
		assert.equal(spawner.pids.length, 5);
		assert.equal(verdicts.get(version), "legacy");
	});

	test("an old verdict does not keep a server in the legacy era", async (t) => {
		const { open, verdicts, version, clock } = bench(t, wire("dual"));
		verdicts.set(version, "legacy");
		const before = taken((await open()).outcome);
		assert.equal(before.hello.era, "legacy");
		await clock.advance(verdict_ms_max);
		assert.equal(taken((await open()).outcome).hello.era, "modern");
	});

	test("a server that turned out to be modern-only corrects its verdict at once", async (t) => {
		const { open, verdicts, version } = bench(t, wire("modern"));
		verdicts.set(version, "legacy");
		assert.equal(taken((await open()).outcome).hello.era, "modern");
		assert.equal(verdicts.get(version), "modern");
	});

	test("a server that is not modern any more starts anew in the legacy era", async (t) => {
		const { open, spawner, verdicts, version } = bench(t, eras("exit"));
		verdicts.set(version, "modern");
		assert.equal(taken((await open()).outcome).hello.era, "legacy");
		assert.equal(spawner.pids.length, 2);
		assert.equal(verdicts.get(version), "legacy");
	});

	test("many starts at once share one process that is asked", async (t) => {
		const { open, spawner } = bench(t, eras("exit"));
		const opened = await Promise.all([open(), open(), open(), open()]);
		for (const { outcome } of opened) assert.equal(taken(outcome).hello.era, "legacy");
		assert.equal(spawner.pids.length, 5);
		assert.equal(spawner.running.size, 4);
	});

	test("a modern server's lines before its handshake are kept", async (t) => {
		const { open } = bench(t, nodeSpec(fixturePath("chatty"), ["--era", "modern"]));
		const { outcome, recorder } = await open();
		assert.equal(taken(outcome).hello.era, "modern");
		await recorder.until(() => recorder.of("stderr").includes("chatty is up"));
		assert.ok(recorder.of("stdout").includes("Chatty server v1.0 starting..."));
	});

	test("a server that ends at its start says so, and nothing is learned from it", async (t) => {
		const spec = nodeSpec(fixturePath("crashing"), ["--at_start", "--code", "3"]);
		const { open, verdicts, version, spawner } = bench(t, spec);
		const { outcome } = await open();
		assert.equal(faultOf(outcome).code, "server_failed");
		assert.match(faultOf(outcome).message, /exited with code 3 before it was ready/);
		assert.equal(verdicts.get(version), undefined);
		assert.equal(spawner.running.size, 0);
	});

	test("a program that is missing is one fault", async (t) => {
		const { open } = bench(t, { ...wire("legacy"), command: "/nowhere/to-be-found" });
		assert.equal(faultOf((await open()).outcome).code, "command_missing");
	});

	test("a start that is not wanted any more leaves nothing, and the next one finds out", async (t) => {
		const { open, spawner, verdicts, version } = bench(t, wire("dual"));
		const cancel = new AbortController();
		const first = open({ signal: cancel.signal });
		const second = open();
		cancel.abort();
		assert.equal(faultOf((await first).outcome).code, "server_failed");
		assert.equal(taken((await second).outcome).hello.era, "modern");
		assert.equal(verdicts.get(version), "modern");
		assert.equal(spawner.running.size, 1);
	});
});
