import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decision, person, sampleApproval } from "../../test/support/approval-samples.ts";
import type { Approval } from "./approval.ts";
import { hashArguments } from "./arguments-hash.ts";
import {
	afterClaim,
	afterDecision,
	afterDemand,
	afterExpiry,
	afterRun,
	afterWithdrawal,
	agreeing,
	type Decision,
	edited_bytes_max,
	type Fate,
	reason_chars_max,
} from "./machine.ts";

const bob = person("bob");
const eve = person("eve");
const ana = person("ana");

function decided(approval: Approval, what: Decision, now_ms = 1): Approval {
	const after = afterDecision(approval, what, now_ms);
	assert.ok(after.ok, after.ok ? "" : after.problem.message);
	return after.value;
}

function refusedWith(approval: Approval, what: Decision, now_ms = 1): string {
	const after = afterDecision(approval, what, now_ms);
	assert.ok(!after.ok, "it counts");
	return after.problem.code;
}

test("one agreement is enough where one is demanded, and gives the caller time anew", () => {
	const after = decided(sampleApproval(), decision(bob), 50_000);
	assert.equal(after.state, "approved");
	assert.equal(after.revision, 2);
	assert.equal(after.decided_at_ms, 50_000);
	assert.equal(after.expires_at_ms, 110_000);
});

test("several must be different people", () => {
	const pending = sampleApproval({}, { count: 2 });
	const once = decided(pending, decision(bob));
	const twice = decided(once, decision(bob));
	assert.equal(twice.state, "pending");
	assert.deepEqual(agreeing(twice), ["acme/bob"]);
	assert.equal(decided(twice, decision(eve)).state, "approved");
});

test("a person who decides through webhooks and by themselves is one", () => {
	const hook = (name: string, who?: string) =>
		decision({ id: `webhook:${name}`, tenant: "acme", roles: ["approver"], person: who });
	const pending = sampleApproval({}, { count: 2 });
	const vouched = decided(pending, hook("chat", "acme/Bob"));
	assert.equal(vouched.votes[0]?.person, "acme/Bob");
	for (const again of [decision(bob), hook("other", "acme/bob"), hook("chat", "acme/eve")]) {
		const twice = decided(vouched, again);
		assert.deepEqual([twice.state, twice.votes.length], ["pending", 1]);
	}
	const own = decided(pending, decision(bob));
	const twice = decided(own, hook("chat", "acme/BOB"));
	assert.deepEqual([twice.state, twice.votes.length], ["pending", 1]);
	for (const another of [decision(eve), hook("other", "acme/eve"), hook("other")]) {
		assert.equal(decided(vouched, another).state, "approved");
	}
	// Of people who came themselves it is known exactly who they are.
	assert.equal(decided(own, decision(person("Bob"))).state, "approved");
});

test("a webhook does not decide for the caller where somebody else has to", () => {
	const pending = sampleApproval({}, { other_than_caller: true });
	const hook = (who: string) =>
		decision({ id: "webhook:chat", tenant: "acme", roles: ["approver"], person: who });
	for (const name of ["acme/ana", "acme/ANA", "acme/\uff41na"]) {
		assert.equal(refusedWith(pending, hook(name)), "not_allowed", name);
	}
	assert.equal(decided(pending, hook("acme/bob")).state, "approved");
});

test("one refusal ends it, with its reason", () => {
	const pending = decided(sampleApproval({}, { count: 2 }), decision(bob));
	const denied = decided(pending, decision(eve, { verdict: "deny", reason: "No." }));
	assert.equal(denied.state, "denied");
	assert.equal(denied.votes.at(-1)?.reason, "No.");
	assert.equal(refusedWith(denied, decision(bob)), "not_pending");
});

test("whoever calls takes a call back that has not run, and nobody else does", () => {
	const approved = decided(sampleApproval(), decision(bob));
	for (const before of [sampleApproval(), approved]) {
		const back = afterWithdrawal(before, "acme/ana", undefined, 5);
		assert.equal(back?.state, "denied");
		assert.equal(back?.votes.at(-1)?.reason, "The caller took it back.");
		assert.equal(afterWithdrawal(before, "acme/bob", undefined, 5), undefined);
	}
	const running = afterClaim(approved, 5) ?? assert.fail("it may run");
	assert.equal(afterWithdrawal(running, "acme/ana", undefined, 5), undefined);
});

test("an edit takes back what others agreed to", () => {
	const pending = decided(sampleApproval({}, { count: 2, edit: true }), decision(bob));
	const edited = '{"path":"/b"}';
	const changed = decided(pending, decision(eve, { edited }));
	assert.equal(changed.state, "pending");
	assert.equal(changed.arguments, edited);
	assert.equal(changed.edited_by, "acme/eve");
	assert.deepEqual(agreeing(changed), ["acme/eve"]);
	assert.equal(changed.asked, '{"path":"/a"}');
	const seen_hash = changed.arguments_hash;
	assert.equal(decided(changed, decision(bob, { seen_hash })).state, "approved");
});

