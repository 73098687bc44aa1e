import type { PackageIdentity } from "../hosting/resolved.ts";
import type { Clock } from "../lib/clock.ts";
import type { VersionRepository } from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";

/** How often installed packages are looked through. */
export const package_sweep_ms = 3_600_000;

/** What removes packages, as far as it matters here: see `PackageResolver.keep`. */
interface Keeper {
	keep(references: readonly Pick<PackageIdentity, "digest">[]): Promise<string[]>;
}

/** What a sweep is made from. */
export interface PackageSweepOptions {
	readonly packages: Keeper;
	readonly versions: Pick<VersionRepository, "load">;
	readonly clock: Clock;
	readonly log: Log;
}

/**
 * Removes installed packages that no version needs any more, neither one that runs nor one that
 * could be rolled back to. They are locked still, and come back as they were where they are wanted.
 */
export class PackageSweep {
	readonly #options: PackageSweepOptions;
	#swept_at_ms: number | undefined;
	#running = false;

	constructor(options: PackageSweepOptions) {
		this.#options = options;
	}

	/** Does so when an hour has passed; a failure costs nothing but disk space. */
	async tick(): Promise<void> {
		const { clock, log, packages, versions } = this.#options;
		const now_ms = clock.monotonic();
		const due_ms = (this.#swept_at_ms ?? Number.NEGATIVE_INFINITY) + package_sweep_ms;
		if (this.#running || now_ms < due_ms) return;
		this.#running = true;
		this.#swept_at_ms = now_ms;
		try {
			const stored = await versions.load();
			const kept = stored.flatMap(({ identity }) => digestIn(identity));
			const removed = await packages.keep(kept);
			if (removed.length > 0) log.info({ removed }, "packages that no version needs were removed");
		} catch (error) {
			log.warn({ error: String(error) }, "installed packages could not be looked through");
		} finally {
			this.#running = false;
		}
	}
}

function digestIn(identity: string | undefined): { digest: string }[] {
	if (identity === undefined) return [];
	const { digest } = JSON.parse(identity) as { digest?: unknown };
	return typeof digest === "string" ? [{ digest }] : [];
}
