import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keyedNumber, readGroupFile, writeGroupFile } from "./groups/files.ts";
import type { GroupPlace } from "./groups/instance-groups.ts";
import { isUsable, readSwap } from "./swap.ts";

/** Given back in steps, so that a wake in between has little to wait for. */
const step_bytes = 16 * 1024 ** 2;
const steps_max = 4_096;
/** With less than this left, another step is not worth its while. */
const rest_bytes = 1024 ** 2;

/**
 * Gives the memory of a frozen group back to the machine by paging it out. Only anonymous
 * memory: programs and libraries would have to be read from disk again at the wake, which takes
 * far longer. Without swap there is nowhere for it to go, and nothing is done.
 *
 * Version 2 is asked for it directly. Version 1 is made to do it by a limit below what is in
 * use, which is lifted again after every step.
 */
export class GroupReclaimer {
	readonly #place: GroupPlace;
	readonly #memory_bytes_max: number | undefined;

	/** `memory_bytes_max` is the limit of the group while it is awake. */
	constructor(place: GroupPlace, memory_bytes_max: number | undefined) {
		this.#place = place;
		this.#memory_bytes_max = memory_bytes_max;
	}

	/**
	 * Pages out as long as `isWanted`. Resolves with the bytes by which the group's memory has
	 * shrunk, as the kernel counts them; with compressed swap the machine wins less than that.
	 */
	async reclaim(isWanted: () => boolean): Promise<number> {
		const before = this.#used();
		if (before === undefined || !isUsable(readSwap())) {
			return 0;
		}
		this.#open();
		for (let step = 0; step < steps_max && isWanted(); step += 1) {
			const used = this.#used() ?? 0;
			const anonymous = this.#anonymous();
			if (anonymous < rest_bytes) {
				break;
			}
			await this.#step(used, Math.min(step_bytes, anonymous));
			if (used - (this.#used() ?? 0) < rest_bytes / 2) {
				break;
			}
		}
		return Math.max(0, before - (this.#used() ?? before));
	}

	/** To be called at every wake: what is awake may not use swap beyond its limit. */
	awake(): void {
		if (this.#place.version === 2 && this.#memory_bytes_max !== undefined) {
			writeGroupFile(this.#file("memory.swap.max"), "0");
		}
	}

	#open(): void {
		if (this.#place.version === 2) {
			writeGroupFile(this.#file("memory.swap.max"), "max");
		} else {
			writeGroupFile(this.#file("memory.swappiness"), "200");
		}
	}

	async #step(used: number, bytes: number): Promise<void> {
		if (this.#place.version === 2) {
			// Older kernels do not know the second word; they take from files too.
			if (!(await this.#write("memory.reclaim", `${bytes} swappiness=200`))) {
				await this.#write("memory.reclaim", String(bytes));
			}
			return;
		}
		await this.#write("memory.limit_in_bytes", String(used - bytes));
		const limit = this.#memory_bytes_max ?? -1;
		writeGroupFile(this.#file("memory.limit_in_bytes"), String(limit));
	}

	/** Paging out takes its time, and must not hold up the gateway: written by another thread. */
	async #write(name: string, text: string): Promise<boolean> {
		try {
			await writeFile(this.#file(name), text, { flag: "r+" });
			return true;
		} catch (error) {
			// EAGAIN and EBUSY: less was paged out than was asked for. What counts is measured.
			return (error as NodeJS.ErrnoException).code !== "EINVAL";
		}
	}

	#used(): number | undefined {
		const name = this.#place.version === 2 ? "memory.current" : "memory.usage_in_bytes";
		const text = readGroupFile(this.#file(name));
		return text === undefined ? undefined : Number(text);
	}

	#anonymous(): number {
		const stat = readGroupFile(this.#file("memory.stat")) ?? "";
		return keyedNumber(stat, this.#place.version === 2 ? "anon" : "rss") ?? 0;
	}

	#file(name: string): string {
		return join(this.#place.folder, name);
	}
}
