import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Revocations } from "./revocations.ts";

const second_ms = 1_000;

function tokenOf(clock: FakeClock, change: object = {}) {
	const iat = Math.floor(clock.now() / 1000);
	return { grant: "g", sub: "acme/ana", client_id: "app", iat, ...change };
}

test("a token is covered by what was taken back after it was made, whatever that was", async () => {
	for (const take of ["onGrant", "onAccount", "onClient"] as const) {
		const clock = new FakeClock();
		const revocations = new Revocations(clock);
		const token = tokenOf(clock);
		assert.equal(revocations.covers(token), false);
		await clock.advance(second_ms);
		const what = { onGrant: "g", onAccount: "acme/ana", onClient: "app" }[take];
		revocations[take](what);
		assert.equal(revocations.covers(token), true, take);
		const other = tokenOf(clock, { grant: "h", sub: "acme/bob", client_id: "other" });
		assert.equal(revocations.covers(other), false, take);
	}
});

test("a token that is made afterwards, for the same person and client, is good", async () => {
	const clock = new FakeClock();
	const revocations = new Revocations(clock);
	revocations.onAccount("acme/ana");
	revocations.onClient("app");
	await clock.advance(second_ms);
	assert.equal(revocations.covers(tokenOf(clock)), false);
});

test("what no token can be of any more is forgotten", async () => {
	const clock = new FakeClock();
	const revocations = new Revocations(clock);
	const token = tokenOf(clock);
	revocations.onAccount("acme/ana");
	await clock.advance(11 * 60 * second_ms);
	assert.equal(revocations.covers(token), true);
	revocations.onGrant("x");
	assert.equal(revocations.covers(token), false);
});
