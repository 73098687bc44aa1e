import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Guesses } from "./guesses.ts";

test("whoever succeeds starts anew", () => {
	const guesses = new Guesses(new FakeClock());
	for (let tries = 0; tries < 4; tries += 1) guesses.onFailed("ana", "a");
	guesses.onSucceeded("ana", "a");
	guesses.onFailed("ana", "a");
	assert.equal(guesses.waitFor("ana", "a"), 0);
});

test("one address that tries many names is stopped for all of them", () => {
	const guesses = new Guesses(new FakeClock());
	for (let tries = 0; tries < 50; tries += 1) guesses.onFailed(`name-${tries}`, "a");
	assert.ok(guesses.waitFor("somebody", "a") > 0);
	assert.equal(guesses.waitFor("somebody", "b"), 0);
});

test("one name that is tried from everywhere is stopped everywhere", () => {
	const guesses = new Guesses(new FakeClock());
	for (let tries = 0; tries < 100; tries += 1) guesses.onFailed("ana", `address-${tries}`);
	assert.ok(guesses.waitFor("ana", "elsewhere") > 0);
	assert.equal(guesses.waitFor("bob", "elsewhere"), 0);
});

test("the wait ends a quarter of an hour after the first of the failures", async () => {
	const clock = new FakeClock();
	const guesses = new Guesses(clock);
	guesses.onFailed("ana", "a");
	await clock.advance(60_000);
	for (let tries = 0; tries < 4; tries += 1) guesses.onFailed("ana", "a");
	assert.equal(guesses.waitFor("ana", "a"), 14 * 60_000);
	await clock.advance(14 * 60_000);
	assert.equal(guesses.waitFor("ana", "a"), 0);
});

test("what is remembered is bounded", () => {
	const guesses = new Guesses(new FakeClock());
	for (let tries = 0; tries < 5; tries += 1) guesses.onFailed("first", "a");
	for (let tries = 0; tries < 20_000; tries += 1) guesses.onFailed(`n${tries}`, `a${tries}`);
	assert.equal(guesses.waitFor("first", "a"), 0);
});