test("who does not say what they looked at agrees to what was asked, and to no edit of it", () => {
	const pending = sampleApproval({}, { count: 2, edit: true });
	const changed = decided(pending, decision(eve, { edited: '{"path":"/b"}' }));
	assert.equal(refusedWith(changed, decision(bob)), "arguments_changed");
	assert.equal(decided(changed, decision(bob, { verdict: "deny" })).state, "denied");
	assert.deepEqual(agreeing(decided(pending, decision(bob))), ["acme/bob"]);
});

test("who looked at other arguments has not agreed to these", () => {
	const pending = sampleApproval({}, { count: 2, edit: true });
	const seen_hash = pending.arguments_hash;
	const changed = decided(pending, decision(eve, { edited: '{"path":"/b"}', seen_hash }));
	assert.equal(refusedWith(changed, decision(bob, { seen_hash })), "arguments_changed");
	assert.equal(
		decided(changed, decision(bob, { seen_hash: changed.arguments_hash })).state,
		"approved",
	);
});

test("where more is demanded, whoever agreed to less is asked anew", () => {
	const had = sampleApproval({}, { edit: true, count: 2 });
	const edited = decided(had, decision(eve, { edited: '{"path":"/b"}' }));
	const approved = decided(edited, decision(bob, { seen_hash: edited.arguments_hash }));
	const stricter = { ...had.demand, other_than_caller: true };
	for (const before of [edited, approved]) {
		const after = afterDemand(before, stricter, 5);
		assert.equal(after?.state, "pending");
		assert.deepEqual([after?.votes, after?.decided_at_ms], [[], undefined]);
		assert.deepEqual(after?.demand, stricter);
		assert.equal(after?.arguments, '{"path":"/b"}', "what was edited is looked at anew");
		assert.equal(after?.expires_at_ms, 60_005);
		const unedited = afterDemand(before, { ...stricter, edit: false }, 5);
		assert.equal(unedited?.arguments, had.asked, "what nobody may edit is as it was sent");
		assert.equal(unedited?.edited_by, undefined);
		assert.equal(afterDemand(before, { ...had.demand, count: 1 }, 5), undefined);
	}
	const running = afterClaim(approved, 5) ?? assert.fail("it may run");
	assert.equal(afterDemand(running, stricter, 5), undefined, "what runs is not stopped");
	assert.equal(afterDemand(had, stricter, had.expires_at_ms), undefined);
});

test("whoever decides is among those whom each demand names", () => {
	const pending = sampleApproval({}, { approvers: ["role:lead"], also_among: [["role:security"]] });
	assert.equal(refusedWith(pending, decision(person("lee", ["lead"]))), "not_allowed");
	assert.equal(refusedWith(pending, decision(person("sue", ["security"]))), "not_allowed");
	assert.equal(decided(pending, decision(person("pat", ["lead", "security"]))).state, "approved");
});

test("only those may decide who are named, and the caller only where that is allowed", () => {
	const outsider = { id: "other/bob", tenant: "other", roles: ["approver"] };
	const admin = { id: "admin", tenant: "", roles: ["admin"] };
	const member = person("max", ["member"]);
	assert.equal(refusedWith(sampleApproval(), decision(member)), "not_allowed");
	assert.equal(refusedWith(sampleApproval(), decision(outsider)), "not_allowed");
	assert.equal(decided(sampleApproval(), decision(admin)).state, "approved");
	assert.equal(decided(sampleApproval(), decision(ana)).state, "approved");
	const two = sampleApproval({}, { other_than_caller: true });
	assert.equal(refusedWith(two, decision(ana)), "not_allowed");
	const made = sampleApproval({ made_by: "acme/bob" }, { other_than_caller: true });
	const hook = (name: string) =>
		decision({ id: "webhook:chat", tenant: "acme", roles: ["approver"], person: name });
	for (const caller of [decision(ana), decision(bob), hook("acme/ana"), hook("acme/BOB")]) {
		assert.equal(refusedWith(made, caller), "not_allowed", caller.by.person ?? caller.by.id);
	}
	assert.equal(decided(made, decision(eve)).state, "approved");
	assert.equal(decided(made, hook("acme/eve")).state, "approved");
	const named = sampleApproval({}, { approvers: ["acme/max", "role:security"] });
	assert.equal(decided(named, decision(member)).state, "approved");
	assert.equal(decided(named, decision(person("sue", ["security"]))).state, "approved");
	assert.equal(refusedWith(named, decision(bob)), "not_allowed");
	assert.equal(refusedWith(named, decision(admin)), "not_allowed");
	assert.equal(refusedWith(named, decision({ ...outsider, id: "other/max" })), "not_allowed");
});

