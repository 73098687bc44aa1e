import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { startGateway } from "../../test/support/gateway.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { systemClock } from "../lib/clock.ts";
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

test("no more than so many wait at one time", async () => {
	const consents = new Consents(systemClock, new QuietLog());
	const withdrawal = new AbortController();
	const all = Array.from({ length: 256 }, (_, at) =>
		consents.authorize("peer", page, `state-${at}`, who, withdrawal.signal, given),
	);
	const late = consents.authorize("peer", page, "late", who, withdrawal.signal, given);
	await assert.rejects(late, /too many/);
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
