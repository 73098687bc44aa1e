import type { Clock } from "../../src/lib/clock.ts";
import { systemClock } from "../../src/lib/clock.ts";

/** Long enough never to be waited for, so that a test that needs it would hang. */
export const patient_ms = 60_000;

/** A clock on which the first waits of `patient_ms` are over at once. */
export function hastyClock(waits: number): Clock {
	let left = waits;
	return {
		...systemClock,
		after(delay_ms, fn) {
			const hasty = delay_ms === patient_ms && left > 0;
			left -= hasty ? 1 : 0;
			return systemClock.after(hasty ? 0 : delay_ms, fn);
		},
	};
}
