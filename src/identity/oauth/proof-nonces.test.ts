import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { systemRandom } from "../../lib/random.ts";
import { ProofNonces } from "./proof-nonces.ts";

test("a nonce is good for two to three minutes, whenever it was given out", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({ min: 0, max: 600_000 }),
			fc.integer({ min: 0, max: 600_000 }),
			async (given_ms, later_ms) => {
				const clock = new FakeClock();
				const nonces = new ProofNonces(clock, systemRandom);
				await clock.advance(given_ms);
				const nonce = nonces.current;
				await clock.advance(later_ms);
				const is_good = nonces.isGood(nonce);
				if (later_ms <= 120_000) assert.ok(is_good, `${later_ms} ms later`);
				if (later_ms >= 180_000) assert.ok(!is_good, `${later_ms} ms later`);
				assert.ok(nonces.isGood(nonces.current));
			},
		),
	);
});

test("a nonce is of one process, new every minute, and may stand in a header", async () => {
	const clock = new FakeClock();
	const [here, there] = [
		new ProofNonces(clock, systemRandom),
		new ProofNonces(clock, systemRandom),
	];
	const first = here.current;
	// RFC 9449 section 8.1: `nonce` is 1*NQCHAR.
	assert.match(first, /^[!#-[\]-~]{43}$/);
	assert.ok(!there.isGood(first));
	assert.equal(here.current, first);
	await clock.advance(60_000);
	assert.notEqual(here.current, first);
});

test("nothing else is a nonce", () => {
	const nonces = new ProofNonces(new FakeClock(), systemRandom);
	for (const nonce of [undefined, null, 7, "", [nonces.current], `${nonces.current}x`]) {
		assert.ok(!nonces.isGood(nonce));
	}
	fc.assert(fc.property(fc.string(), (text) => !nonces.isGood(text)));
});
