import type { Clock } from "../lib/clock.ts";
import type { Era } from "../protocol/revisions.ts";

/**
 * Which era each version of a server was found to speak. Finding out costs a process, so it is
 * done once; but a server may learn the modern revision without a change that shows here, and
 * nothing it says in the legacy era would tell. So a verdict is dated and holds for a day.
 */

/** How long a verdict holds. */
export const verdict_ms_max = 24 * 60 * 60 * 1000;
/** Versions remembered; the oldest verdict is forgotten first. */
const verdicts_max = 1_000;

/** One verdict. */
export interface EraVerdict {
	readonly era: Era;
	/** Wall-clock milliseconds since the epoch. */
	readonly found_at_ms: number;
}

/** The right to find out, held by one at a time for each version. */
export interface ProbeTurn {
	/** Gives it back, with what was found or without. Idempotent. */
	finish(era: Era | undefined): void;
}

/** What verdicts are kept with. */
export interface EraVerdictsOptions {
	readonly clock: Clock;
	/** Told the whole state as text whenever it has changed. */
	readonly onChange?: ((text: string) => void) | undefined;
}

/** The verdicts of all servers, by a key that is different for every version. */
export class EraVerdicts {
	readonly #options: EraVerdictsOptions;
	/** In the order in which they were found. */
	readonly #verdicts = new Map<string, EraVerdict>();
	readonly #probes = new Map<string, Promise<void>>();

	constructor(options: EraVerdictsOptions) {
		this.#options = options;
	}

	/** The era of a version; undefined when it is not known, or not any more. */
	get(version: string): Era | undefined {
		const verdict = this.#verdicts.get(version);
		if (verdict === undefined) return undefined;
		const age_ms = this.#options.clock.now() - verdict.found_at_ms;
		// A clock that was set back makes a verdict of the future, which would hold too long.
		return age_ms >= 0 && age_ms < verdict_ms_max ? verdict.era : undefined;
	}

	/** Remembers what was found just now. */
	set(version: string, era: Era): void {
		this.#verdicts.delete(version);
		this.#verdicts.set(version, { era, found_at_ms: this.#options.clock.now() });
		for (const oldest of this.#verdicts.keys()) {
			if (this.#verdicts.size <= verdicts_max) break;
			this.#verdicts.delete(oldest);
		}
		this.#options.onChange?.(this.#text());
	}

	/** Forgets a verdict that turned out to be wrong. */
	forget(version: string): void {
		if (this.#verdicts.delete(version)) this.#options.onChange?.(this.#text());
	}

	/**
	 * The era of a version, or the turn to find it out. While somebody else finds out, it is
	 * waited for; undefined when the signal aborts meanwhile.
	 */
	async enter(version: string, signal: AbortSignal): Promise<Era | ProbeTurn | undefined> {
		for (;;) {
			if (signal.aborted) return undefined;
			const known = this.get(version);
			if (known !== undefined) return known;
			const running = this.#probes.get(version);
			if (running === undefined) return this.#begin(version);
			await unlessAborted(running, signal);
		}
	}

	/** Takes over a state that `onChange` was told. What cannot be read is left out. */
	restore(text: string): void {
		for (const [version, verdict] of entriesOf(text)) {
			if (isVerdict(verdict)) this.#verdicts.set(version, verdict);
		}
	}

	#begin(version: string): ProbeTurn {
		const { promise, resolve } = Promise.withResolvers<void>();
		this.#probes.set(version, promise);
		const finish = (era: Era | undefined) => {
			if (this.#probes.get(version) !== promise) return;
			this.#probes.delete(version);
			if (era !== undefined) this.set(version, era);
			resolve();
		};
		return { finish };
	}

	#text(): string {
		return JSON.stringify([...this.#verdicts]);
	}
}

function unlessAborted(running: Promise<void>, signal: AbortSignal): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const done = () => {
		signal.removeEventListener("abort", done);
		resolve();
	};
	signal.addEventListener("abort", done);
	void running.then(done);
	return promise;
}

function entriesOf(text: string): [string, unknown][] {
	try {
		const parsed: unknown = JSON.parse(text);
		if (!Array.isArray(parsed)) return [];
		return parsed
			.slice(-verdicts_max)
			.filter((entry) => Array.isArray(entry) && typeof entry[0] === "string");
	} catch {
		return [];
	}
}

function isVerdict(value: unknown): value is EraVerdict {
	const { era, found_at_ms } = (value ?? {}) as Partial<EraVerdict>;
	return (era === "legacy" || era === "modern") && typeof found_at_ms === "number";
}
