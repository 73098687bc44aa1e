import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { built_in_rules, type RulePlan } from "../config/alert-rules.ts";
import { type Alert, type Circumstances, type News, nextState, type Observation } from "./state.ts";

const rule: RulePlan = {
	...(built_in_rules[0] as RulePlan),
	for_ms: 60_000,
	clear_ms: 300_000,
};
const seen: Observation = { subject: "git/push", value: 1, threshold: 0.5, summary: "It fails." };

/** Plays looks at a rule, one a time in milliseconds, and tells what came of them. */
class Play {
	alert: Alert | undefined;
	readonly news: [number, News][] = [];
	#ids = 0;

	look(now_ms: number, holds: boolean, change: Partial<Circumstances> = {}): void {
		const next = nextState(this.alert, holds ? seen : undefined, {
			rule,
			now_ms,
			silenced: false,
			repeat_ms: undefined,
			id: () => `a${++this.#ids}`,
			...change,
		});
		if (next.news !== undefined) this.news.push([now_ms, next.news]);
		this.alert = next.alert;
	}
}

test("an alert fires once its rule has held for long enough, and is over once it has not for long", () => {
	const play = new Play();
	play.look(0, true);
	assert.equal(play.alert?.state, "pending");
	play.look(59_999, true);
	assert.deepEqual([play.alert?.state, play.news], ["pending", []]);
	play.look(60_000, true);
	assert.deepEqual([play.alert?.state, play.alert?.fired_at_ms], ["firing", 60_000]);
	play.look(120_000, false);
	assert.equal(play.alert?.state, "firing");
	play.look(359_999, false);
	assert.equal(play.alert?.state, "firing");
	play.look(360_000, false);
	assert.deepEqual([play.alert?.state, play.alert?.resolved_at_ms], ["resolved", 360_000]);
	assert.deepEqual(play.news, [
		[60_000, "firing"],
		[360_000, "resolved"],
	]);
});

test("what holds only for a moment is forgotten without a word", () => {
	const play = new Play();
	play.look(0, true);
	play.look(10_000, false);
	assert.deepEqual([play.alert, play.news], [undefined, []]);
});

test("the next time is another alert", () => {
	const play = new Play();
	const at_once = { rule: { ...rule, for_ms: 0, clear_ms: 0 } };
	play.look(0, true, at_once);
	play.look(1, false, at_once);
	assert.deepEqual([play.alert?.state, play.alert?.id], ["resolved", "a1"]);
	play.look(2, true, at_once);
	assert.deepEqual([play.alert?.state, play.alert?.id], ["firing", "a2"]);
});

test("who is told is reminded, and nobody is told while it is silenced", () => {
	const play = new Play();
	const around = { rule: { ...rule, for_ms: 0 }, repeat_ms: 1_000 };
	play.look(0, true, { ...around, silenced: true });
	assert.deepEqual([play.alert?.state, play.news], ["firing", []]);
	play.look(100, true, around);
	play.look(1_000, true, around);
	play.look(1_100, true, around);
	assert.deepEqual(play.news, [
		[100, "firing"],
		[1_100, "firing"],
	]);
});

test("who was never told that it fires is not told that it is over", () => {
	const play = new Play();
	const around = { rule: { ...rule, for_ms: 0, clear_ms: 0 } };
	play.look(0, true, { ...around, silenced: true });
	play.look(1, false, around);
	assert.deepEqual([play.alert?.state, play.news], ["resolved", []]);
});

test("whatever happens, news alternate, no alert changes back, and times do not run backwards", () => {
	const step = fc.record({
		passed_ms: fc.integer({ min: -400_000, max: 400_000 }),
		holds: fc.boolean(),
		silenced: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const play = new Play();
			let now_ms = 10_000_000;
			const told = new Map<string, News[]>();
			for (const { passed_ms, holds, silenced } of steps) {
				now_ms += passed_ms;
				const before = play.alert;
				const count = play.news.length;
				play.look(now_ms, holds, { silenced, repeat_ms: undefined });
				const { alert } = play;
				if (silenced) assert.equal(play.news.length, count);
				if (alert === undefined) {
					assert.notEqual(before?.state, "firing", "a firing alert never vanishes");
					continue;
				}
				if (before?.state === "firing") {
					assert.equal(alert.id, before.id);
					assert.notEqual(alert.state, "pending");
				}
				if (alert.state === "firing") assert.ok(alert.fired_at_ms !== undefined);
				if (alert.state === "resolved") assert.ok(!holds && before?.state === "firing");
				assert.ok(alert.since_ms <= now_ms || alert.state === "resolved");
				const last = play.news[count];
				if (last !== undefined) told.set(alert.id, [...(told.get(alert.id) ?? []), last[1]]);
			}
			for (const news of told.values()) {
				assert.ok(
					[["firing"], ["firing", "resolved"]].some((one) => one.join() === news.join()),
					news.join(),
				);
			}
		}),
	);
});
