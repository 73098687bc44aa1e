import type { Hibernation, InstanceUsage } from "../driver.ts";
import type { Engine } from "./engine.ts";
import { type EngineProblem, engineSentence } from "./engine-problem.ts";

/**
 * Pauses and wakes one container, in the order in which that was asked for: an engine works on
 * requests side by side, and a pause that is overtaken by its own end would stay for ever.
 */
export class ContainerSleep implements Hibernation {
	readonly #engine: Pick<Engine, "pause" | "unpause" | "stats">;
	readonly #id: string;
	#paused = false;
	#last: Promise<unknown> = Promise.resolve();

	constructor(engine: Pick<Engine, "pause" | "unpause" | "stats">, id: string) {
		this.#engine = engine;
		this.#id = id;
	}

	get is_paused(): boolean {
		return this.#paused;
	}

	freeze(): Promise<boolean> {
		return this.#next(async () => {
			if (this.#paused) return true;
			const paused = await this.#engine.pause(this.#id);
			this.#paused = paused.ok || says(paused.problem, /already paused/);
			return this.#paused;
		});
	}

	/** Rejects where the engine does not wake it. */
	thaw(): Promise<void> {
		return this.#next(async () => {
			if (!this.#paused) return;
			const awake = await this.#engine.unpause(this.#id);
			if (!awake.ok && !says(awake.problem, /not paused/)) {
				throw new Error(`the container engine ${engineSentence(awake.problem)}`);
			}
			this.#paused = false;
		});
	}

	/** An engine has no verb for it, and the container's memory is not ours to page out. */
	reclaim(): Promise<number> {
		return Promise.resolve(0);
	}

	async usage(): Promise<InstanceUsage | undefined> {
		const stats = await this.#engine.stats(this.#id);
		return stats.ok ? stats.value : undefined;
	}

	#next<Value>(work: () => Promise<Value>): Promise<Value> {
		const done = this.#last.then(work);
		this.#last = done.catch(() => undefined);
		return done;
	}
}

/** Somebody else may have paused or woken it: then it is as it was asked to be. */
function says(problem: EngineProblem, what: RegExp): boolean {
	return problem.kind === "refused" && what.test(problem.message);
}
