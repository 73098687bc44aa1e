import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../../test/support/calls.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { local_principal, principalOf } from "../../identity/principal.ts";
import type { Check, Verdict } from "../../policy/check.ts";
import type { FaultParts } from "../../protocol/fault.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { Call, Reply } from "../call.ts";
import type { CallApprovals, GatewayContext } from "../context.ts";
import { RunningCalls } from "../switches.ts";
import { decide } from "./decide.ts";

const random = new SeededRandom(1);

function callOf(via: "local" | "token" = "local"): Call {
	const principal = via === "local" ? local_principal : principalOf("acme", "ana", { via });
	const call = callFor(
		{ method: "tools/call", params: { name: "t", arguments: { a: 1 } } },
		principal,
	);
	call.target = { server: { name: "s" } as never, name: "t" };
	return call;
}

function contextOf(checks: readonly Check[], approvals?: CallApprovals): GatewayContext {
	return {
		checks,
		running: new RunningCalls(),
		approvals,
		clock: new FakeClock(),
		catalogs: { get: () => undefined },
		fault: (parts: FaultParts) => makeFault(random, parts),
		defect: () =>
			makeFault(random, { code: "internal", message: "", level: "error", retry_safe: false }),
		fieldsOf: () => ({}),
		stepUp: (_: unknown, scopes: readonly string[]) => `Bearer scope="${scopes.join(" ")}"`,
	} as unknown as GatewayContext;
}

const says = (name: string, verdict: Verdict | Promise<Verdict>): Check => ({
	name,
	check: () => verdict,
});
const allowed: Verdict = { kind: "allow" };
const deny: Verdict = { kind: "deny", code: "policy_denied", message: "No.", rule: "rule 3" };
const ask: Verdict = {
	kind: "ask",
	rule: "asks",
	approval: { approvers: [], count: 1, other_than_caller: false, edit: false, expires_ms: 1000 },
};

function faultOf(reply: Reply | undefined) {
	assert.ok(reply?.kind === "fault");
	return reply;
}

test("a call that every check allows goes on, and that is noted", () => {
	const call = callOf();
	assert.equal(decide(call, contextOf([says("a", allowed), says("b", allowed)])), undefined);
	assert.equal(call.notes.decision, "allow");
});

test("the first check that denies ends the call and is named, and none after it is asked", async () => {
	const call = callOf();
	const never: Check = { name: "never", check: () => assert.fail("was asked") };
	const reply = faultOf(
		await decide(call, contextOf([says("a", allowed), says("b", deny), never])),
	);
	assert.equal(reply.fault.code, "policy_denied");
	assert.equal(call.notes.decision, "deny");
	assert.equal(call.notes.rule, "rule 3");
});

test("a check that throws or rejects denies", async () => {
	const throwing: Check = {
		name: "t",
		check: () => {
			throw new Error("broken");
		},
	};
	const rejecting: Check = { name: "r", check: () => Promise.reject(new Error("broken")) };
	for (const check of [throwing, rejecting]) {
		const call = callOf();
		assert.equal(faultOf(await decide(call, contextOf([check]))).fault.code, "policy_denied");
		assert.equal(call.notes.decision, "deny");
	}
});

test("who is limited hears when to come back", async () => {
	const limit: Verdict = {
		kind: "limit",
		code: "rate_limited",
		message: "Slow.",
		retry_after_ms: 1500,
	};
	const reply = faultOf(await decide(callOf(), contextOf([says("rate", limit)])));
	assert.equal(reply.fault.retry_after_ms, 1500);
	assert.deepEqual(reply.http, { headers: { "retry-after": "2" } });
});

test("a token that lacks scopes gets a step-up challenge, a person of this machine does not", async () => {
	const lacking: Verdict = {
		...deny,
		code: "scope_missing",
		scopes: ["a:read", "b:write"],
	};
	const checks = [says("scopes", lacking)];
	const with_token = faultOf(await decide(callOf("token"), contextOf(checks)));
	assert.deepEqual(with_token.http, {
		status: 403,
		headers: { "www-authenticate": 'Bearer scope="a:read b:write"' },
	});
	assert.equal(faultOf(await decide(callOf(), contextOf(checks))).http, undefined);
});

test("a person is asked only once every check has had its say", async () => {
	const settled: string[] = [];
	const approvals: CallApprovals = {
		settle: async (_, { rule }) => {
			settled.push(String(rule));
			return undefined;
		},
		ended: async () => {},
	};
	const denied = await decide(callOf(), contextOf([says("a", ask), says("b", deny)], approvals));
	assert.equal(faultOf(denied).fault.code, "policy_denied");
	assert.deepEqual(settled, []);
	const later = Promise.resolve(allowed);
	const call = callOf();
	assert.equal(
		await decide(call, contextOf([says("a", ask), says("b", later)], approvals)),
		undefined,
	);
	assert.deepEqual(settled, ["asks"]);
	assert.equal(call.notes.decision, "ask");
});

test("checks that ask are one question, of which everything is as the strictest wants it", async () => {
	const seen: unknown[] = [];
	const approvals: CallApprovals = {
		settle: async (_, { approval, rule }) => {
			seen.push(rule, approval);
			return undefined;
		},
		ended: async () => {},
	};
	const strict = { ...ask.approval, count: 2, other_than_caller: true };
	const later: Verdict = { kind: "ask", rule: "later", approval: strict };
	for (const second of [later, Promise.resolve(later)]) {
		const checks = [says("a", ask), says("b", second), says("c", ask)];
		await decide(callOf(), contextOf(checks, approvals));
	}
	assert.deepEqual(seen, ["asks", strict, "asks", strict]);
});

test("without anybody to ask, a call that needs an approval is denied", async () => {
	const reply = faultOf(await decide(callOf(), contextOf([says("a", ask)])));
	assert.equal(reply.fault.code, "policy_denied");
});

test("only checks that let a call go on hear of its end", async () => {
	const call = callOf();
	const counting: Check = { name: "c", check: () => allowed, done: () => undefined };
	const context = contextOf([counting, says("plain", allowed), { ...says("d", deny), done() {} }]);
	await decide(call, context);
	assert.deepEqual(call.notes.counted_by, [0]);
});
