import type { Hosting, ServerStatus } from "../hosting/hosting.ts";
import type { Trial } from "../hosting/trial.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fork, Forks } from "./forks.ts";

/**
 * The volumes of a fork on their way into the place of its server's. What runs in a sandbox of
 * bubblewrap or in a container has its volume mounted, and keeps it whatever becomes of the name
 * outside: there the names are exchanged while both run. Elsewhere programs use the names
 * themselves: there the trial ends first, and what runs of the server is restarted afterwards;
 * calls that it still has then find the fork's files under the names.
 */
export class VolumeSwap {
	readonly #fork: Fork;
	readonly #forks: Forks;
	readonly #hosting: Hosting;
	#removeOld: (() => Promise<void>) | undefined;
	#needs_restart = false;
	#problem: string | undefined;

	constructor(fork: Fork, forks: Forks, hosting: Hosting) {
		this.#fork = fork;
		this.#forks = forks;
		this.#hosting = hosting;
	}

	/** Whether it could not be done beside what runs. */
	get needs_restart(): boolean {
		return this.#needs_restart;
	}

	/** Why it cannot be done at all: a sentence. */
	get problem(): string | undefined {
		return this.#problem;
	}

	/** A version on trial may use the fork's volumes; the fork does not run. */
	begin(): Promise<void> {
		return this.#forks.lend(this.#fork, true);
	}

	/** Exchanges the names while both versions run. */
	async take(trial: Trial): Promise<Result<void, string>> {
		const old = this.#hosting.status(this.#fork.server);
		if (!isMounted(trial.server.status()) || (old !== undefined && !isMounted(old))) {
			this.#needs_restart = true;
			return fail("What runs uses its volume by the folder's name: it takes over by a restart.");
		}
		return this.#exchange();
	}

	/** Exchanges the names when the trial is gone; what runs of the server goes on meanwhile. */
	async takeAnew(): Promise<Result<void, string>> {
		await this.#hosting.departed(this.#fork.server);
		return this.#exchange();
	}

	/** The fork has its volumes again, once nothing else uses them. */
	async giveUp(): Promise<void> {
		await this.#hosting.departed(this.#fork.server);
		await this.#forks.lend(this.#fork, false);
	}

	/** Removes what the server had, when the last call on it is over. */
	async end(): Promise<void> {
		await this.#hosting.departed(this.#fork.server);
		await this.#removeOld?.();
	}

	async #exchange(): Promise<Result<void, string>> {
		const swapped = await this.#forks.takeOver(this.#fork);
		if (!swapped.ok) {
			this.#problem = swapped.problem.message;
			return fail(this.#problem);
		}
		this.#removeOld = swapped.value;
		return succeed(undefined);
	}
}

/** Whether everything that runs of a server has its files mounted, or has none. */
function isMounted({ driver, instances }: ServerStatus): boolean {
	if (driver === "http" || driver === "container") return true;
	return instances.every(({ sandbox }) => sandbox?.kind === "bubblewrap");
}
