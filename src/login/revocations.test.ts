import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Revocations, type TakenBack } from "./revocations.ts";

const second_ms = 1_000;

function tokenOf(clock: FakeClock, change: object = {}) {
	const iat = Math.floor(clock.now() / 1000);
	return { grant: "g", sub: "acme/ana", client_id: "app", iat, ...change };
}

/** Keeps marks in memory: that they are kept for long enough is the store's own business. */
function memoryRecords(): ConstructorParameters<typeof Revocations>[1] {
	const kept = new Map<string, TakenBack>();
	return {
		save(id, body) {
			kept.set(id, body);
			return Promise.resolve();
		},
		list: () => Promise.reject(new Error("nothing is read anew here")),
	};
}

test("a token is covered by what was taken back after it was made, whatever that was", async () => {
	for (const take of ["onGrant", "onAccount", "onClient"] as const) {
		const clock = new FakeClock();
		const revocations = new Revocations(clock, memoryRecords());
		const token = tokenOf(clock);
		assert.equal(revocations.covers(token), false);
		await clock.advance(second_ms);
		const what = { onGrant: "g", onAccount: "acme/ana", onClient: "app" }[take];
		await revocations[take](what);
		assert.equal(revocations.covers(token), true, take);
		const other = tokenOf(clock, { grant: "h", sub: "acme/bob", client_id: "other" });
		assert.equal(revocations.covers(other), false, take);
	}
});

test("a token that is made afterwards, for the same person and client, is good", async () => {
	const clock = new FakeClock();
	const revocations = new Revocations(clock, memoryRecords());
	await revocations.onAccount("acme/ana");
	await revocations.onClient("app");
	await clock.advance(second_ms);
	assert.equal(revocations.covers(tokenOf(clock)), false);
});

test("what no token can be of any more is forgotten", async () => {
	const clock = new FakeClock();
	const revocations = new Revocations(clock, memoryRecords());
	const token = tokenOf(clock);
	await revocations.onAccount("acme/ana");
	await clock.advance(11 * 60 * second_ms);
	assert.equal(revocations.covers(token), true);
	await revocations.onGrant("x");
	assert.equal(revocations.covers(token), false);
});
