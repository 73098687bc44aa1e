import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { ContainerSleep } from "./container-sleep.ts";
import type { EngineProblem } from "./engine-problem.ts";

/** An engine that refuses what makes no sense, as Docker does, and takes a moment for each. */
class FakeEngine {
	paused = false;
	/** What it is asked to do at this moment; two things at once would be a mistake. */
	#busy = false;
	refusal: string | undefined;

	pause(): Promise<Result<void, EngineProblem>> {
		return this.#do(true, "Container is already paused");
	}

	unpause(): Promise<Result<void, EngineProblem>> {
		return this.#do(false, "Container is not paused");
	}

	async stats(): Promise<Result<never, EngineProblem>> {
		return fail({ kind: "broken", detail: "gone" });
	}

	async #do(paused: boolean, senseless: string): Promise<Result<void, EngineProblem>> {
		assert.equal(this.#busy, false, "one thing at a time");
		this.#busy = true;
		await Promise.resolve();
		this.#busy = false;
		const message = this.refusal ?? (this.paused === paused ? senseless : undefined);
		if (message !== undefined) return fail({ kind: "refused", status: 409, message });
		this.paused = paused;
		return succeed(undefined);
	}
}

test("whatever is asked for without waiting, the last of it holds", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1 }), async (wishes) => {
			const engine = new FakeEngine();
			const sleep = new ContainerSleep(engine, "a");
			await Promise.all(wishes.map((asleep) => (asleep ? sleep.freeze() : sleep.thaw())));
			assert.equal(engine.paused, wishes.at(-1));
		}),
	);
});

test("what somebody else has paused or woken is as it was asked to be", async () => {
	const engine = new FakeEngine();
	const sleep = new ContainerSleep(engine, "a");
	engine.paused = true;
	assert.equal(await sleep.freeze(), true);
	engine.paused = false;
	await sleep.thaw();
	assert.equal(await sleep.freeze(), true);
	assert.equal(engine.paused, true);
});

test("an engine that refuses leaves it awake, or says that it cannot be woken", async () => {
	const engine = new FakeEngine();
	const sleep = new ContainerSleep(engine, "a");
	engine.refusal = "no freezer";
	assert.equal(await sleep.freeze(), false);
	engine.refusal = undefined;
	assert.equal(await sleep.freeze(), true);
	engine.refusal = "no way";
	await assert.rejects(sleep.thaw(), /the container engine refused: no way/);
	engine.refusal = undefined;
	await sleep.thaw();
	assert.equal(engine.paused, false);
});

test("memory is not given back, and use that is not told is not known", async () => {
	const sleep = new ContainerSleep(new FakeEngine(), "a");
	assert.equal(await sleep.reclaim(), 0);
	assert.equal(await sleep.usage(), undefined);
});
