import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/clock.ts";
import { readGroupFile, writeGroupFile } from "./groups/files.ts";
import type { GroupPlace } from "./groups/instance-groups.ts";

/** Stops and continues all processes of one instance. */
export interface Freezer {
	/** False where they could not be stopped; then they run on. */
	freeze(): Promise<boolean>;
	/** Continues them at once; harmless where they run. */
	thaw(): void;
}

/** How often it is looked whether all have stopped, and for how long: about a second. */
const rounds_max = 60;
const round_pause_ms = 20;
/** Most are stopped at the first looks, which cost less than a timer. */
const quick_rounds = 3;

/** Freezes a whole group in one step; nothing in it can get away by forking. */
export class GroupFreezer implements Freezer {
	readonly #clock: Clock;
	readonly #control: string;
	readonly #state: string;
	readonly #is_frozen: RegExp;
	readonly #words: { readonly freeze: string; readonly thaw: string };
	/** Counts freezes and thaws, so that a freeze notices that it is no longer wanted. */
	#turn = 0;
	/** Kept open while frozen: waking is one write. */
	#handle: number | undefined;

	constructor(clock: Clock, { version, folder }: GroupPlace) {
		const is_new = version === 2;
		this.#clock = clock;
		this.#control = join(folder, is_new ? "cgroup.freeze" : "freezer.state");
		this.#state = join(folder, is_new ? "cgroup.events" : "freezer.state");
		this.#is_frozen = is_new ? /^frozen 1$/mu : /^FROZEN$/mu;
		this.#words = is_new ? { freeze: "1", thaw: "0" } : { freeze: "FROZEN", thaw: "THAWED" };
	}

	async freeze(): Promise<boolean> {
		this.#turn += 1;
		const turn = this.#turn;
		if (!this.#write(this.#words.freeze)) {
			return false;
		}
		for (let round = 0; round < rounds_max; round += 1) {
			if (this.#is_frozen.test(readGroupFile(this.#state) ?? "")) {
				return true;
			}
			await sleep(this.#clock, round < quick_rounds ? 1 : round_pause_ms);
			if (turn !== this.#turn) {
				return false;
			}
		}
		// A process that is stuck in the kernel cannot be stopped; the others need not wait for it.
		this.thaw();
		return false;
	}

	thaw(): void {
		this.#turn += 1;
		if (this.#handle === undefined) {
			writeGroupFile(this.#control, this.#words.thaw);
			return;
		}
		this.#write(this.#words.thaw);
		closeSync(this.#handle);
		this.#handle = undefined;
	}

	#write(text: string): boolean {
		try {
			this.#handle ??= openSync(this.#control, "r+");
			writeSync(this.#handle, text, 0);
			return true;
		} catch {
			// The group is gone, and its processes with it.
			return false;
		}
	}
}
