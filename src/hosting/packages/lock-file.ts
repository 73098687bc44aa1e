import { open, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileState, replaceFile } from "../../config/replace-file.ts";
import { type Clock, sleep } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { ImageEntry } from "./image-entry.ts";
import type { LockEntry } from "./lock-entry.ts";
import type { Lock, LockContent, LockEntries } from "./lock-text.ts";
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
];

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

	/** All packages that are locked. What stands beside the configuration goes first. */
	async read(): Promise<Result<Lock, InstallFailure>> {
		const all = await this.#read();
		return all.ok ? succeed(all.value.packages) : all;
	}

	/** All images that are locked, likewise. */
	async readImages(): Promise<Result<LockContent["images"], InstallFailure>> {
		const all = await this.#read();
		return all.ok ? succeed(all.value.images) : all;
	}

	/**
	 * Locks one request. `decide` sees all packages that are locked at that moment and gives the
	 * entry to keep, which may be one that another gateway was faster to write.
	 */
	change(
		key: string,
		decide: (lock: Lock) => Result<LockEntry, InstallFailure>,
	): Promise<Result<LockEntry, InstallFailure>> {
		return this.#enqueue("packages", key, decide);
	}

	/** Locks one image, as `change` does a package. */
	changeImage(
		name: string,
		decide: (images: LockContent["images"]) => ImageEntry,
	): Promise<Result<ImageEntry, InstallFailure>> {
		return this.#enqueue("images", name, (images) => succeed(decide(images)));
	}

	async #read(): Promise<Result<LockContent, InstallFailure>> {
		const { beside, own } = this.#places;
		const packages = new Map<string, LockEntry>();
		const images = new Map<string, ImageEntry>();
		for (const path of beside === undefined ? [own] : [own, beside]) {
			const lock = await readLock(path, this.#lock_bytes_max);
			if (!lock.ok) {
				return lock;
			}
			for (const [key, entry] of lock.value.packages) {
				packages.set(key, entry);
			}
			for (const [name, entry] of lock.value.images) {
				images.set(name, entry);
			}
		}
		return succeed({ packages, images });
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
		...[kind, key, decide]: Change<Kind>
	): Promise<Result<LockEntries[Kind], InstallFailure>> {
		const all = await this.#read();
		if (!all.ok) {
			return all;
		}
		const decided = decide(all.value[kind]);
		if (!decided.ok || decided.value === all.value[kind].get(key)) {
			return decided;
		}
		const { beside } = this.#places;
		if (path !== beside && beside !== undefined) {
			const first = await readLock(beside, this.#lock_bytes_max);
			if (first.ok && first.value[kind].has(key)) {
				const line = `${beside} holds ${key} and may not be written`;
				return fail({ kind: "no_permission", line });
			}
		}
		const before = await fileState(path);
		const here = await readLock(path, this.#lock_bytes_max);
		if (!here.ok) {
			return here;
		}
		const entries = new Map([...here.value[kind], [key, decided.value]]);
		const text = renderLock({ ...here.value, [kind]: entries });
		if (Buffer.byteLength(text) > this.#lock_bytes_max) {
			return fail({ kind: "other", line: `${path} would be larger than any lock` });
		}
		if (await replaceFile(path, text, before)) {
			return decided;
		}
		// Somebody who does not take turns, such as an editor or a version control system.
		return await this.#write(path, kind, key, decide);
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

async function readLock(
	path: string,
	bytes_max: number,
): Promise<Result<LockContent, InstallFailure>> {
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
			? succeed({ packages: new Map(), images: new Map() })
			: fail({ kind: "no_permission", line: `${path} cannot be read (${code})`, detail: message });
	}
	const lock = parseLock(text);
	return lock.ok ? lock : fail({ kind: "lock_damaged", line: `${path} ${lock.problem}` });
}
