import {
	closeSync,
	fstatSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
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
/** More than any line has. */
const line_bytes_max = 1024 * 1024;
const newline = 0x0a;
/** A file that is put aside this much later than now is of a clock that was set back since. */
const ahead_ms_max = 60_000;

/** A file that is put aside when it has grown, of which only the newest are kept. */
export class RotatingFile {
	readonly #options: RotatingFileOptions;
	#file: number | undefined;
	#length_bytes = 0;

	constructor(options: RotatingFileOptions) {
		this.#options = options;
	}

	/** Appends whole lines, all or none. Throws on errors of the disk; then nothing is open. */
	write(bytes: Uint8Array): void {
		let start = 0;
		try {
			const file = this.#file ?? this.#open();
			while (start < bytes.length) start += writeSync(file, bytes, start);
			this.#length_bytes += bytes.length;
		} catch (error) {
			this.#takeBack(start);
			throw error;
		}
		if (this.#length_bytes >= this.#options.file_bytes_max) this.#rotate();
	}

	close(): void {
		if (this.#file !== undefined) closeSync(this.#file);
		this.#file = undefined;
	}

	#open(): number {
		const { folder } = this.#options;
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const file = openSync(join(folder, current_name), "a+", 0o600);
		this.#file = file;
		cutTornLine(file);
		this.#length_bytes = fstatSync(file).size;
		return file;
	}

	/** Leaves no part of lines on a disk that was full before their end. */
	#takeBack(written_bytes: number): void {
		try {
			if (this.#file !== undefined && written_bytes > 0) {
				ftruncateSync(this.#file, Math.max(0, fstatSync(this.#file).size - written_bytes));
			}
		} catch {
			// What stands there is found when it is opened again.
		}
		this.close();
	}

	/** Throws on errors of the disk; then nothing is open, and no line is lost. */
	#rotate(): void {
		const { folder, files_max, now } = this.#options;
		this.close();
		const stamp = stampOf(now());
		const names = readdirSync(folder);
		// Behind those of the same millisecond, also where the first of them have gone.
		const same = names.filter((one) => one.startsWith(`calls-${stamp}`)).map(numberIn);
		const name = `calls-${stamp}${same.length === 0 ? "" : `-${Math.max(...same) + 1}`}.ndjson`;
		renameSync(join(folder, current_name), join(folder, name));
		const ahead = `calls-${stampOf(now() + ahead_ms_max)}`;
		const old = [...names.filter((one) => old_form.test(one)), name].sort(
			(left, right) => Number(right > ahead) - Number(left > ahead) || byAge(left, right),
		);
		for (const gone of old.slice(0, Math.max(0, old.length - (files_max - 1)))) {
			rmSync(join(folder, gone), { force: true });
		}
	}
}

/** A line that a crash has cut short goes, so that the next does not stand behind its beginning. */
function cutTornLine(file: number): void {
	const { size } = fstatSync(file);
	if (size === 0) return;
	const tail = Buffer.alloc(Math.min(size, line_bytes_max));
	const length = readSync(file, tail, 0, tail.length, size - tail.length);
	if (tail[length - 1] === newline) return;
	ftruncateSync(file, size - length + tail.lastIndexOf(newline, length - 1) + 1);
}

function stampOf(at_ms: number): string {
	return new Date(at_ms).toISOString().replaceAll(/[-:.]/g, "");
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
