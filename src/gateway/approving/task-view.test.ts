import assert from "node:assert/strict";
import { test } from "node:test";
import { decision, person, sampleApproval } from "../../../test/support/approval-samples.ts";
import type { Approval } from "../../approvals/approval.ts";
import { afterDecision, afterExpiry, afterWithdrawal } from "../../approvals/machine.ts";
import { keptUntil, type TaskFacts, taskDetails, taskSummary, taskTtl } from "./task-view.ts";

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;

function told(approval: Approval, more: Partial<TaskFacts> = {}) {
	const none = { outcome: undefined, questions: undefined, obstacle: undefined };
	const facts = { approval, url: "https://m/approvals/appr_1", ...none, ...more };
	const details = JSON.parse(`{${taskDetails("t", facts)}}`);
	const summary = JSON.parse(`{${taskSummary("t", facts)}}`);
	const { result: _, error: __, inputRequests: ___, ...rest } = details;
	assert.deepEqual(summary, rest, "a summary is all but what the call came to");
	return details;
}

function decided(approval: Approval, change: Parameters<typeof decision>[1] = {}): Approval {
	const after = afterDecision(approval, decision(person("bob"), change), 1_000);
	assert.ok(after.ok);
	return after.value;
}

const pending = sampleApproval();
const approved = decided(pending);
const running: Approval = { ...approved, state: "running" };
const done: Approval = { ...approved, state: "done", ended_at_ms: 2_000 };

test("a task says which approval it waits for, where people decide, and until when", () => {
	const task = told(pending);
	assert.deepEqual(
		[task.taskId, task.status, task.createdAt, task.lastUpdatedAt],
		["t", "working", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
	);
	assert.match(task.statusMessage, /appr_1.*has not run.*https:\/\/m\/approvals\/appr_1/);
	assert.match(task.statusMessage, /until 1970-01-01T00:01:00\.000Z/);
	const again = told({ ...pending, after: "appr_0" });
	assert.match(again.statusMessage, /may have run before, under appr_0/);
});

test("an approved call that could not run says why, and a running one that it runs", () => {
	assert.match(told(approved).statusMessage, /approved.*runs as soon as/);
	assert.equal(told(approved).lastUpdatedAt, "1970-01-01T00:00:01.000Z");
	const stuck = told(approved, { obstacle: "The server does not start." });
	assert.match(stuck.statusMessage, /could not run yet: The server does not start\./);
	assert.equal(stuck.status, "working");
	assert.match(told(running).statusMessage, /approved \(appr_1\) and runs\./);
	assert.ok(told(running).pollIntervalMs < told(pending).pollIntervalMs);
});

test("what a server asks is the task's own question", () => {
	const task = told(running, { questions: '{"q1":{"method":"roots/list"}}' });
	assert.equal(task.status, "input_required");
	assert.deepEqual(task.inputRequests, { q1: { method: "roots/list" } });
});

test("what the call came to is told to the last digit", () => {
	const json = '{"content":[],"structuredContent":{"n":1.0e400}}';
	const none = { questions: undefined, obstacle: undefined, url: "" };
	const outcome = { kind: "result", json } as const;
	assert.ok(taskDetails("t", { approval: done, outcome, ...none }).endsWith(`,"result":${json}`));
	assert.equal(told(done, { outcome }).status, "completed");
	const error = { kind: "error", json: '{"code":-32602,"message":"No."}' } as const;
	assert.deepEqual(told(done, { outcome: error }).error, { code: -32602, message: "No." });
	assert.equal(told(done, { outcome: error }).status, "failed");
	assert.equal(told(done, { outcome: { kind: "cancelled" } }).status, "cancelled");
	// It was kept, and then the gateway was killed before it was known to be over.
	const lost: Approval = { ...done, state: "unknown" };
	assert.equal(told(lost, { outcome }).status, "completed");
});

test("a call without a result says honestly what is known of it", () => {
	const denied = decided(pending, { verdict: "deny", reason: "Not today." });
	const too_late = afterExpiry(pending, day_ms) ?? assert.fail("it expires");
	const unasked = afterExpiry(approved, day_ms) ?? assert.fail("it expires");
	const reasons: [Approval, RegExp, number][] = [
		[denied, /not approved \(appr_1\): Not today\./, 1112],
		[too_late, /Nobody decided .* It has not run\./, 1112],
		[unasked, /was approved .* but nobody asked .* It has not run\./, 1112],
		[{ ...done, state: "unknown" }, /may have run .* Look first/, -32603],
		[done, /has run .* result is not kept/, -32603],
	];
	for (const [approval, text, code] of reasons) {
		const task = told(approval);
		assert.equal(task.status, "failed");
		assert.match(task.error.message, text);
		assert.equal(task.statusMessage, task.error.message);
		assert.equal(task.error.code, code, task.error.message);
	}
	const back =
		afterWithdrawal(pending, "acme/ana", undefined, 5) ?? assert.fail("it is taken back");
	assert.equal(told(back).status, "cancelled");
	assert.equal(told(back).error, undefined);
});

test("a task is kept for the time to decide, to call and to fetch, but no longer than approvals", () => {
	assert.equal(taskTtl(pending), 2 * 60_000 + hour_ms);
	const long = sampleApproval({}, { expires_ms: 29 * day_ms });
	assert.equal(taskTtl(long), 30 * day_ms);
	assert.equal(keptUntil(pending, 0), 2 * 60_000 + hour_ms);
	assert.equal(keptUntil(pending, day_ms), day_ms + hour_ms, "what came late is kept all the same");
});
