import {
	closeSync,
	fstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";

/** Which files the call log is. */
export interface RotatingFileOptions {
	readonly folder: string;
	readonly file_bytes_max: number;
	/** How many files there are at the most, the one that is written included. */
	readonly files_max: number;
	/** Wall-clock milliseconds. */
	readonly now: () => number;
}

/** The file that is written. */
const current_name = "calls.ndjson";
const old_form = /^calls-\d{8}T\d{9}Z(-\d+)?[.]ndjson$/;

/** A file that is put aside when it has grown, of which only the newest are kept. */
export class RotatingFile {
	readonly #options: RotatingFileOptions;
	#file: number | undefined;
	#length_bytes = 0;

	constructor(options: RotatingFileOptions) {
		this.#options = options;
	}

	/** Appends whole lines. Throws on errors of the disk; then nothing is open. */
	write(bytes: Uint8Array): void {
		try {
			const file = this.#file ?? this.#open();
			let start = 0;
			while (start < bytes.length) start += writeSync(file, bytes, start);
			this.#length_bytes += bytes.length;
			if (this.#length_bytes >= this.#options.file_bytes_max) this.#rotate();
		} catch (error) {
			this.close();
			throw error;
		}
	}

	close(): void {
		if (this.#file !== undefined) closeSync(this.#file);
		this.#file = undefined;
	}

	#open(): number {
		const { folder } = this.#options;
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const file = openSync(join(folder, current_name), "a", 0o600);
		this.#file = file;
		this.#length_bytes = fstatSync(file).size;
		return file;
	}

	#rotate(): void {
		const { folder, files_max, now } = this.#options;
		this.close();
		const stamp = new Date(now()).toISOString().replaceAll(/[-:.]/g, "");
		const names = readdirSync(folder);
		let name = `calls-${stamp}.ndjson`;
		for (let n = 1; names.includes(name); n += 1) name = `calls-${stamp}-${n}.ndjson`;
		renameSync(join(folder, current_name), join(folder, name));
		const old = [...names.filter((one) => old_form.test(one)), name].sort(byAge);
		for (const gone of old.slice(0, Math.max(0, old.length - (files_max - 1)))) {
			rmSync(join(folder, gone), { force: true });
		}
	}
}

/** Two of one millisecond are told apart by a number, which would sort before the dot. */
function byAge(left: string, right: string): number {
	const [a = "", b = ""] = [left, right].map((name) => name.slice(0, 24));
	if (a !== b) return a < b ? -1 : 1;
	return numberIn(left) - numberIn(right);
}

function numberIn(name: string): number {
	return Number(/-(\d+)[.]ndjson$/.exec(name.slice(24))?.[1] ?? 0);
}
