import {
	chmodSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isWithinAny, system_folders } from "./protection.ts";

/*
 * Each thing that is bound into a sandbox costs its start a fraction of a millisecond, and settings
 * are many small files. So there is one folder with copies of them, which is bound as a whole.
 */

/** A setting, and the real file or folder that it is. */
export type Setting = readonly [path: string, real: string];

/** What is bound as `/etc`, and what over it. */
export interface BoundSettings {
	readonly folder: string;
	/** Settings that are bound as they are. */
	readonly live: readonly Setting[];
}

/**
 * Which authorities are trusted, and who resolves names: a change of these is seen at once. Where
 * `alternatives` are, they are hundreds of links, which would cost the gateway's start more.
 */
const live_paths: ReadonlySet<string> = new Set([
	"/etc/alternatives",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/etc/pki",
	"/etc/resolv.conf",
	"/etc/ssl/cert.pem",
	"/etc/ssl/certs",
]);

/** What one setting may have to be copied; larger ones are bound as they are. */
const entries_max = 2_000;
const file_bytes_max = 1024 * 1024;

const folder_mode = 0o755;
const file_mode = 0o644;
const others_may_read = 0o004;

/** A file, a folder or a link, which has no stats here, and the place of its copy. */
type Found = [source: string, place: string, stats: Stats | undefined];

/** What was copied so far. */
interface Copied {
	/** What each file and folder was like. */
	readonly seen: Map<string, string>;
	/** Places in the folder of the copies that are in use. */
	readonly kept: Set<string>;
}

/** Keeps the copies, and brings them up to date when something changes. */
export class SettingsCopy {
	readonly #folder: string;
	readonly #settings: readonly Setting[];
	/** Texts of files that sandboxes have in place of the machine's own, by their path. */
	readonly #own: ReadonlyMap<string, string>;
	/** What the copied files and folders were like; undefined where they are to be looked at anew. */
	#seen: ReadonlyMap<string, string> | undefined;
	#live: readonly Setting[] = [];

	constructor(folder: string, settings: readonly Setting[], own: ReadonlyMap<string, string>) {
		this.#folder = folder;
		this.#settings = settings;
		this.#own = own;
	}

