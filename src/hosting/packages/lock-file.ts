import { open, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileState, replaceFile } from "../../config/replace-file.ts";
import { type Clock, sleep } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { ImageEntry } from "./image-entry.ts";
import type { LockEntry } from "./lock-entry.ts";
import type { DamagedEntry, Lock, LockContent, LockEntries, ReadLock } from "./lock-text.ts";
import { parseLock, renderLock } from "./lock-text.ts";

/** Where a lock is kept. */
export interface LockPlaces {
	/** Beside the configuration, to be committed with it; undefined where there is none. */
	readonly beside: string | undefined;
	/** In the data folder, for what cannot be written beside the configuration. */
	readonly own: string;
}

/** What to lock: of which kind, under which name, and how it is decided. */
type Change<Kind extends keyof LockEntries> = [
	kind: Kind,
	key: string,
	decide: (known: LockContent[Kind]) => Result<LockEntries[Kind], InstallFailure>,
	options: ChangeOptions,
];

/** How an entry is changed. */
export interface ChangeOptions {
	/**
	 * Whether an entry that is damaged may be replaced: where a person asked for another. Else what
	 * it says would be decided anew behind everybody's back.
	 */
	readonly mends?: boolean;
}

/** The name of the file, wherever it is. */
export const lock_file_name = "moorage.lock";

const lock_bytes_max_default = 64 * 1024 ** 2;
/** Whoever holds the file writes a few kilobytes; after this long it was cut off. */
const held_ms_max = 10_000;
const retry_ms = 20;
const refused_codes: readonly string[] = ["EACCES", "EPERM", "EROFS"];

/**
 * The file that says what every package command and every image was resolved to. Readers see a
 * whole file at any time; writers take turns, those of other gateways included.
 */
export class LockFile {
	readonly #places: LockPlaces;
	readonly #clock: Clock;
	readonly #lock_bytes_max: number;
	#turn: Promise<unknown> = Promise.resolve();

	constructor(places: LockPlaces, clock: Clock, lock_bytes_max = lock_bytes_max_default) {
		this.#places = places;
		this.#clock = clock;
		this.#lock_bytes_max = lock_bytes_max;
	}

	/** All packages that are locked and intact. What stands beside the configuration goes first. */
	async read(): Promise<Result<Lock, InstallFailure>> {
		const all = await this.#read();
		return all.ok ? succeed(all.value.packages) : all;
	}

	/** What one request is locked to; undefined where it is not. A damaged entry is a failure. */
	async find(key: string): Promise<Result<LockEntry | undefined, InstallFailure>> {
		const all = await this.#read();
		return all.ok ? foundIn(all.value.packages, all.value.problems.packages, key) : all;
	}

	/** What one image is locked to, likewise. */
	async findImage(name: string): Promise<Result<ImageEntry | undefined, InstallFailure>> {
		const all = await this.#read();
		return all.ok ? foundIn(all.value.images, all.value.problems.images, name) : all;
	}

	/**
	 * Locks one request. `decide` sees all packages that are locked at that moment and gives the
	 * entry to keep, which may be one that another gateway was faster to write.
	 */
	change(
		key: string,
		decide: (lock: Lock) => Result<LockEntry, InstallFailure>,
		options: ChangeOptions = {},
	): Promise<Result<LockEntry, InstallFailure>> {
		return this.#enqueue("packages", key, decide, options);
	}

	/** Locks one image, as `change` does a package. */
	changeImage(
		name: string,
		decide: (images: LockContent["images"]) => ImageEntry,
		options: ChangeOptions = {},
	): Promise<Result<ImageEntry, InstallFailure>> {
		return this.#enqueue("images", name, (images) => succeed(decide(images)), options);
	}

	async #read(): Promise<Result<MergedLock, InstallFailure>> {
		const { beside, own } = this.#places;
		const packages: Layers<LockEntry> = { entries: new Map(), problems: new Map() };
		const images: Layers<ImageEntry> = { entries: new Map(), problems: new Map() };
		for (const path of beside === undefined ? [own] : [own, beside]) {
			const lock = await readLock(path, this.#lock_bytes_max);
			if (!lock.ok) {
				return lock;
			}
			const { damaged } = lock.value;
			lay(packages, path, lock.value.packages, damaged.packages);
			lay(images, path, lock.value.images, damaged.images);
		}
		return succeed({
			...{ packages: packages.entries, images: images.entries },
			problems: { packages: packages.problems, images: images.problems },
		});
	}

