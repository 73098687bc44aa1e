import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessIdentity } from "./process-table.ts";

/**
 * The list of what a gateway has started, kept on disk so that somebody else can clean up
 * after it: one JSON line per event, appended before anything else can go wrong, one file per
 * owner. The first line names the owner, the others what it started and what has ended.
 */

/** One program that was started and has not been seen to end. */
export interface LedgerEntry extends ProcessIdentity {
	/** Process group, which is the pid: every program leads its own group. */
	readonly pgid: number;
	readonly server: string;
}

/** What a ledger file says. */
export interface LedgerContent {
	readonly owner_id: string;
	/** The gateway that wrote it. */
	readonly owner: ProcessIdentity;
	/** Folders that hold the control groups of what it started. */
	readonly group_folders: readonly string[];
	readonly entries: readonly LedgerEntry[];
}

/** Lines after which the file is written anew with only what still runs. */
const lines_max = 2_000;
/** A ledger larger than this was not written by us. */
const ledger_bytes_max = 8 * 1024 * 1024;
const prefix = "children-";
const suffix = ".ndjson";

/** The folder of everything that only matters while a gateway runs. */
export function runFolder(data_dir: string): string {
	return join(data_dir, "run");
}

/** The ledger's path for one owner. */
export function ledgerPath(data_dir: string, owner_id: string): string {
	return join(runFolder(data_dir), `${prefix}${owner_id}${suffix}`);
}

/** The owner's side: writes synchronously, because a line that comes late may never come. */
export class Ledger {
	readonly path: string;
	readonly #header: string;
	readonly #entries = new Map<number, LedgerEntry>();
	#lines = 1;

	constructor(
		data_dir: string,
		owner_id: string,
		owner: ProcessIdentity,
		group_folders: readonly string[] = [],
	) {
		this.path = ledgerPath(data_dir, owner_id);
		const { pid, start_time } = owner;
		this.#header = line({ owner_id, pid, start_time, group_folders });
		mkdirSync(runFolder(data_dir), { recursive: true, mode: 0o700 });
		this.#replace([]);
	}

	/** Records a program that has just been started. */
	add(entry: LedgerEntry): void {
		this.#entries.set(entry.pid, entry);
		this.#append(entry);
	}

	/** Records that a program and everything it started have ended. */
	remove(pid: number): void {
		if (this.#entries.delete(pid)) {
			this.#append({ ended: pid });
		}
	}

	/** Removes the file; nothing is left to clean up. */
	discard(): void {
		rmSync(this.path, { force: true });
	}

	#append(record: object): void {
		this.#lines += 1;
		if (this.#lines <= lines_max + this.#entries.size) {
			appendFileSync(this.path, line(record), { mode: 0o600 });
			return;
		}
		this.#replace([...this.#entries.values()]);
	}

	/** A reader sees the old file or the new one, never a half. */
	#replace(kept: readonly LedgerEntry[]): void {
		const next = `${this.path}.next`;
		writeFileSync(next, this.#header + kept.map(line).join(""), { mode: 0o600 });
		renameSync(next, this.path);
		this.#lines = 1 + kept.length;
	}
}

function line(record: object): string {
	return `${JSON.stringify(record)}\n`;
}

/**
 * Reads a ledger. Lines that are not understood are skipped (the last one may be half written);
 * undefined when there is no file or its first line names no owner.
 */
export async function readLedger(path: string): Promise<LedgerContent | undefined> {
	let text: string;
	try {
		if ((await stat(path)).size > ledger_bytes_max) {
			return undefined;
		}
		text = await readFile(path, "utf8");
	} catch {
		return undefined;
	}
	return parseLedger(text);
}

/** Parses the text of a ledger. */
export function parseLedger(text: string): LedgerContent | undefined {
	const records = text.split("\n").flatMap((raw) => parseRecord(raw) ?? []);
	const header = records[0];
	if (header === undefined) {
		return undefined;
	}
	const { owner_id, pid: owner_pid, start_time } = header;
	if (
		typeof owner_id !== "string" ||
		typeof owner_pid !== "number" ||
		typeof start_time !== "string"
	) {
		return undefined;
	}
	const entries = new Map<number, LedgerEntry>();
	for (const record of records.slice(1)) {
		if (typeof record.ended === "number") {
			entries.delete(record.ended);
		} else if (isIdentity(record) && isPid(record.pgid)) {
			entries.set(record.pid, {
				pid: record.pid,
				start_time: record.start_time,
				pgid: record.pgid,
				server: typeof record.server === "string" ? record.server : "",
			});
		}
	}
	return {
		owner_id,
		owner: { pid: owner_pid, start_time },
		group_folders: Array.isArray(header.group_folders)
			? header.group_folders.filter((folder) => typeof folder === "string")
			: [],
		entries: [...entries.values()],
	};
}

/** Paths of all ledgers in a data folder. */
export async function listLedgers(data_dir: string): Promise<string[]> {
	try {
		const names = await readdir(runFolder(data_dir));
		return names
			.filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
			.map((name) => join(runFolder(data_dir), name));
	} catch {
		return [];
	}
}

/** Members a record may have; their types are not yet known. */
type Fields = {
	readonly [Name in
		| "owner_id"
		| "pid"
		| "start_time"
		| "group_folders"
		| "pgid"
		| "server"
		| "ended"]?: unknown;
};

function parseRecord(raw: string): Fields | undefined {
	if (raw === "") {
		return undefined;
	}
	try {
		const value: unknown = JSON.parse(raw);
		const is_object = typeof value === "object" && value !== null && !Array.isArray(value);
		return is_object ? value : undefined;
	} catch {
		return undefined;
	}
}

/** Pids 0 and 1 and negative ones mean groups and the system to `kill`; never from a file. */
function isPid(value: unknown): value is number {
	return typeof value === "number" && Number.isInteger(value) && value > 1;
}

function isIdentity(record: Fields): record is Fields & ProcessIdentity {
	return isPid(record["pid"]) && typeof record["start_time"] === "string";
}
