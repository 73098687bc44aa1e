import assert from "node:assert/strict";
import { test } from "node:test";
import {
	decision,
	person,
	plain_demand,
	sampleRequest,
} from "../../test/support/approval-samples.ts";
import { approvalStore } from "../../test/support/approval-store.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { Approvals, kept_ms, live_max, live_per_principal_max } from "./approvals.ts";
import { hashArguments } from "./arguments-hash.ts";

const bob = person("bob");

const never = new AbortController().signal;

test("the same call waits once, and another one for itself", async (t) => {
	const { open } = await approvalStore(t);
	const [first, same] = await Promise.all([open(), open()]);
	assert.equal(same.approval.id, first.approval.id);
	assert.deepEqual([first.is_new, same.is_new].toSorted(), [false, true]);
	const other = '{"path":"/b"}';
	const ids = [
		(await open(sampleRequest({ asked: other, asked_hash: hashArguments(other) }))).approval.id,
		(await open(sampleRequest({ principal: "acme/max" }))).approval.id,
		(await open(sampleRequest({ tool: "move" }))).approval.id,
		(await open(sampleRequest({ server: "other" }))).approval.id,
		(await open(sampleRequest({ made_by: "acme/root" }))).approval.id,
	];
	assert.equal(new Set([first.approval.id, ...ids]).size, 6);
	const again = await open(sampleRequest({ made_by: "acme/root" }));
	assert.deepEqual([again.is_new, again.approval.id], [false, ids.at(-1)]);
});

