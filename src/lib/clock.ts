/**
 * Time as a thing that is handed in, so that a test can own it.
 * Nothing outside this file reads the machine's clock or sets a machine timer.
 */

/** A pending timer. Cancelling a timer that has fired or was cancelled does nothing. */
export interface Timer {
	cancel(): void;
}

/** The time source every room is given. */
export interface Clock {
	/** Wall-clock time in milliseconds since the epoch; may jump. */
	now(): number;
	/** Milliseconds from an arbitrary start; never goes backwards. For durations. */
	monotonic(): number;
	/** Calls `fn` once after `delay_ms`. The timer keeps the process alive. */
	after(delay_ms: number, fn: () => void): Timer;
	/** Like `after`, but the timer does not keep the process alive. */
	afterIdle(delay_ms: number, fn: () => void): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	after(delay_ms, fn) {
		const handle = setTimeout(fn, delay_ms);
		return { cancel: () => clearTimeout(handle) };
	},
	afterIdle(delay_ms, fn) {
		const handle = setTimeout(fn, delay_ms);
		handle.unref();
		return { cancel: () => clearTimeout(handle) };
	},
};

/** Resolves when a promise does, at the latest after `wait_ms`. */
export async function withinTime(
	clock: Clock,
	wait_ms: number,
	waited_for: Promise<unknown>,
): Promise<void> {
	const late = Promise.withResolvers<void>();
	const timer = clock.after(wait_ms, late.resolve);
	try {
		await Promise.race([waited_for, late.promise]);
	} finally {
		timer.cancel();
	}
}

/** Resolves after `delay_ms`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delay_ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason as Error);
			return;
		}
		const stop = () => {
			timer.cancel();
			reject(signal?.reason as Error);
		};
		const timer = clock.after(delay_ms, () => {
			signal?.removeEventListener("abort", stop);
			resolve();
		});
		signal?.addEventListener("abort", stop, { once: true });
	});
}
