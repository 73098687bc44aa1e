import { closeSync, fchmodSync, fstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { type Clock, systemClock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { copyBeforeUpgrade } from "./copy-before-upgrade.ts";
import { all_migrations, type Migrations, migrate, missingMigrations } from "./migrate.ts";
import { NodeSqliteDialect } from "./sqlite-dialect.ts";
import { corruptMessage, describeOpenError, type StoreProblem } from "./store-problem.ts";
import type { Connection, Tables } from "./tables.ts";

/** An open database with its tables up to date. */
export interface Database {
	readonly path: string;
	/** For reads and for single writes; each statement is its own transaction. */
	readonly connection: Connection;
	/** Runs `work` on a connection of its own; commits when it resolves, else rolls back. */
	transaction<Value>(work: (connection: Connection) => Promise<Value>): Promise<Value>;
	/** Writes everything back into the one file and closes it. Idempotent. */
	close(): Promise<void>;
}

/** Which database to open. */
export interface DatabaseOptions {
	/** Absolute path of the file, made when it is not there; or ":memory:". */
	readonly path: string;
	/** For tests of migrations; all of them unless given. */
	readonly migrations?: Migrations;
	/** Tells when a copy was made before an upgrade. */
	readonly clock?: Clock;
}

/** How long opening waits for another process that holds the file. */
const open_busy_ms = 5_000;

/**
 * How long a statement waits for another process that holds the file. SQLite waits on the main
 * thread, so this is short; the write-behind queue tries again later.
 */
const busy_ms = 250;

/** A file up to this size is checked for damage when it is opened; that takes some 20 ms. */
const check_bytes_max = 16 * 1024 * 1024;

/** The write-ahead log is cut back to this size after it was larger. */
const journal_bytes_max = 16 * 1024 * 1024;

/**
 * Opens or makes the database and runs the migrations that are missing, after a copy of what was
 * there. The file is for this
 * user only (0600), and so is a folder that has to be made (0700). Never throws for what a
 * machine may do wrong: that is a problem with a sentence.
 */
export async function openDatabase(
	options: DatabaseOptions,
): Promise<Result<Database, StoreProblem>> {
	const { path, migrations = all_migrations, clock = systemClock } = options;
	let raw: DatabaseSync | undefined;
	try {
		const size_bytes = path === ":memory:" ? 0 : prepareFile(path);
		raw = new DatabaseSync(path, { timeout: open_busy_ms, enableForeignKeyConstraints: true });
		const damage = tune(raw, size_bytes);
		if (damage !== undefined) {
			raw.close();
			return fail({ code: "corrupt", message: corruptMessage(path), detail: damage });
		}
		const kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(raw) });
		const untyped = kysely as Kysely<unknown>;
		const missing = await missingMigrations(untyped, migrations);
		const [first] = missing;
		if (first !== undefined) copyBeforeUpgrade(raw, path, first, clock);
		const migrated = await migrate(untyped, path, migrations);
		if (!migrated.ok) {
			await kysely.destroy();
			return migrated;
		}
		raw.exec(`pragma busy_timeout = ${busy_ms}`);
		return succeed(wrap(path, kysely));
	} catch (error) {
		if (raw?.isOpen) raw.close();
		return fail(describeOpenError(path, error));
	}
}

function wrap(path: string, kysely: Kysely<Tables>): Database {
	let closing: Promise<void> | undefined;
	return {
		path,
		connection: kysely,
		transaction: (work) => kysely.transaction().execute(work),
		close() {
			closing ??= kysely.destroy();
			return closing;
		},
	};
}

/** Makes the file before SQLite does, so that it is never readable by others, not even briefly. */
function prepareFile(path: string): number {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	const file = openSync(path, "a", 0o600);
	try {
		const stat = fstatSync(file);
		if ((stat.mode & 0o077) !== 0) fchmodSync(file, 0o600);
		return stat.size;
	} finally {
		closeSync(file);
	}
}

/** Sets the connection up. Returns what is wrong with the file when it is damaged. */
function tune(raw: DatabaseSync, size_bytes: number): string | undefined {
	// NORMAL loses no committed row when the process is killed; only a power cut may take the
	// last moments, and never leaves the file broken (sqlite.org/pragma.html#pragma_synchronous).
	raw.exec("pragma journal_mode = wal");
	raw.exec("pragma synchronous = normal");
	raw.exec(`pragma journal_size_limit = ${journal_bytes_max}`);
	raw.exec("pragma temp_store = memory");
	if (size_bytes === 0 || size_bytes > check_bytes_max) return undefined;
	const row = raw.prepare("pragma quick_check(1)").get();
	const verdict = String(row?.["quick_check"]);
	return verdict === "ok" ? undefined : verdict;
}
