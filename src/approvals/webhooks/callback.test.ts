import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { sampleHook, signedHeaders } from "../../../test/support/approval-hook.ts";
import { decision, person, sampleRequest } from "../../../test/support/approval-samples.ts";
import { approvalStore } from "../../../test/support/approval-store.ts";
import type { ApprovalWebhookPlan } from "../../config/approval-webhooks.ts";
import { signWebhook } from "../../lib/webhook-signature.ts";
import type { Demand } from "../../protocol/demand.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import type { Approval } from "../approval.ts";
import { hashArguments } from "../arguments-hash.ts";
import { ApprovalCallback } from "./callback.ts";
import { shown_bytes_max } from "./message.ts";

const minute_ms = 60_000;

async function setUp(t: TestContext, ...hooks: readonly ApprovalWebhookPlan[]) {
	const store = await approvalStore(t);
	const { clock, approvals } = store;
	const redactor = new SecretRedactor();
	const known = hooks.length === 0 ? [sampleHook()] : hooks;
	const make = () => new ApprovalCallback({ clock, approvals, redactor, hooks: () => known });
	const callback = make();
	let messages = 0;
	/** What the receiver of a hook posts about an approval; the problem's code, or the new state. */
	const post = async (
		{ id, arguments_hash }: Approval,
		fields: object = {},
		{ at_ms = clock.now(), hook = known[0] ?? sampleHook(), message = "", to = callback } = {},
	) => {
		messages += 1;
		const body = JSON.stringify({
			type: "approval.decision",
			approval: id,
			verdict: "approve",
			arguments_hash,
			...fields,
		});
		const headers = signedHeaders(hook.secret, message || `m${messages}`, at_ms, body);
		const taken = await to.take(hook.name, headers, body);
		return taken.ok ? taken.value.state : taken.problem.code;
	};
	const pending = async (demand: Partial<Demand> = {}, asked = '{"path":"/a"}') => {
		const request = sampleRequest({ asked, asked_hash: hashArguments(asked) }, demand);
		return (await store.open(request)).approval;
	};
	return { ...store, redactor, callback, make, post, pending };
}

test("a signed decision counts, under the webhook's name", async (t) => {
	const { approvals, post, pending } = await setUp(t);
	const approval = await pending();
	const fields = { reason: "Looks fine.", person: "acme/bob" };
	assert.equal(await post(approval, fields), "approved");
	const { votes } = (await approvals.find(approval.id)) as Approval;
	const { approver, person: who, via, reason } = votes[0] as (typeof votes)[number];
	assert.deepEqual([approver, who, via], ["webhook:chat", "acme/bob", "webhook"]);
	assert.equal(reason, "Looks fine.");
	assert.equal(await post(approval), "not_pending");
});

test("a signed refusal ends it", async (t) => {
	const { post, pending } = await setUp(t);
	assert.equal(await post(await pending(), { verdict: "deny", reason: "Not today." }), "denied");
});

test("what is signed with another secret, or for another webhook, is not taken", async (t) => {
	const quiet = sampleHook({ name: "quiet", decides: false });
	const other = sampleHook({ name: "other", secret: "another secret, also long" });
	const { approvals, post, pending, callback, clock } = await setUp(t, sampleHook(), quiet, other);
	const approval = await pending();
	const wrong = [
		sampleHook({ secret: other.secret }),
		sampleHook({ name: "nobody" }),
		sampleHook({ name: "nobody", secret: "" }),
		sampleHook({ name: "other" }),
		quiet,
	];
	for (const hook of wrong) assert.equal(await post(approval, {}, { hook }), "signature_wrong");
	const body = "{}";
	const { signature } = signedHeaders(sampleHook().secret, "m", clock.now(), "{ }");
	const timestamp = String(Math.floor(clock.now() / 1000));
	for (const said of [signature, "", "v1,"]) {
		const taken = await callback.take("chat", { id: "m", timestamp, signature: said }, body);
		assert.equal(taken.ok ? 0 : taken.problem.status, 401);
	}
	assert.equal((await approvals.find(approval.id))?.state, "pending");
	assert.equal(await post(approval, {}, { hook: other }), "approved");
});

