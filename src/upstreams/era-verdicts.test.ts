import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { EraVerdicts, type ProbeTurn, verdict_ms_max } from "./era-verdicts.ts";

const wanted = new AbortController().signal;

function turnOf(entered: unknown): ProbeTurn {
	assert.ok(typeof entered === "object" && entered !== null);
	return entered as ProbeTurn;
}

test("a verdict holds for a day and no longer", async () => {
	const clock = new FakeClock();
	const verdicts = new EraVerdicts({ clock });
	assert.equal(verdicts.get("a"), undefined);
	verdicts.set("a", "legacy");
	await clock.advance(verdict_ms_max - 1);
	assert.equal(verdicts.get("a"), "legacy");
	await clock.advance(1);
	assert.equal(verdicts.get("a"), undefined);
	turnOf(await verdicts.enter("a", wanted)).finish("modern");
	assert.equal(verdicts.get("a"), "modern");
});

test("a verdict from the future does not hold", () => {
	const verdicts = new EraVerdicts({ clock: new FakeClock(1_000) });
	verdicts.restore(JSON.stringify([["a", { era: "legacy", found_at_ms: 2_000 }]]));
	assert.equal(verdicts.get("a"), undefined);
});

test("one finds out for all who come meanwhile", async () => {
	const verdicts = new EraVerdicts({ clock: new FakeClock() });
	const turn = turnOf(await verdicts.enter("a", wanted));
	const others = [verdicts.enter("a", wanted), verdicts.enter("a", wanted)];
	const elsewhere = turnOf(await verdicts.enter("b", wanted));
	turn.finish("modern");
	assert.deepEqual(await Promise.all(others), ["modern", "modern"]);
	elsewhere.finish(undefined);
	turn.finish("legacy");
	assert.equal(verdicts.get("a"), "modern");
	assert.equal(verdicts.get("b"), undefined);
});

test("who finds out nothing leaves it to the next, one at a time", async () => {
	const verdicts = new EraVerdicts({ clock: new FakeClock() });
	const first = turnOf(await verdicts.enter("a", wanted));
	const second = verdicts.enter("a", wanted);
	const third = verdicts.enter("a", wanted);
	first.finish(undefined);
	turnOf(await second).finish("legacy");
	assert.equal(await third, "legacy");
});

test("who is not wanted any more does not wait", async () => {
	const verdicts = new EraVerdicts({ clock: new FakeClock() });
	const turn = turnOf(await verdicts.enter("a", wanted));
	const cancel = new AbortController();
	const waiting = verdicts.enter("a", cancel.signal);
	cancel.abort();
	assert.equal(await waiting, undefined);
	assert.equal(await verdicts.enter("b", AbortSignal.abort()), undefined);
	turn.finish("legacy");
});

test("what is told at every change can be taken over, and nothing else can", () => {
	const clock = new FakeClock();
	let text = "";
	const onChange = (state: string) => {
		text = state;
	};
	const verdicts = new EraVerdicts({ clock, onChange });
	verdicts.set("a", "legacy");
	verdicts.set("b", "modern");
	verdicts.set("c", "modern");
	verdicts.forget("c");
	const later = new EraVerdicts({ clock });
	later.restore(text);
	assert.deepEqual(
		["a", "b", "c"].map((version) => later.get(version)),
		["legacy", "modern", undefined],
	);
	for (const broken of [
		"",
		"{}",
		"null",
		"[1,[2,3]]",
		'[["x",{"era":"other","found_at_ms":1}]]',
		'[["x",null]]',
	]) {
		later.restore(broken);
	}
	assert.equal(later.get("x"), undefined);
	assert.equal(later.get("a"), "legacy");
});

test("the oldest verdicts are forgotten first", () => {
	const verdicts = new EraVerdicts({ clock: new FakeClock() });
	for (let index = 0; index <= 1_000; index += 1) verdicts.set(`v${index}`, "legacy");
	assert.equal(verdicts.get("v0"), undefined);
	assert.equal(verdicts.get("v1"), "legacy");
	assert.equal(verdicts.get("v1000"), "legacy");
});
