import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../lib/clock.ts";
import type { Hierarchy } from "./hierarchies.ts";
import type { GroupTier } from "./tier.ts";

/** A move stays quick for about as long as the wait for the processors takes, which is longer. */
const again_ms = 8;

/**
 * Makes entering a control group quick at the moment when it is needed. Before the kernel moves a
 * process it waits until each of its processors has passed a moment of rest, some 15 ms, unless it
 * has done so just before. So this process is moved to where it is already, in another thread,
 * while a start is prepared; the program that enters its groups a little later has nothing left to
 * wait for. Where this process may not write to its own group, entering takes as long as it does.
 */
export class QuickEntry {
	readonly #clock: Clock;
	readonly #entrance: string | undefined;
	#under_way = false;
	#begun_ms = Number.NEGATIVE_INFINITY;

	/** `own` are the hierarchies of this process: see `ownHierarchies`. */
	constructor(clock: Clock, tier: GroupTier, own: readonly Hierarchy[]) {
		const versions = tier.hierarchies.map(({ version }) => version);
		const folder = own.find(({ version }) => versions.includes(version))?.folder;
		this.#clock = clock;
		this.#entrance = folder === undefined ? undefined : join(folder, "cgroup.procs");
	}

	/** To be called when it is known that a program will be started, and again right before that. */
	begin(): void {
		const now_ms = this.#clock.monotonic();
		if (this.#entrance === undefined || this.#under_way) return;
		if (now_ms - this.#begun_ms < again_ms) return;
		this.#under_way = true;
		this.#begun_ms = now_ms;
		writeFile(this.#entrance, "0", { flag: "r+" })
			// It is for speed alone: the move that counts says what is wrong.
			.catch(() => undefined)
			.finally(() => {
				this.#under_way = false;
			});
	}
}
