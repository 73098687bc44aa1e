import type { CallCount } from "../hosting/trial.ts";

/** Calls of the new version before anything is concluded from them. */
export const calls_min = 10;

/**
 * Whether a new version fails so much more than the old one that the old one should take over
 * again: a sentence, or undefined while it does not. Some calls fail with any version, because
 * of what was asked for; those are not held against the new one.
 */
export function rolloutVerdict(
	new_count: CallCount,
	old_count: CallCount,
	errors_percent_max: number,
): string | undefined {
	if (new_count.calls < calls_min) return undefined;
	const now_percent = percentOf(new_count);
	const usual_percent = percentOf(old_count);
	if (now_percent - usual_percent <= errors_percent_max) return undefined;
	return (
		`${new_count.failed} of its ${new_count.calls} calls failed (${round(now_percent)} percent; ` +
		`${round(usual_percent)} percent with the old version).`
	);
}

function percentOf({ calls, failed }: CallCount): number {
	return calls === 0 ? 0 : (100 * failed) / calls;
}

function round(percent: number): string {
	return percent.toFixed(percent < 10 ? 1 : 0);
}
