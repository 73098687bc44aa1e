import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ana, bob, callWith, eve, planOf, policyOf, ruleWith } from "../../test/support/policy.ts";
import type { LimitPlan, PolicyPlan } from "../config/policy-plan.ts";
import type { CheckedCall } from "./check.ts";
import { LimitsCheck } from "./check-limits.ts";
import { RulesCheck } from "./check-rules.ts";

function limit(changes: Partial<LimitPlan>): LimitPlan {
	return { rate: undefined, burst: 1, at_once: undefined, per: ["user"], ...changes };
}

function build(limits: readonly LimitPlan[], more: Partial<PolicyPlan> = {}) {
	const clock = new FakeClock();
	const rules = limits.map((one, at) =>
		ruleWith({ name: `limit ${at}`, then: "limit", limit: one }),
	);
	const policy = policyOf({ rules, ...more });
	const rules_check = new RulesCheck(policy);
	const check = new LimitsCheck(policy, clock);
	const call = (given: CheckedCall) => {
		assert.equal(rules_check.check(given).kind, "allow");
		return check.check(given);
	};
	return { clock, policy, check, call, rules };
}

test("each of what a limit counts by has calls of its own", () => {
	const per = (part: LimitPlan["per"][number]) => {
		const { call } = build([limit({ rate: { calls: 1, per_ms: 60_000 }, per: [part] })]);
		return [
			{ principal: ana },
			{ principal: bob },
			{ principal: eve },
			{ server: "other" },
			{ name: "charge" },
			{ endpoint: "support" },
		].map((changes) => call(callWith(changes)).kind === "allow");
	};
	assert.deepEqual(per("tenant"), [true, false, true, false, false, false]);
	assert.deepEqual(per("user"), [true, true, true, false, false, false]);
	assert.deepEqual(per("client"), [true, true, true, false, false, false]);
	assert.deepEqual(per("server"), [true, false, false, true, false, false]);
	assert.deepEqual(per("tool"), [true, false, false, true, true, false]);
	assert.deepEqual(per("endpoint"), [true, false, false, false, false, true]);
});

test("calls of several tools that take turns are each counted under their own", () => {
	const rate = { calls: 2, per_ms: 60_000 };
	const { call } = build([limit({ rate, burst: 2, per: ["user", "tool"] })]);
	const turns = [ana, bob].flatMap((principal) => [
		{ principal, name: "charge" },
		{ principal, name: "refund" },
		{ principal, name: "charge", server: "other" },
	]);
	const round = () => turns.map((one) => call(callWith(one)).kind);
	assert.deepEqual(new Set([...round(), ...round()]), new Set(["allow"]));
	assert.deepEqual(new Set(round()), new Set(["limit"]));
});

test("a refusal names the limit and when to come again", async () => {
	const { clock, call } = build([limit({ rate: { calls: 2, per_ms: 60_000 }, burst: 2 })]);
	call(callWith({}));
	call(callWith({}));
	await clock.advance(10_000);
	assert.deepEqual(call(callWith({})), {
		kind: "limit",
		code: "rate_limited",
		message: 'The limit "limit 0" is reached: 2 in 1m for each user. Try again in 20 s.',
		rule: "limit 0",
		retry_after_ms: 20_000,
	});
});

test("a call that one limit refuses costs nothing of another", () => {
	const wide = limit({ rate: { calls: 2, per_ms: 60_000 }, burst: 2, per: [] });
	const narrow = limit({ rate: { calls: 1, per_ms: 60_000 }, burst: 1 });
	const { call } = build([wide, narrow]);
	assert.equal(call(callWith({ principal: ana })).kind, "allow");
	for (let time = 0; time < 5; time++) {
		assert.equal(call(callWith({ principal: ana })).kind, "limit");
	}
	assert.equal(call(callWith({ principal: bob })).kind, "allow");
});

test("the self-declared name of a client does not get around a limit", () => {
	const { call } = build([limit({ rate: { calls: 1, per_ms: 60_000 }, per: ["client"] })]);
	call(callWith({}));
	const renamed = { ...callWith({}).client, name: "another", version: "2" };
	assert.equal(call(callWith({ client: renamed })).kind, "limit");
});