	/**
	 * Brings the copies up to date, at once: whoever starts a server must not find half of a change.
	 * Undefined where that is not possible, such as on a full disk.
	 */
	refresh(): BoundSettings | undefined {
		try {
			if (this.#seen === undefined || !isAsSeen(this.#seen)) {
				this.#seen = undefined;
				this.#seen = this.#copyAll();
			}
			return { folder: this.#folder, live: this.#live };
		} catch {
			return undefined;
		}
	}

	#copyAll(): ReadonlyMap<string, string> {
		const live: Setting[] = [];
		const copied: Copied = { seen: new Map(), kept: new Set() };
		const { seen, kept } = copied;
		mkdirSync(this.#folder, { recursive: true, mode: folder_mode });
		for (const setting of this.#settings) {
			const [path, real] = setting;
			const place = this.#placeOf(path);
			const stats = statSync(real, { throwIfNoEntry: false });
			if (stats === undefined) {
				// Removed since the gateway was started; it is looked for again each time.
				seen.set(real, "");
				continue;
			}
			keepWithParents(kept, place, this.#folder);
			if (isWithinAny(real, system_folders)) {
				copyLink(real, place);
			} else if (live_paths.has(path) || !copyTree([real, place, stats], copied)) {
				live.push(setting);
				makePlace(place, stats.isDirectory());
			}
		}
		for (const [path, text] of this.#own) {
			const place = this.#placeOf(path);
			keepWithParents(kept, place, this.#folder);
			writeChanged(place, Buffer.from(text));
		}
		removeOthers(this.#folder, kept);
		this.#live = live;
		return seen;
	}

	#placeOf(path: string): string {
		return join(this.#folder, path.slice("/etc/".length));
	}
}

/** Whether everything that was copied is as it was. */
function isAsSeen(seen: ReadonlyMap<string, string>): boolean {
	for (const [path, mark] of seen) {
		const stats = statSync(path, { throwIfNoEntry: false });
		if ((stats === undefined ? "" : markOf(stats)) !== mark) return false;
	}
	return true;
}

/** Nobody can set the time at which something was changed last. */
function markOf({ ctimeMs, ino, size }: Stats): string {
	return `${ctimeMs} ${ino} ${size}`;
}

function keepWithParents(kept: Set<string>, place: string, top: string): void {
	for (let path = place; path !== top; path = dirname(path)) kept.add(path);
}

/**
 * Makes a copy like its source, as far as everybody may read that. False where there is nothing to
 * copy, or too much.
 */
function copyTree([source, place, stats]: Found, copied: Copied): boolean {
	const found: Found[] = [[source, place, stats]];
	const entries: Found[] = [];
	for (const entry of found) {
		const [from, to, about] = entry;
		if (found.length > entries_max) return false;
		if (about !== undefined) {
			if (about.isFile() && about.size > file_bytes_max) return false;
			copied.seen.set(from, markOf(about));
			if ((about.mode & others_may_read) === 0) continue;
		}
		entries.push(entry);
		if (about?.isDirectory() !== true) continue;
		for (const inner of readdirSync(from, { withFileTypes: true })) {
			const path = join(from, inner.name);
			// What a link leads to is looked at by whoever follows it.
			const stats = inner.isSymbolicLink() ? undefined : lstatSync(path, { throwIfNoEntry: false });
			if (inner.isSymbolicLink() || stats !== undefined) {
				found.push([path, join(to, inner.name), stats]);
			}
		}
	}
	for (const [from, to, about] of entries) {
		if (about === undefined) copyLink(readlinkSync(from), to);
		else if (about.isDirectory()) makePlace(to, true);
		else if (about.isFile()) writeChanged(to, readFileSync(from));
		else continue;
		copied.kept.add(to);
	}
	return entries.length > 0;
}

/** An empty file or folder, where something is bound over it. What is there may stay. */
function makePlace(place: string, is_folder: boolean): void {
	const there = lstatSync(place, { throwIfNoEntry: false });
	if (is_folder) {
		if (there?.isDirectory() !== true) rmSync(place, { recursive: true, force: true });
		mkdirSync(place, { recursive: true, mode: folder_mode });
	} else {
		writeChanged(place, Buffer.alloc(0));
	}
}

function copyLink(target: string, place: string): void {
	// What is there already costs one look.
	if (targetOf(place) === target) return;
	const there = lstatSync(place, { throwIfNoEntry: false });
	replace(place, there, (draft) => symlinkSync(target, draft));
}

function targetOf(place: string): string | undefined {
	try {
		return readlinkSync(place);
	} catch {
		return undefined;
	}
}

function writeChanged(place: string, bytes: Buffer): void {
	const there = lstatSync(place, { throwIfNoEntry: false });
	if (there?.isFile() === true && readFileSync(place).equals(bytes)) return;
	replace(place, there, (draft) => {
		// Never through a link that was left there.
		writeFileSync(draft, bytes, { flag: "wx" });
		// Whatever the gateway's user wants of new files: a server may be another user.
		chmodSync(draft, file_mode);
	});
}

/** Servers that run see either the old or the new. */
function replace(place: string, there: Stats | undefined, make: (draft: string) => void): void {
	const draft = `${place}.new`;
	try {
		make(draft);
	} catch {
		// Its folder is missing, or a gateway was killed right here.
		mkdirSync(dirname(place), { recursive: true, mode: folder_mode });
		rmSync(draft, { recursive: true, force: true });
		make(draft);
	}
	if (there?.isDirectory() === true) rmSync(place, { recursive: true, force: true });
	renameSync(draft, place);
}

/** Removes what is no copy of anything any more. */
function removeOthers(folder: string, kept: ReadonlySet<string>): void {
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		const place = join(folder, entry.name);
		if (!kept.has(place)) rmSync(place, { recursive: true, force: true });
		else if (entry.isDirectory()) removeOthers(place, kept);
	}
}