test("what is no decision is refused with what is wrong", () => {
	const edit = sampleApproval({}, { edit: true });
	const long = "a".repeat(reason_chars_max + 1);
	assert.equal(refusedWith(edit, decision(bob, { reason: long })), "invalid");
	assert.equal(refusedWith(sampleApproval(), decision(bob, { edited: "{}" })), "not_allowed");
	for (const edited of ["[]", "1", "{", "null", `{"a":"${"x".repeat(edited_bytes_max)}"}`]) {
		assert.equal(refusedWith(edit, decision(bob, { edited })), "invalid", edited.slice(0, 9));
	}
	// Whoever refuses has nothing to change.
	assert.equal(decided(edit, decision(bob, { verdict: "deny", edited: "{" })).state, "denied");
});

test("nobody decides after its time, to the millisecond", () => {
	const pending = sampleApproval();
	assert.equal(decided(pending, decision(bob), 59_999).state, "approved");
	assert.equal(refusedWith(pending, decision(bob), 60_000), "not_pending");
	assert.equal(afterExpiry(pending, 59_999), undefined);
	assert.equal(afterExpiry(pending, 60_000)?.state, "expired");
	const approved = decided(pending, decision(bob), 0);
	assert.equal(afterClaim(approved, 59_999)?.state, "running");
	assert.equal(afterClaim(approved, 60_000), undefined);
});

test("the order of members does not make other arguments, their values do", () => {
	assert.equal(
		hashArguments('{"a":1,"b":[{"c":2,"d":3}]}'),
		hashArguments('{"b":[{"d":3,"c":2}],"a":1}'),
	);
	const others = ['{"a":1}', '{"a":2}', '{"a":"1"}', '[["a",1]]', '{"a":[1]}', "{}"];
	assert.equal(new Set(others.map(hashArguments)).size, others.length);
});

const people = [person("ana"), person("bob"), person("eve"), person("max", ["member"])];
const step = fc.oneof(
	fc.record({
		do: fc.constant("decide" as const),
		by: fc.constantFrom(...people),
		verdict: fc.constantFrom("approve" as const, "approve" as const, "deny" as const),
		edited: fc.constantFrom(undefined, undefined, '{"path":"/b"}', '{"path":"/c"}', "nonsense"),
	}),
	fc.record({ do: fc.constant("claim" as const) }),
	fc.record({
		do: fc.constant("finish" as const),
		fate: fc.constantFrom<Fate>("done", "unknown", "unsent"),
	}),
	fc.record({ do: fc.constant("wait" as const), for_ms: fc.nat(40_000) }),
	fc.record({ do: fc.constant("sweep" as const) }),
);
const demand = fc.record({
	count: fc.integer({ min: 1, max: 3 }),
	other_than_caller: fc.boolean(),
	edit: fc.boolean(),
});

test("whatever happens in whatever order, nothing runs that enough people did not agree to", () => {
	fc.assert(
		fc.property(demand, fc.array(step, { maxLength: 40 }), (wanted, steps) => {
			let approval = sampleApproval({}, wanted);
			let now_ms = 0;
			let reached = 0;
			for (const one of steps) {
				const before = approval;
				if (one.do === "wait") now_ms += one.for_ms;
				else if (one.do === "sweep") approval = afterExpiry(before, now_ms) ?? before;
				else if (one.do === "claim") approval = afterClaim(before, now_ms) ?? before;
				else if (one.do === "finish") approval = afterRun(before, one.fate, now_ms) ?? before;
				else {
					const { by, verdict, edited } = one;
					const after = afterDecision(before, decision(by, { verdict, edited }), now_ms);
					if (after.ok) approval = after.value;
				}
				if (approval === before) continue;
				assert.equal(approval.revision, before.revision + 1);
				assert.ok(before.ended_at_ms === undefined, "something became of one that had ended");
				if (approval.state === "running" && before.state === "approved") {
					reached += 1;
					const agreed = agreeing(approval);
					assert.ok(new Set(agreed).size >= wanted.count);
					assert.ok(!agreed.includes("acme/max"), "somebody without the role decided");
					if (wanted.other_than_caller) assert.ok(!agreed.includes("acme/ana"));
					if (!wanted.edit) assert.equal(approval.arguments, approval.asked);
					assert.equal(hashArguments(approval.arguments), approval.arguments_hash);
					assert.ok(!approval.votes.some(({ verdict }) => verdict === "deny"));
				}
				// It goes to its server again only where that provably never saw it.
				if (before.state === "running" && approval.state === "approved") reached -= 1;
				assert.ok(reached <= 1);
			}
		}),
		{ numRuns: 2_000 },
	);
});
