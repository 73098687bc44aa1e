import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { runFolder } from "./ledger.ts";
import type { ProcessIdentity, ProcessTable } from "./process-table.ts";
import { isRunning, systemProcessTable } from "./process-table.ts";

/**
 * One gateway per data folder, and how others find it.
 *
 * Two files in `run/`. `gateway.lock` is locked through the operating system for as long as the
 * gateway lives (an open exclusive transaction on an empty SQLite file: Node has no lock of its
 * own), so two gateways that start at the same moment cannot both win, and no crash leaves it
 * locked. `gateway.json` tells everyone else which process it is and where it listens; its pid
 * and start time tell a running gateway from one that has crashed.
 */

/** What a gateway says of itself to those who look for it. */
export interface GatewayInfo {
	/** Where it listens, e.g. `http://127.0.0.1:8642`; undefined until it does. */
	readonly url?: string | undefined;
	readonly version?: string | undefined;
	/** Its configuration file. */
	readonly config_path?: string | undefined;
	readonly started_at_ms?: number | undefined;
}

/** A gateway as found in `gateway.json`. */
export interface GatewayRecord extends GatewayInfo, ProcessIdentity {}

/** What a data folder says about its gateway. */
export type DataLockState =
	| { readonly state: "running"; readonly gateway: GatewayRecord }
	/** It ended without tidying up. */
	| { readonly state: "stale"; readonly gateway: GatewayRecord | undefined }
	| { readonly state: "none" };

/** Why the data folder cannot be had. */
export interface DataLockProblem {
	readonly kind: "running" | "unusable";
	/** A sentence with what to do next. */
	readonly message: string;
	/** The gateway that has it, when it can be told. */
	readonly gateway?: GatewayRecord | undefined;
}

/** The data folder, held by this process. */
export interface DataLock {
	/** Adds to what others read, e.g. the address once it is known. Atomic. */
	update(info: GatewayInfo): Promise<void>;
	/** Gives the folder up. Idempotent. */
	release(): Promise<void>;
}

/** A gateway that just releases the folder gets this long before it counts as running. */
const lock_wait_ms = 250;
/** A record is a few hundred bytes; a file beyond this is not one. */
const record_bytes_max = 64 * 1024;

/** Takes the data folder for this process, making the folder where it does not exist. */
export async function acquireDataLock(
	data_dir: string,
	info: GatewayInfo,
	clock: Clock = systemClock,
): Promise<Result<DataLock, DataLockProblem>> {
	const table = systemProcessTable(clock);
	const self = await table.row(process.pid);
	let held: DatabaseSync | undefined;
	try {
		await mkdir(runFolder(data_dir), { recursive: true, mode: 0o700 });
		held = await holdLock(join(runFolder(data_dir), "gateway.lock"));
		const found = await readDataLock(data_dir, clock);
		// Where a file system does not really lock, the record still does.
		const other = found.state === "running" && found.gateway.pid !== process.pid;
		if (held === undefined || other) {
			held?.close();
			return fail(runningProblem(data_dir, found));
		}
		const lock = new HeldDataLock(data_dir, held, {
			...info,
			pid: process.pid,
			start_time: self?.start_time ?? "unknown",
		});
		await lock.write();
		return succeed(lock);
	} catch (error) {
		held?.close();
		return fail({
			kind: "unusable",
			message:
				`The data folder ${data_dir} cannot be used (${describeError(error)}). ` +
				"Make it writable, or choose another with --data.",
		});
	}
}

/** Finds the gateway of a data folder without taking it. Never throws. */
export async function readDataLock(
	data_dir: string,
	clock: Clock = systemClock,
): Promise<DataLockState> {
	let text: string;
	try {
		text = await readFile(recordPath(data_dir), "utf8");
	} catch {
		return { state: "none" };
	}
	const gateway = parseRecord(text);
	if (gateway === undefined) {
		return { state: "stale", gateway };
	}
	const table: ProcessTable = systemProcessTable(clock);
	return { state: (await isRunning(table, gateway)) ? "running" : "stale", gateway };
}

class HeldDataLock implements DataLock {
	readonly #data_dir: string;
	readonly #held: DatabaseSync;
	#record: GatewayRecord;
	#released = false;

	constructor(data_dir: string, held: DatabaseSync, record: GatewayRecord) {
		this.#data_dir = data_dir;
		this.#held = held;
		this.#record = record;
	}

	async update(info: GatewayInfo): Promise<void> {
		this.#record = { ...this.#record, ...info };
		await this.write();
	}

	/** Writes the record beside its place and moves it there: readers never see a half. */
	async write(): Promise<void> {
		if (this.#released) {
			return;
		}
		const path = recordPath(this.#data_dir);
		const next = `${path}.next`;
		await rm(next, { force: true });
		const file = await open(next, "wx", 0o600);
		try {
			await file.writeFile(`${JSON.stringify(this.#record, undefined, "\t")}\n`);
		} finally {
			await file.close();
		}
		await rename(next, path);
	}

	async release(): Promise<void> {
		if (this.#released) {
			return;
		}
		this.#released = true;
		await rm(recordPath(this.#data_dir), { force: true });
		this.#held.close();
	}
}

/** The open lock, or undefined when another process has it. */
async function holdLock(path: string): Promise<DatabaseSync | undefined> {
	const database = new DatabaseSync(path, { timeout: lock_wait_ms });
	try {
		await chmod(path, 0o600);
		database.exec("BEGIN EXCLUSIVE");
		return database;
	} catch (error) {
		database.close();
		// SQLITE_BUSY; everything else means that the folder itself is at fault.
		if ((error as { errcode?: number }).errcode === 5) {
			return undefined;
		}
		throw error;
	}
}

function runningProblem(data_dir: string, found: DataLockState): DataLockProblem {
	const gateway = found.state === "none" ? undefined : found.gateway;
	const who = gateway === undefined ? "Another gateway" : `A gateway (process ${gateway.pid})`;
	const where = gateway?.url === undefined ? "" : ` at ${gateway.url}`;
	return {
		kind: "running",
		message:
			`${who} already runs on the data folder ${data_dir}${where}. ` +
			"Stop it first, or choose another folder with --data.",
		gateway,
	};
}

function recordPath(data_dir: string): string {
	return join(runFolder(data_dir), "gateway.json");
}

function parseRecord(text: string): GatewayRecord | undefined {
	if (text.length > record_bytes_max) {
		return undefined;
	}
	try {
		const value = JSON.parse(text) as Partial<GatewayRecord> | null;
		const valid =
			Number.isInteger(value?.pid) &&
			typeof value?.start_time === "string" &&
			(value.url === undefined || typeof value.url === "string");
		return valid ? (value as GatewayRecord) : undefined;
	} catch {
		return undefined;
	}
}

function describeError(error: unknown): string {
	return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