test("a configuration that is read again does not forget what was counted", () => {
	const { call, policy, rules } = build([limit({ rate: { calls: 1, per_ms: 60_000 } })]);
	call(callWith({}));
	const moved = rules.map((rule) => ({ ...rule, place: { file: "m", line: 9, column: 9 } }));
	policy.use(planOf({ rules: moved }));
	assert.equal(call(callWith({})).kind, "limit");
});

test("calls in flight never exceed their limit, and every place is given back", () => {
	const event = fc.record({
		who: fc.constantFrom(ana, bob, eve),
		ends: fc.option(fc.nat(20), { nil: undefined }),
	});
	fc.assert(
		fc.property(fc.array(event, { maxLength: 80 }), (events) => {
			const { call, check } = build([
				limit({ at_once: 2, per: ["user"] }),
				limit({ at_once: 3, per: ["tenant"] }),
			]);
			let running: CheckedCall[] = [];
			const of = (test_of: (call: CheckedCall) => boolean) => running.filter(test_of).length;
			for (const { who, ends } of events) {
				const ended = ends === undefined ? undefined : running[ends];
				if (ended !== undefined) {
					check.done(ended);
					running = running.filter((one) => one !== ended);
					continue;
				}
				const next = callWith({ principal: who });
				const room =
					of(({ principal }) => principal.id === who.id) < 2 &&
					of(({ principal }) => principal.tenant === who.tenant) < 3;
				assert.equal(call(next).kind === "allow", room);
				if (room) running.push(next);
			}
			for (const one of running) check.done(one);
			for (const who of [ana, eve]) {
				assert.equal(call(callWith({ principal: who })).kind, "allow");
			}
		}),
	);
});

test("a tenant that calls all the time leaves others what is theirs", async () => {
	const { clock, call } = build([
		limit({ rate: { calls: 10, per_ms: 1_000 }, burst: 10, per: ["tenant"] }),
	]);
	let [hot, calm] = [0, 0];
	for (let tick = 0; tick < 100; tick++) {
		await clock.advance(100);
		for (let time = 0; time < 50; time++)
			if (call(callWith({ principal: eve })).kind === "allow") hot += 1;
		if (call(callWith({ principal: ana })).kind === "allow") calm += 1;
	}
	assert.equal(calm, 100);
	assert.ok(hot <= 110, String(hot));
});

test("the same call with the same arguments again and again is a loop", async () => {
	const { clock, call } = build([], { loops: { calls: 3, within_ms: 60_000 } });
	const same = () => call(callWith({ args: { text: "a".repeat(500) } }));
	for (let time = 0; time < 3; time++) assert.equal(same().kind, "allow");
	const verdict = same();
	assert.equal(verdict.kind === "limit" ? verdict.code : "", "loop_detected");
	assert.equal(call(callWith({ args: { text: "b" } })).kind, "allow");
	assert.equal(call(callWith({ args: { text: "a".repeat(500) }, principal: bob })).kind, "allow");
	const spaced = {
		args: { text: "a".repeat(500) },
		arguments_raw: `{ "text" : "${"a".repeat(500)}" }`,
	};
	assert.equal(call(callWith(spaced)).kind, "limit", "a space does not make it another");
	const read = { method: "resources/read", args: { text: "a" } };
	for (let time = 0; time < 9; time++) assert.equal(call(callWith(read)).kind, "allow");
	await clock.advance(20_000);
	assert.equal(same().kind, "allow");
	assert.equal(same().kind, "limit");
});

test("what runs in a call's name, once people have agreed, gives its place back", () => {
	const { check, call } = build([limit({ at_once: 1 })]);
	const asked = callWith({});
	assert.equal(call(asked).kind, "allow");
	assert.equal(call(callWith({})).kind, "limit");
	// What people agreed to is another object with the arguments that they saw.
	check.done({ ...asked, arguments_raw: "{}" });
	assert.equal(call(callWith({})).kind, "allow");
});