test("a message counts for five minutes, before and after", async (t) => {
	const { post, pending, clock } = await setUp(t);
	const approval = await pending({ expires_ms: 60 * minute_ms, count: 2 });
	await clock.advance(30 * minute_ms);
	const at = (offset_ms: number) => {
		const at_ms = clock.now() + offset_ms;
		return post(approval, { person: "acme/bob" }, { at_ms });
	};
	for (const offset_ms of [-5 * minute_ms, 0, 5 * minute_ms]) {
		assert.equal(await at(offset_ms), "pending", String(offset_ms));
	}
	for (const offset_ms of [-5 * minute_ms - 1000, 5 * minute_ms + 1000, -29 * minute_ms]) {
		assert.equal(await at(offset_ms), "timestamp_wrong", String(offset_ms));
	}
});

test("a time that is none is not near", async (t) => {
	const { callback } = await setUp(t);
	const { secret } = sampleHook();
	for (const timestamp of ["", "now", "-1", "1e9", "1767225600.5", "9".repeat(13), " 1767225600"]) {
		const signature = signWebhook(secret, "m", timestamp, "{}");
		const taken = await callback.take("chat", { id: "m", timestamp, signature }, "{}");
		assert.equal(taken.ok ? "" : taken.problem.code, "timestamp_wrong", timestamp);
	}
});

test("a message counts once, as long as its time is near", async (t) => {
	const { post, pending, clock } = await setUp(t);
	const approval = await pending({ expires_ms: 60 * minute_ms, count: 2 });
	const at_ms = clock.now() + 5 * minute_ms;
	const fields = { person: "acme/bob" };
	const again = () => post(approval, fields, { message: "m", at_ms });
	assert.equal(await again(), "pending");
	for (let minute = 0; minute < 10; minute += 1) {
		assert.equal(await again(), "used_already");
		await clock.advance(minute_ms);
	}
	assert.equal(await again(), "used_already", "the last second in which its time is near");
	await clock.advance(minute_ms);
	assert.equal(await again(), "timestamp_wrong");
	const fresh = { message: "m", at_ms: clock.now() };
	assert.equal(await post(approval, fields, fresh), "pending", "its id is forgotten");
});

test("a message from before the start is not taken, whose id nobody remembers", async (t) => {
	const { post, pending, clock, make } = await setUp(t);
	const approval = await pending({ count: 2, expires_ms: 60 * minute_ms });
	const at_ms = clock.now();
	await clock.advance(minute_ms);
	const to = make();
	assert.equal(await post(approval, { person: "acme/bob" }, { at_ms, to }), "timestamp_wrong");
	assert.equal(await post(approval, { person: "acme/bob" }, { to }), "pending");
});

test("a message that could not be stored may come again as it is", async (t) => {
	const { approvals, post, pending } = await setUp(t);
	const approval = await pending();
	t.mock.method(approvals, "decide", () => Promise.reject(new Error("disk full")), { times: 1 });
	await assert.rejects(post(approval, {}, { message: "m" }), /disk full/);
	assert.equal(await post(approval, {}, { message: "m" }), "approved");
});

test("a full table of ids refuses more, and has room again when their time is over", async (t) => {
	const { post, pending, clock } = await setUp(t);
	const approval = await pending({ count: 2, expires_ms: 60 * minute_ms });
	const fields = { person: "acme/bob" };
	for (let at = 0; at < 10_000; at += 1) await post({ ...approval, id: "appr_none" }, fields);
	assert.equal(await post(approval, fields), "too_many");
	await clock.advance(11 * minute_ms);
	assert.equal(await post(approval, fields), "pending");
});

test("a webhook of one tenant knows nothing of another's calls", async (t) => {
	const { post, pending } = await setUp(
		t,
		sampleHook({ tenant: "other" }),
		sampleHook({ name: "ours", tenant: "acme" }),
	);
	const approval = await pending();
	assert.equal(await post(approval), "unknown");
	assert.equal(await post({ ...approval, id: "appr_none" }), "unknown");
	const hook = sampleHook({ name: "ours", tenant: "acme" });
	assert.equal(await post(approval, {}, { hook }), "approved");
});

test("a decision about arguments that have changed does not count", async (t) => {
	const { approvals, post, pending } = await setUp(t);
	const approval = await pending({ count: 2, edit: true });
	const edited = '{"path":"/b"}';
	await approvals.decide(approval.id, decision(person("eve"), { edited }));
	const fields = { person: "acme/bob" };
	assert.equal(await post(approval, fields), "arguments_changed");
	const after = (await approvals.find(approval.id)) as Approval;
	assert.equal(await post(after, fields), "approved");
});

