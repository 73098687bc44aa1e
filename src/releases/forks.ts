import { fingerprintOf } from "../config/fingerprint.ts";
import type { ServerPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { VersionRepository } from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";

/** What is done with the volumes of servers when they are forked. Each rejects if it fails. */
export interface ForkVolumes {
	/** Copies all volumes of a server, whole and consistent, to a name that has none yet. */
	copy(from: string, to: string): Promise<void>;
	/** Whether a server has a place for volumes: every fork has one until it is promoted. */
	has(server: string): Promise<boolean>;
	/** The notes beside the volumes of one server say that they are another's. */
	rename(server: string, to: string): Promise<void>;
	/**
	 * The volumes of one server become those of another, whose own are set aside until the returned
	 * function is called.
	 */
	replace(server: string, by: string): Promise<() => Promise<void>>;
	/** Removes what was set aside, and that a killed gateway left. */
	sweep(): Promise<void>;
	/** Removes all volumes of a server. */
	remove(server: string): Promise<void>;
}

/** A copy of a server, at an address of its own. */
export interface Fork {
	readonly name: string;
	/** The server it is a copy of. */
	readonly server: string;
	readonly created_at_ms: number;
	readonly plan: ServerPlan;
}

/** What forks are built from. */
export interface ForksOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly repository: VersionRepository;
	readonly box: SecretBox;
	readonly volumes: ForkVolumes;
}

/** Forks at one time: each is a server of its own. */
const forks_max = 100;

/** The copies of servers that there are; they outlive the gateway. */
export class Forks {
	readonly #options: ForksOptions;
	readonly #forks = new Map<string, Fork>();
	/** Those that are being made. */
	#making = 0;

	constructor(options: ForksOptions) {
		this.#options = options;
	}

	/** Takes over what is stored. A fork whose name the configuration has taken is left out. */
	async restore(taken: ReadonlySet<string>): Promise<void> {
		const { repository, box, log, volumes } = this.#options;
		for (const stored of await repository.forks()) {
			const text = box.open(stored.plan, about(stored.name));
			if (text === undefined || taken.has(stored.name)) {
				log.warn({ fork: stored.name }, "a fork cannot be hosted: its name or key is gone");
				continue;
			}
			this.#forks.set(stored.name, { ...stored, plan: JSON.parse(text) as ServerPlan });
			// A gateway that was killed during a promotion had lent them to the server.
			await volumes.rename(stored.name, stored.name).catch((error: unknown) => {
				const fields = { fork: stored.name, error: String(error) };
				log.warn(fields, "the volumes of a fork could not be given back to it");
			});
		}
	}

	all(): readonly Fork[] {
		return [...this.#forks.values()];
	}

	find(name: string): Fork | undefined {
		return this.#forks.get(name);
	}

	/** Copies the volumes of a server and keeps a plan under the new name. */
	async make(
		plan: ServerPlan,
		name: string,
	): Promise<Result<Fork, { readonly code: "failed"; readonly message: string }>> {
		if (this.#forks.size + this.#making >= forks_max) {
			const next = "Remove one that is no longer needed with `moorage rm`, then try again";
			return fail(failed(`There are ${forks_max} forks already. ${next}`));
		}
		this.#making += 1;
		try {
			return await this.#copy(plan, name);
		} finally {
			this.#making -= 1;
		}
	}

	async #copy(
		plan: ServerPlan,
		name: string,
	): Promise<Result<Fork, { readonly code: "failed"; readonly message: string }>> {
		const { clock, repository, box, volumes } = this.#options;
		const copy = renamed(plan, name);
		const created_at_ms = clock.now();
		try {
			await volumes.copy(plan.name, name);
			const sealed = box.seal(JSON.stringify(copy), about(name));
			await repository.saveFork({ name, server: plan.name, created_at_ms, plan: sealed });
		} catch (error) {
			await volumes.remove(name).catch(() => undefined);
			return fail(failed(`"${plan.name}" could not be copied: ${String(error)}`));
		}
		const fork = { name, server: plan.name, created_at_ms, plan: copy };
		this.#forks.set(name, fork);
		return succeed(fork);
	}

	/** How the server is run once the fork has taken its place. */
	planFor(fork: Fork): ServerPlan {
		return renamed(fork.plan, fork.server);
	}

	/** Whether its volumes are its server's already, so that it has none. */
	async isMoved(fork: Fork): Promise<boolean> {
		return !(await this.#options.volumes.has(fork.name));
	}

	/** The fork's server may use the fork's volumes from now on, or may not any more. */
	async lend(fork: Fork, lent: boolean): Promise<void> {
		await this.#options.volumes.rename(fork.name, lent ? fork.server : fork.name);
	}

	/**
	 * The fork's volumes become the server's. What the server had is there for those who use it until
	 * the returned function is called.
	 */
	async takeOver(
		fork: Fork,
	): Promise<Result<() => Promise<void>, { readonly code: "failed"; readonly message: string }>> {
		const { volumes, log } = this.#options;
		try {
			const removeOld = await volumes.replace(fork.server, fork.name);
			return succeed(async () => {
				await removeOld().catch((error: unknown) => {
					const fields = { server: fork.server, error: String(error) };
					log.warn(fields, "volumes that were replaced could not be removed");
				});
			});
		} catch (error) {
			return fail(failed(`The volumes could not be swapped: ${String(error)}`));
		}
	}

	/** The fork is no more: its server has what it had. */
	async forget(fork: Fork): Promise<void> {
		await this.#forgetStored(fork.name);
	}

	/** Ends a fork; what it kept is removed. */
	async remove(name: string): Promise<void> {
		const { log, volumes } = this.#options;
		await this.#forgetStored(name);
		await volumes.remove(name).catch((error: unknown) => {
			log.warn({ fork: name, error: String(error) }, "the volumes of a fork could not be removed");
		});
	}

	async #forgetStored(name: string): Promise<void> {
		const { repository, log } = this.#options;
		this.#forks.delete(name);
		await repository.removeFork(name).catch((error: unknown) => {
			log.error({ fork: name, error: String(error) }, "a fork could not be forgotten");
		});
	}
}

/** The same server under another name. */
function renamed(plan: ServerPlan, name: string): ServerPlan {
	const { fingerprint: _, ...rest } = plan;
	const copy = { ...rest, name, title: name };
	return { ...copy, fingerprint: fingerprintOf(copy) };
}

function about(name: string): string {
	return `fork ${name}`;
}

function failed(message: string): { readonly code: "failed"; readonly message: string } {
	return { code: "failed", message: `${message}.` };
}
