import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/clock.ts";
import { signalProcess } from "./cleanup.ts";
import type { Freezer } from "./group-freezer.ts";
import type { ProcessRow } from "./process-table.ts";

/** Rounds of looking and stopping; more than two only where processes are being born. */
const rounds_max = 20;
const round_pause_ms = 5;

/**
 * Stops and continues by signals, for machines without control groups that freeze. All are
 * stopped one after the other, and looked for again until no new one turns up. A program can
 * notice it, and one that fights it wins: then it is let run.
 */
export class SignalFreezer implements Freezer {
	readonly #clock: Clock;
	readonly #findAll: () => Promise<readonly ProcessRow[]>;
	/** Those that have been stopped, in that order. */
	#stopped: ProcessRow[] = [];
	#turn = 0;

	/** `findAll` gives the processes to stop, parents before their children. */
	constructor(clock: Clock, findAll: () => Promise<readonly ProcessRow[]>) {
		this.#clock = clock;
		this.#findAll = findAll;
	}

	async freeze(): Promise<boolean> {
		this.#turn += 1;
		const turn = this.#turn;
		for (let round = 0; round < rounds_max; round += 1) {
			const rows = await this.#findAll();
			if (turn !== this.#turn) {
				return false;
			}
			const fresh = rows.filter((row) => !this.#stopped.some((known) => isSame(known, row)));
			const running = rows.filter((row) => !row.stopped);
			if (rows.length === 0) {
				break;
			}
			if (fresh.length === 0 && running.length === 0) {
				return true;
			}
			this.#stopped.push(...fresh);
			for (const { pid } of running) {
				signalProcess(pid, "SIGSTOP");
			}
			if (running.length > 0 && round > 0) {
				await sleep(this.#clock, round_pause_ms);
			}
		}
		if (turn === this.#turn) {
			this.thaw();
		}
		return false;
	}

	thaw(): void {
		this.#turn += 1;
		// Children first: what waits for a child must not see that it had been stopped.
		for (const { pid } of this.#stopped.toReversed()) {
			signalProcess(pid, "SIGCONT");
		}
		this.#stopped = [];
	}
}

function isSame(one: ProcessRow, other: ProcessRow): boolean {
	return one.pid === other.pid && one.start_time === other.start_time;
}
