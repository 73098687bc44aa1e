import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { startGateway } from "../../test/support/gateway.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { systemClock } from "../lib/clock.ts";
import { OAuthProblem } from "../upstreams/http/oauth/oauth-problem.ts";
import { Consents, consent_path } from "./consents.ts";

test("an answer that nobody waits for is refused", async (t) => {
	const gateway = await startGateway({});
	t.after(() => gateway.stop());
	for (const query of ["", "?state=", "?state=forged&code=1"]) {
		const answer = await fetch(`${gateway.url}/oauth/callback${query}`);
		assert.equal(answer.status, 404, query);
	}
});

const page = new URL("https://login.example/?scope=read");
const who = { tenant: "acme", user: "ana" };
const given = Promise.resolve({ ok: true, value: "retry" } as const);

test("the answer of an authorization page is taken once, by the one who waits for it", async () => {
	const consents = new Consents(systemClock, new QuietLog());
	const { signal } = new AbortController();
	const waiting = consents.authorize("peer", page, "known", who, signal, given);
	const callback = new URL(`http://localhost${consent_path}?state=known&code=1`);
	assert.equal(consents.withState("other"), undefined);
	consents.withState("known")?.resolve(callback);
	assert.equal(await waiting, callback);
	assert.equal(consents.withState("known"), undefined);
});

test("an answer to what was withdrawn meanwhile is refused", async () => {
	const consents = new Consents(systemClock, new QuietLog());
	const withdrawal = new AbortController();
	const waiting = consents.authorize("peer", page, "known", who, withdrawal.signal, given);
	withdrawal.abort();
	await assert.rejects(waiting, /withdrawn/);
	await assert.rejects(consents.authorize("peer", page, "late", who, withdrawal.signal, given));
	for (const state of ["known", "late"]) assert.equal(consents.withState(state), undefined);
});

test("nobody finds what somebody else is asked for, and it ends after ten minutes", async () => {
	const clock = new FakeClock();
	const consents = new Consents(clock, new QuietLog());
	const { signal } = new AbortController();
	const next = consents.next({ ...who, server: "peer" }, signal);
	const waiting = consents.authorize("peer", page, "known", who, signal, given);
	assert.equal((await next).page, page);
	const others = [
		{ ...who, server: "other" },
		{ ...who, user: "bob", server: "peer" },
		{ ...who, tenant: "globex", server: "peer" },
	];
	for (const other of others) assert.equal(consents.of(other), undefined);
	const over = assert.rejects(waiting, /nobody answered/);
	await clock.advance(600_000);
	await over;
	assert.equal(consents.of({ ...who, server: "peer" }), undefined);
});

test("no more than so many wait for one person, which keeps nobody else from being asked", async () => {
	const consents = new Consents(systemClock, new QuietLog());
	const withdrawal = new AbortController();
	const ask = (user: string, state: string) =>
		consents.authorize("peer", page, state, { ...who, user }, withdrawal.signal, given);
	const all = Array.from({ length: 256 }, (_, at) => ask("ana", `state-${at}`));
	await assert.rejects(ask("ana", "late"), (error) => {
		assert.ok(error instanceof OAuthProblem);
		assert.match(error.message, /256 authorizations of yours wait .* \/oauth\/connect/);
		return true;
	});
	all.push(ask("bob", "of bob"));
	assert.notEqual(consents.withState("of bob"), undefined);
	// One that is answered makes room.
	consents.withState("state-0")?.resolve(page);
	all.push(ask("ana", "later"));
	assert.notEqual(consents.withState("later"), undefined);
	withdrawal.abort();
	const ends = (await Promise.allSettled(all)).map(({ status }) => status);
	assert.equal(ends.filter((status) => status === "fulfilled").length, 1);
});

test("no more than so many wait for all together, and who comes then is told so", async () => {
	const consents = new Consents(systemClock, new QuietLog());
	const withdrawal = new AbortController();
	// Each of them adds a listener to this signal, as many requests do to theirs.
	setMaxListeners(0, withdrawal.signal);
	const all = Array.from({ length: 16_384 }, (_, at) => {
		const owner = { ...who, user: `user-${at}` };
		return consents.authorize("peer", page, `state-${at}`, owner, withdrawal.signal, given);
	});
	const late = consents.authorize("peer", page, "late", who, withdrawal.signal, given);
	await assert.rejects(late, /16384 authorizations wait .* Try again in ten minutes/);
	withdrawal.abort();
	for (const outcome of await Promise.allSettled(all)) assert.equal(outcome.status, "rejected");
});

test("the log names the page of ours where there is one, never the issuer's", () => {
	const log = new QuietLog();
	const consents = new Consents(systemClock, log, () => "https://gateway.example/page");
	const withdrawal = new AbortController();
	consents
		.authorize("peer", page, "known", who, withdrawal.signal, given)
		.catch((error: unknown) => assert.match(String(error), /withdrawn/));
	withdrawal.abort();
	const text = JSON.stringify(log.lines);
	assert.ok(text.includes("https://gateway.example/page"));
	assert.ok(!text.includes("login.example"));
});
