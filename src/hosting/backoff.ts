import type { Random } from "../lib/random.ts";
import type { Failure } from "./failure.ts";

/** First pause after a failure. */
export const backoff_base_ms = 500;
/** Longest pause before jitter. */
export const backoff_cap_ms = 60_000;
/** This many failures without a stable minute between them are a crash loop. */
export const failures_max = 5;
/** An instance that was ready this long starts with a clean sheet. */
export const stable_ms = 60_000;
/** Pause between the tries of a server that has failed. */
export const failed_retry_ms = 60_000;
/** Every pause is lengthened by up to this share, so that tries do not fall together. */
const jitter_share = 0.2;

/** What is remembered of something that did not work. Times are on the monotonic scale. */
export interface Recovery {
	/** Failures in a row without a stable minute between them. */
	readonly failures: number;
	/** True once callers are no longer made to wait. */
	readonly failed: boolean;
	/** Not before this time; undefined when it may be tried at once. */
	readonly retry_at_ms: number | undefined;
	readonly failure: Failure | undefined;
}

/** Nothing has gone wrong. */
export const clean_recovery: Recovery = Object.freeze({
	failures: 0,
	failed: false,
	retry_at_ms: undefined,
	failure: undefined,
});

/**
 * The pause after the n-th failure in a row (n >= 1): exponential from the base to the cap,
 * plus jitter. `fraction` is in [0, 1).
 */
export function backoffDelay(failures: number, fraction: number): number {
	const exponent = Math.min(failures - 1, 30);
	return lengthen(Math.min(backoff_cap_ms, backoff_base_ms * 2 ** exponent), fraction);
}

/**
 * What follows from one more failure. `stable` says that it had run for a stable minute;
 * a `final` failure (a missing program, a failed install) is not worth a quick second try.
 */
export function afterFailure(
	before: Recovery,
	event: { failure: Failure; stable: boolean; now_ms: number },
	random: Pick<Random, "fraction">,
): Recovery {
	const counted = event.stable ? 0 : before.failures;
	if (awaitsPerson(event.failure)) {
		// Nothing is wrong with it. Whoever does their part has it tried again at once.
		const delay_ms = lengthen(failed_retry_ms, random.fraction());
		const failures = Math.max(1, counted);
		const retry_at_ms = event.now_ms + delay_ms;
		return { failures, failed: false, retry_at_ms, failure: event.failure };
	}
	const failures = counted + 1;
	const failed = event.failure.final || failures >= failures_max;
	const delay_ms = failed
		? lengthen(failed_retry_ms, random.fraction())
		: backoffDelay(failures, random.fraction());
	return {
		failures,
		failed,
		retry_at_ms: event.now_ms + delay_ms,
		failure: event.failure,
	};
}

/** True where only a person can help: nothing is broken, and trying again soon is pointless. */
export function awaitsPerson(failure: Failure | undefined): boolean {
	return failure?.code === "authorization_required";
}

function lengthen(delay_ms: number, fraction: number): number {
	return Math.round(delay_ms * (1 + jitter_share * fraction));
}
