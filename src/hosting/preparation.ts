import type { ServerPlan } from "../config/plan.ts";
import type { Timer } from "../lib/clock.ts";
import { afterFailure, clean_recovery, type Recovery } from "./backoff.ts";
import { type Failure, failureOfFault, failureOfTime, safeFailure } from "./failure.ts";
import type { Locked, Resolved } from "./resolved.ts";
import { advance } from "./states.ts";
import type { Surroundings } from "./surroundings.ts";

/** Longest time an install may take before it counts as failed. */
export const resolve_ms_max = 10 * 60_000;

/** The part of the states that a preparation goes through; `stopped` is prepared. */
export type PreparationState = "declared" | "resolving" | "stopped" | "failed";

/** Who is told about a preparation. */
export interface PreparationOwner {
	onPreparation(state: PreparationState): void;
	onProgress(line: string): void;
}

/**
 * Finds out once, not at every start, how to run a server: package found or installed,
 * program resolved. What fails is tried again later.
 */
export class Preparation {
	readonly #around: Surroundings;
	readonly #owner: PreparationOwner;
	#state: PreparationState = "declared";
	#generation = 0;
	#recovery: Recovery = clean_recovery;
	#resolved: Resolved | undefined;
	#running: AbortController | undefined;
	#locked: Locked | undefined;
	#verify = false;

	/** With `locked` it prepares that, and not what the lock says, until `followLock`. */
	constructor(around: Surroundings, owner: PreparationOwner, locked?: Locked) {
		this.#around = around;
		this.#owner = owner;
		this.#locked = locked;
	}

	get state(): PreparationState {
		return this.#state;
	}

	/** Which generation of the server it belongs to. */
	get generation(): number {
		return this.#generation;
	}

	get recovery(): Recovery {
		return this.#recovery;
	}

	/** What it was resolved to, and what that needs; undefined until it is prepared. */
	get resolved(): Resolved | undefined {
		return this.#resolved;
	}

	/** From the next preparation on the lock says what is run. */
	followLock(): void {
		this.#locked = undefined;
	}

	/** The next preparation looks at every byte of what is installed. */
	verifyNext(): void {
		this.#verify = true;
	}

	/** Begins for a generation of the plan; one that is under way for another is given up. */
	begin(plan: ServerPlan, generation: number): void {
		if (generation !== this.#generation) this.reset();
		this.#generation = generation;
		const running = new AbortController();
		this.#running = running;
		this.#enter("resolving");
		void this.#run(plan, running);
	}

	/** Nothing is known any more, not even what went wrong; what is under way is given up. */
	reset(): void {
		this.#running?.abort();
		this.#running = undefined;
		this.#resolved = undefined;
		this.#recovery = clean_recovery;
		if (this.#state !== "declared") this.#enter("declared");
	}

	async #run(plan: ServerPlan, running: AbortController): Promise<void> {
		const outcome = await this.#resolve(plan, running);
		if (this.#running !== running) return;
		this.#running = undefined;
		if ("resolved" in outcome) {
			this.#resolved = outcome.resolved;
			this.#recovery = clean_recovery;
			this.#enter("stopped");
			return;
		}
		const { clock, random, redactor } = this.#around;
		const failure = { ...safeFailure(redactor, outcome.failure), final: true };
		const event = { failure, stable: false, now_ms: clock.monotonic() };
		this.#recovery = afterFailure(this.#recovery, event, random);
		this.#enter("failed");
	}

	async #resolve(
		plan: ServerPlan,
		running: AbortController,
	): Promise<{ resolved: Resolved } | { failure: Failure }> {
		const { clock, resolve, values } = this.#around;
		const verify = this.#verify;
		this.#verify = false;
		const late = Promise.withResolvers<{ failure: Failure }>();
		const timer: Timer = clock.afterIdle(resolve_ms_max, () => {
			running.abort();
			const minutes = resolve_ms_max / 60_000;
			const what = `could not be installed within ${minutes} minutes`;
			late.resolve({ failure: failureOfTime(plan.name, what, "install_failed") });
		});
		const outcome = resolve(values?.prepare(plan.spec) ?? plan.spec, {
			server: plan.name,
			plan,
			locked: this.#locked,
			verify,
			progress: (line) => this.#owner.onProgress(line),
			signal: running.signal,
		}).then(
			(result) =>
				result.ok ? { resolved: result.value } : { failure: failureOfFault(result.problem) },
			(error: unknown) => {
				const what = "could not be prepared because of a defect in Moorage";
				const failure = failureOfTime(plan.name, what, "internal");
				return { failure: { ...failure, detail: String(error) } };
			},
		);
		try {
			return await Promise.race([outcome, late.promise]);
		} finally {
			timer.cancel();
		}
	}

	#enter(state: PreparationState): void {
		this.#state = advance(this.#state, state);
		this.#owner.onPreparation(state);
	}
}