test("nobody agrees to arguments that the receiver was not shown, but may refuse them", async (t) => {
	const { post, pending, redactor } = await setUp(t);
	redactor.add("correct-horse-battery");
	const hidden = [
		`{"text":"${"x".repeat(shown_bytes_max)}"}`,
		'{"text":"correct-horse-battery"}',
		'{"password":"easy"}',
	];
	for (const asked of hidden) {
		const approval = await pending({}, asked);
		assert.equal(await post(approval), "not_allowed", asked.slice(0, 40));
		assert.equal(await post(approval, { verdict: "deny" }), "denied", asked.slice(0, 40));
	}
});

test("a webhook decides with its own roles and name, whoever it names", async (t) => {
	const member = sampleHook({ roles: ["member"] });
	const { post, pending } = await setUp(t, member, sampleHook({ name: "two" }));
	const approval = await pending();
	assert.equal(await post(approval, { person: "acme/bob" }), "unknown");
	const hook = sampleHook({ name: "two" });
	const named = await pending({ approvers: ["acme/bob"] }, '{"path":"/b"}');
	assert.equal(await post(named, { person: "acme/bob" }, { hook }), "unknown");
	const own = await pending({ approvers: ["webhook:two"] }, '{"path":"/c"}');
	assert.equal(await post(own, {}, { hook }), "approved");
});

test("where people have to differ, the webhook says who decided, and that is not the caller", async (t) => {
	const { post, pending } = await setUp(t);
	const approval = await pending({ other_than_caller: true });
	assert.equal(await post(approval), "not_allowed");
	for (const name of [
		"acme/ana",
		"ACME/Ana",
		"acme/ａna",
		"ana",
		"other/ana",
		"acme/",
		"acme/ana ",
	]) {
		assert.equal(await post(approval, { person: name }), "not_allowed", name);
	}
	assert.equal(await post(approval, { person: "acme/bob" }), "approved");
});

test("several have to be different people, and one webhook is one of them", async (t) => {
	const two = sampleHook({ name: "two" });
	const { approvals, post, pending } = await setUp(t, sampleHook(), two);
	const approval = await pending({ count: 2 });
	assert.equal(await post(approval), "not_allowed");
	assert.equal(await post(approval, { person: "acme/bob" }), "pending");
	assert.equal(await post(approval, { person: "acme/eve" }), "pending", "the same webhook");
	assert.equal(await post(approval, { person: "acme/Eve" }, { hook: two }), "pending");
	const own = await approvals.decide(approval.id, decision(person("eve")));
	assert.equal(own.ok && own.value.state, "pending", "Eve herself is no third");
	const bob = await approvals.decide(approval.id, decision(person("bob")));
	assert.equal(bob.ok && bob.value.state, "approved");
});

test("what is no decision is refused, and never throws", async (t) => {
	const { callback, clock, pending } = await setUp(t);
	const { id: approval, arguments_hash } = await pending();
	const good = { type: "approval.decision", approval, verdict: "approve", arguments_hash };
	const { secret } = sampleHook();
	let messages = 0;
	const take = async (body: string) => {
		messages += 1;
		const headers = signedHeaders(secret, `m${messages}`, clock.now(), body);
		const taken = await callback.take("chat", headers, body);
		return taken.ok ? 200 : taken.problem.status;
	};
	const wrong: object[] = [
		{ type: "approval.pending" },
		{ verdict: "maybe" },
		{ arguments_hash: undefined },
		{ approval: 7 },
		{ reason: "x".repeat(1_001) },
		{ person: "x".repeat(301) },
		{ edited: "{}" },
	];
	for (const change of wrong) assert.equal(await take(JSON.stringify({ ...good, ...change })), 400);
	for (const body of ["", "null", "[]", "{", '"x"']) assert.equal(await take(body), 400);
	const empty = signedHeaders(secret, "", clock.now(), "{}");
	const taken = await callback.take("chat", empty, "{}");
	assert.equal(taken.ok ? 0 : taken.problem.status, 400);
	await fc.assert(
		fc.asyncProperty(fc.json(), async (body) => {
			assert.equal(await take(body), 400);
		}),
		{ numRuns: 50 },
	);
	assert.equal(await take(JSON.stringify(good)), 200);
});