	#enqueue<Kind extends keyof LockEntries>(
		...change: Change<Kind>
	): Promise<Result<LockEntries[Kind], InstallFailure>> {
		const done = this.#turn.then(() => this.#change(...change));
		this.#turn = done.catch(() => undefined);
		return done;
	}

	async #change<Kind extends keyof LockEntries>(
		...change: Change<Kind>
	): Promise<Result<LockEntries[Kind], InstallFailure>> {
		const { beside, own } = this.#places;
		for (const path of beside === undefined ? [own] : [beside, own]) {
			try {
				return await this.#holding(path, () => this.#write(path, ...change));
			} catch (error) {
				const { code = "", message } = error as NodeJS.ErrnoException;
				if (path !== own && refused_codes.includes(code)) {
					continue;
				}
				const full = code === "ENOSPC" || code === "EDQUOT";
				const kind = full ? "disk_full" : "no_permission";
				const line = `${path} cannot be written (${code || "unknown"})`;
				return fail({ kind, line, detail: message });
			}
		}
		return fail({ kind: "other", line: "there is no place for the lock" });
	}

	async #write<Kind extends keyof LockEntries>(
		path: string,
		...[kind, key, decide, options]: Change<Kind>
	): Promise<Result<LockEntries[Kind], InstallFailure>> {
		const all = await this.#read();
		if (!all.ok) {
			return all;
		}
		const locked: LockContent = all.value;
		const problem = all.value.problems[kind].get(key);
		if (problem !== undefined && options.mends !== true) {
			return fail(problem);
		}
		const decided = decide(locked[kind]);
		if (!decided.ok || decided.value === locked[kind].get(key)) {
			return decided;
		}
		const { beside } = this.#places;
		if (path !== beside && beside !== undefined) {
			const first = await readLock(beside, this.#lock_bytes_max);
			const is_there =
				first.ok && (first.value[kind].has(key) || first.value.damaged[kind].has(key));
			if (is_there) {
				const line = `${beside} holds ${key} and may not be written`;
				return fail({ kind: "no_permission", line });
			}
		}
		const before = await fileState(path);
		const here = await readLock(path, this.#lock_bytes_max);
		if (!here.ok) {
			return here;
		}
		const written: LockContent = here.value;
		const entries = new Map([...written[kind], [key, decided.value]]);
		const others = new Map([...here.value.damaged[kind]].filter(([name]) => name !== key));
		const damaged = { ...here.value.damaged, [kind]: others };
		const text = renderLock({ ...here.value, [kind]: entries, damaged });
		if (Buffer.byteLength(text) > this.#lock_bytes_max) {
			return fail({ kind: "other", line: `${path} would be larger than any lock` });
		}
		if (await replaceFile(path, text, before)) {
			return decided;
		}
		// Somebody who does not take turns, such as an editor or a version control system.
		return await this.#write(path, kind, key, decide, options);
	}

	/** Does something while no other gateway writes the file. */
	async #holding<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
		const held = join(dirname(path), `.${basename(path)}.held`);
		for (;;) {
			try {
				await (await open(held, "wx", 0o600)).close();
				break;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
					throw error;
				}
			}
			const taken = await stat(held).catch(() => undefined);
			if (taken !== undefined && this.#clock.now() - taken.mtimeMs > held_ms_max) {
				await rm(held, { force: true });
				continue;
			}
			await sleep(this.#clock, retry_ms);
		}
		try {
			return await work();
		} finally {
			await rm(held, { force: true });
		}
	}
}

/** What both files say, and what is wrong with entries that cannot be used. */
type MergedLock = LockContent & {
	readonly problems: {
		readonly [Kind in keyof LockEntries]: ReadonlyMap<string, InstallFailure>;
	};
};

/** The entries of one kind, of one file over the other. */
interface Layers<Entry> {
	readonly entries: Map<string, Entry>;
	readonly problems: Map<string, InstallFailure>;
}

function lay<Entry>(
	{ entries, problems }: Layers<Entry>,
	path: string,
	intact: ReadonlyMap<string, Entry>,
	damaged: ReadonlyMap<string, DamagedEntry>,
): void {
	for (const [key, entry] of intact) {
		entries.set(key, entry);
		problems.delete(key);
	}
	for (const [key, { problem }] of damaged) {
		entries.delete(key);
		problems.set(key, { kind: "entry_damaged", line: `${path} ${problem}` });
	}
}

function foundIn<Entry>(
	entries: ReadonlyMap<string, Entry>,
	problems: ReadonlyMap<string, InstallFailure>,
	key: string,
): Result<Entry | undefined, InstallFailure> {
	const problem = problems.get(key);
	return problem === undefined ? succeed(entries.get(key)) : fail(problem);
}

const none = { packages: new Map<never, never>(), images: new Map<never, never>() };

async function readLock(
	path: string,
	bytes_max: number,
): Promise<Result<ReadLock, InstallFailure>> {
	let text: string;
	try {
		const { size } = await stat(path);
		if (size > bytes_max) {
			return fail({ kind: "lock_damaged", line: `${path} is larger than any lock` });
		}
		text = await readFile(path, "utf8");
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return code === "ENOENT" || code === "ENOTDIR"
			? succeed({ ...none, damaged: none })
			: fail({ kind: "no_permission", line: `${path} cannot be read (${code})`, detail: message });
	}
	const lock = parseLock(text);
	return lock.ok ? lock : fail({ kind: "lock_damaged", line: `${path} ${lock.problem}` });
}
