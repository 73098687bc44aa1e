import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	afterFailure,
	backoff_base_ms,
	backoff_cap_ms,
	backoffDelay,
	clean_recovery,
	failed_retry_ms,
	failures_max,
	type Recovery,
} from "./backoff.ts";
import type { Failure } from "./failure.ts";

const crash: Failure = {
	code: "server_failed",
	reason: 'The server "s" exited with code 1.',
	detail: undefined,
	final: false,
};
const missing: Failure = { ...crash, code: "command_missing", final: true };
const no_jitter = { fraction: () => 0 };

function fail(before: Recovery, now_ms: number, stable = false): Recovery {
	return afterFailure(before, { failure: crash, stable, now_ms }, no_jitter);
}

test("pauses double from half a second and stop growing at a minute", () => {
	const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((failures) => backoffDelay(failures, 0));
	assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("jitter only lengthens a pause, by less than a quarter", () => {
	const fraction = fc.double({ min: 0, max: 0.999999, noNaN: true });
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 60 }), fraction, (failures, share) => {
			const plain = backoffDelay(failures, 0);
			const pause = backoffDelay(failures, share);
			assert.ok(pause >= plain && pause <= plain * 1.25);
			assert.ok(plain >= backoff_base_ms && plain <= backoff_cap_ms);
		}),
	);
});

test("the fifth failure in a row is a crash loop, retried after a minute", () => {
	let recovery = clean_recovery;
	for (let failure = 1; failure < failures_max; failure++) recovery = fail(recovery, 1000);
	assert.equal(recovery.failed, false);
	assert.equal(recovery.retry_at_ms, 1000 + 4000);
	recovery = fail(recovery, 10_000);
	assert.equal(recovery.failed, true);
	assert.equal(recovery.retry_at_ms, 10_000 + failed_retry_ms);
	assert.equal(recovery.failure, crash);
});

test("one more failure of a failed server is retried after a minute again", () => {
	let recovery = clean_recovery;
	for (let failure = 0; failure < 20; failure++) recovery = fail(recovery, failure * 1000);
	assert.equal(recovery.failed, true);
	assert.equal(recovery.retry_at_ms, 19_000 + failed_retry_ms);
});

test("a stable minute forgets what was before", () => {
	let recovery = clean_recovery;
	for (let failure = 0; failure < 20; failure++) recovery = fail(recovery, 0);
	recovery = fail(recovery, 5000, true);
	assert.deepEqual(recovery, {
		failures: 1,
		failed: false,
		retry_at_ms: 5500,
		failure: crash,
	});
});

test("what a second try cannot mend fails at once", () => {
	const event = { failure: missing, stable: false, now_ms: 0 };
	const recovery = afterFailure(clean_recovery, event, no_jitter);
	assert.equal(recovery.failed, true);
	assert.equal(recovery.retry_at_ms, failed_retry_ms);
});

test("what waits for a person is no crash loop, however often it is asked for", () => {
	const failure: Failure = { ...crash, code: "authorization_required" };
	let recovery = clean_recovery;
	for (let time = 0; time < 20; time += 1) {
		recovery = afterFailure(recovery, { failure, stable: false, now_ms: 1_000 }, no_jitter);
	}
	assert.deepEqual(recovery, {
		failures: 1,
		failed: false,
		retry_at_ms: 1_000 + failed_retry_ms,
		failure,
	});
});
