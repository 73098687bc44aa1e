import { type BigIntStats, type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock, Timer } from "../lib/clock.ts";

/** From the first sign of a change to the look at the file, and between two looks. */
const settle_ms = 100;

/** Between looks without any sign, for file systems that send none. */
const poll_ms = 2000;

/** Stops watching. */
export interface FileWatch {
	close(): void;
}

/**
 * Compares from this call on: start watching before loading, and no change is missed. Calls
 * `onChange` when the file at `path` has other content than before, once for each
 * change, after it has stayed the same for two looks in a row. The folder is watched, not the
 * file, because editors replace the file by renaming another onto it. A file that is gone is
 * waited for: `onChange` is called when it is back and differs.
 *
 * The time line of one save, `!` being a sign from the file system:
 *
 *     ! ! !     look        look
 *     |-settle_ms-|-settle_ms-|  same twice, so onChange
 */
export function watchFile(path: string, clock: Clock, onChange: () => void): FileWatch {
	const watcher = new FileWatcher(path, clock, onChange);
	watcher.start();
	return { close: () => watcher.close() };
}

class FileWatcher {
	readonly #path: string;
	readonly #clock: Clock;
	readonly #onChange: () => void;
	/** What the file was when last told of, or at the start; undefined when it was not there. */
	#told: string | undefined;
	/** What the last look saw, where that differs from what was told. */
	#candidate: string | undefined;
	#folder: FSWatcher | undefined;
	#timer: Timer | undefined;
	#is_settling = false;
	#is_looking = false;
	#has_missed_sign = false;
	#is_closed = false;

	constructor(path: string, clock: Clock, onChange: () => void) {
		this.#path = path;
		this.#clock = clock;
		this.#onChange = onChange;
	}

	start(): void {
		const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
		this.#told = found === undefined ? undefined : signatureOf(found);
		this.#watchFolder();
		this.#lookIn(poll_ms);
	}

	close(): void {
		this.#is_closed = true;
		this.#timer?.cancel();
		this.#folder?.close();
	}

	/** Without a watchable folder the polling goes on alone, and tries again each time. */
	#watchFolder(): void {
		if (this.#folder !== undefined) return;
		try {
			const folder = watch(dirname(this.#path), { persistent: false });
			folder.on("change", () => this.#sign());
			folder.on("error", () => {
				folder.close();
				this.#folder = undefined;
			});
			this.#folder = folder;
		} catch {
			this.#folder = undefined;
		}
	}

	/** A chatty folder cannot push the next look away: a settling timer is left to run. */
	#sign(): void {
		if (this.#is_looking) this.#has_missed_sign = true;
		else if (!this.#is_settling && !this.#is_closed) this.#lookIn(settle_ms);
	}

	#lookIn(delay_ms: number): void {
		this.#timer?.cancel();
		this.#is_settling = delay_ms === settle_ms;
		this.#timer = this.#clock.afterIdle(delay_ms, () => void this.#look());
	}

	async #look(): Promise<void> {
		this.#is_looking = true;
		this.#has_missed_sign = false;
		const found = await stat(this.#path, { bigint: true }).catch(() => undefined);
		this.#is_looking = false;
		if (this.#is_closed) return;
		this.#watchFolder();
		const signature = found === undefined ? undefined : signatureOf(found);
		const is_settled = signature === this.#candidate;
		// A file that is gone is no change: what was told stays true until it is back.
		const is_news = signature !== undefined && signature !== this.#told;
		this.#candidate = is_news && !is_settled ? signature : undefined;
		const look_again = this.#candidate !== undefined || this.#has_missed_sign;
		this.#lookIn(look_again ? settle_ms : poll_ms);
		if (!is_news || !is_settled) return;
		this.#told = signature;
		this.#onChange();
	}
}

/** What changes when a file's content does. */
function signatureOf(found: BigIntStats): string {
	return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(":");
}