test("an approved call goes to its server once, and the next one asks anew", async (t) => {
	const { approvals, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	assert.equal(await approvals.claim(id), undefined);
	await approvals.decide(id, decision(bob));
	const claims = await Promise.all([approvals.claim(id), approvals.claim(id)]);
	assert.equal(claims.filter((claim) => claim !== undefined).length, 1);
	assert.equal((await open()).approval.id, id, "a call that runs is not asked about again");
	await approvals.finish(id, "done");
	assert.equal((await approvals.find(id))?.state, "done");
	const next = await open();
	assert.notEqual(next.approval.id, id);
	assert.equal(next.approval.after, undefined);
});

test("whoever listens hears what an approval was before, and each decision is one change", async (t) => {
	const { approvals, clock, open } = await approvalStore(t);
	const heard: string[] = [];
	approvals.onChange(({ state }, before) => void heard.push(`${before?.state ?? ""}>${state}`));
	const { id } = (await open()).approval;
	assert.equal(approvals.count("pending"), 1);
	await approvals.decide(id, decision(bob));
	assert.deepEqual([approvals.count("pending"), approvals.count("approved")], [0, 1]);
	await approvals.claim(id);
	assert.equal(approvals.count("running"), 1);
	await approvals.finish(id, "unsent");
	await approvals.claim(id);
	await approvals.finish(id, "done");
	await open();
	await clock.advance(plain_demand.expires_ms);
	await settle();
	const run = ["approved>running", "running>approved", "approved>running", "running>done"];
	assert.deepEqual(heard, [">pending", "pending>approved", ...run, ">pending", "pending>expired"]);
	assert.equal(approvals.count("pending"), 0);
});

test("a call that its server never saw may be made again with the same approval", async (t) => {
	const { approvals, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	await approvals.decide(id, decision(bob));
	await approvals.claim(id);
	await approvals.finish(id, "unsent");
	assert.equal((await approvals.claim(id))?.state, "running");
});

test("nothing of it is stored in the clear, and all of it is there after a restart", async (t) => {
	const { approvals, make, open, repository } = await approvalStore(t);
	const secret = '{"path":"/hidden-place"}';
	const request = sampleRequest({ asked: secret, asked_hash: hashArguments(secret) });
	const { id } = (await open(request)).approval;
	await approvals.decide(id, decision(bob, { reason: "hidden-reason" }));
	assert.doesNotMatch(JSON.stringify(await repository.get(id)), /hidden/);
	const before = await approvals.find(id);
	const second = make();
	t.after(() => second.close());
	await second.restore();
	assert.deepEqual(await second.find(id), before);
	assert.equal((await second.claim(id))?.arguments, secret);
});

test("a call that ran when the gateway was killed is of unknown fate, and says so", async (t) => {
	const { approvals, make, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	await approvals.decide(id, decision(bob));
	await approvals.claim(id);
	const second = make();
	t.after(() => second.close());
	await second.restore();
	assert.equal((await second.find(id))?.state, "unknown");
	assert.equal(await second.claim(id), undefined);
	const again = await second.open(sampleRequest());
	assert.ok(again.ok && again.value.is_new);
	assert.equal(again.value.approval.state, "pending");
	assert.equal(again.value.approval.after, id);
});

test("what nobody decides expires at its time, and whoever waits hears of it", async (t) => {
	const { approvals, clock, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	const waiting = approvals.decided(id, 10 * plain_demand.expires_ms, never);
	await clock.advance(plain_demand.expires_ms - 1);
	assert.equal((await approvals.find(id))?.state, "pending");
	await clock.advance(1);
	await settle();
	assert.equal((await waiting)?.state, "expired");
	const late = await approvals.decide(id, decision(bob));
	assert.equal(late.ok ? "" : late.problem.code, "not_pending");
});

test("whoever waits hears at once of a decision, and of nothing once the wait is over", async (t) => {
	const { approvals, clock, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	const short = approvals.decided(id, 1_000, never);
	await clock.advance(1_000);
	assert.equal((await short)?.state, "pending");
	const gone = new AbortController();
	const given_up = approvals.decided(id, 1_000, gone.signal);
	gone.abort();
	assert.equal((await given_up)?.state, "pending");
	const waiting = approvals.decided(id, 1_000, never);
	await approvals.decide(id, decision(bob, { verdict: "deny", reason: "Not today." }));
	assert.equal((await waiting)?.votes[0]?.reason, "Not today.");
});

test("approvals of other tenants are not there", async (t) => {
	const { approvals, open } = await approvalStore(t);
	const { id } = (await open()).approval;
	const stranger = { id: "other/bob", tenant: "other", roles: ["approver", "auditor"] };
	assert.equal(await approvals.get(id, stranger), undefined);
	assert.deepEqual(await approvals.list(stranger), []);
	const tried = await approvals.decide(id, decision(stranger));
	assert.equal(tried.ok ? "" : tried.problem.code, "unknown");
	assert.equal((await approvals.list(bob)).length, 1);
	assert.equal((await approvals.list(person("ana", []))).length, 1, "the caller sees their own");
	assert.equal((await approvals.list(person("max", ["member"]))).length, 0);
	assert.equal((await approvals.list({ id: "admin", tenant: "", roles: ["admin"] })).length, 1);
});

test("one person has only so many calls waiting", async (t) => {
	const { approvals, open } = await approvalStore(t);
	const request = (at: number) => {
		const asked = `{"path":"/${at}"}`;
		return sampleRequest({ asked, asked_hash: hashArguments(asked) });
	};
	for (let at = 0; at < live_per_principal_max; at += 1) await open(request(at));
	const more = await approvals.open(request(-1));
	assert.match(more.ok ? "" : more.problem, /wait for approval already/);
	await open(request(0));
	await open(sampleRequest({ principal: "acme/max" }));
	assert.equal(approvals.count("pending"), live_per_principal_max + 1);
});

test("the calls of one tenant leave those of others room to wait", async (t) => {
	const { approvals, open } = await approvalStore(t);
	const request = (principal: string, at: number) => {
		const asked = `{"path":"/${at}"}`;
		return sampleRequest({ principal, asked, asked_hash: hashArguments(asked) });
	};
	for (let person = 0; person < 5; person += 1) {
		for (let at = 0; at < live_per_principal_max; at += 1)
			await open(request(`acme/${person}`, at));
	}
	assert.equal(approvals.count("pending"), live_max / 2);
	const more = await approvals.open(request("acme/late", 0));
	assert.match(more.ok ? "" : more.problem, /of your tenant wait for approval/);
	await open(request("acme/0", 0));
	for (let at = 0; at < live_per_principal_max; at += 1) await open(request("other/eve", at));
	assert.equal(approvals.count("pending"), live_max / 2 + live_per_principal_max);
});

test("what ended long ago is forgotten with the next start", async (t) => {
	const { approvals, clock, make, open, repository } = await approvalStore(t);
	const { id } = (await open()).approval;
	await approvals.decide(id, decision(bob, { verdict: "deny" }));
	await clock.advance(kept_ms);
	const second = make();
	t.after(() => second.close());
	await second.restore();
	assert.equal((await second.find(id))?.state, "denied");
	await clock.advance(1);
	await second.restore();
	assert.equal(await repository.get(id), undefined);
});

test("one that was sealed with another key takes no part in anything", async (t) => {
	const { open, clock, repository } = await approvalStore(t);
	const { id } = (await open()).approval;
	const random = new SeededRandom(8);
	const box = new SecretBox(random.bytes(box_key_bytes), random);
	const other = new Approvals({ clock, random, repository, box, onTrouble: () => {} });
	t.after(() => other.close());
	await other.restore();
	assert.equal(await other.find(id), undefined);
	const again = await other.open(sampleRequest());
	assert.match(again.ok ? "" : again.problem, /could not be asked for/);
});
