import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
	CompiledQuery,
	type DatabaseConnection,
	SqliteAdapter,
	type SqliteDatabase,
	SqliteDialect,
	SqliteDriver,
	type SqliteStatement,
} from "kysely";

/** Prepared statements kept ready; the least recently used one makes room. */
export const statements_max = 128;

/** Longer statements are rare (many rows at once) and not worth keeping prepared. */
export const statement_text_max = 8192;

/**
 * Kysely's SQLite dialect over `node:sqlite`.
 *
 * Kysely was written for better-sqlite3, which takes all parameters as one array and tells by
 * `reader` whether a statement returns rows; `node:sqlite` takes them one by one and does not
 * tell. The adapter below bridges the two and keeps prepared statements, because preparing
 * costs more than running.
 */
export class NodeSqliteDialect extends SqliteDialect {
	readonly #raw: DatabaseSync;
	readonly #database: SqliteDatabase;

	constructor(raw: DatabaseSync) {
		const database = adaptDatabase(raw);
		super({ database });
		this.#raw = raw;
		this.#database = database;
	}

	override createDriver(): SqliteDriver {
		return new ImmediateDriver(this.#database, this.#raw);
	}

	override createAdapter(): SqliteAdapter {
		return new TransactionalAdapter();
	}
}

/**
 * Takes the write lock when a transaction begins. A deferred transaction that reads first and
 * writes later fails at once, without waiting, when another process wrote in between.
 */
class ImmediateDriver extends SqliteDriver {
	readonly #raw: DatabaseSync;

	constructor(database: SqliteDatabase, raw: DatabaseSync) {
		super({ database });
		this.#raw = raw;
	}

	/** SQLite has done so itself where the disk is full; to do it again would hide that error. */
	override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
		if (this.#raw.isTransaction) await super.rollbackTransaction(connection);
	}

	override async beginTransaction(connection: DatabaseConnection): Promise<void> {
		await connection.executeQuery(CompiledQuery.raw("begin immediate"));
	}
}

/**
 * SQLite can change tables within a transaction; kysely says otherwise for the sake of one
 * pragma that no migration of ours uses.
 */
class TransactionalAdapter extends SqliteAdapter {
	override get supportsTransactionalDdl(): boolean {
		return true;
	}
}

/** A `node:sqlite` database in the shape kysely calls. */
export function adaptDatabase(raw: DatabaseSync): SqliteDatabase {
	const cache = new StatementCache(raw);
	return {
		close() {
			cache.clear();
			raw.close();
		},
		prepare: (sql) => cache.prepare(sql),
	};
}

/** Prepared statements by their text, bounded in number, least recently used out first. */
class StatementCache {
	readonly #raw: DatabaseSync;
	readonly #statements = new Map<string, SqliteStatement>();

	constructor(raw: DatabaseSync) {
		this.#raw = raw;
	}

	prepare(sql: string): SqliteStatement {
		const known = this.#statements.get(sql);
		if (known !== undefined) {
			this.#statements.delete(sql);
			this.#statements.set(sql, known);
			return known;
		}
		const made = adaptStatement(this.#raw, sql);
		if (sql.length <= statement_text_max) {
			if (this.#statements.size >= statements_max) {
				const [oldest] = this.#statements.keys();
				this.#statements.delete(oldest as string);
			}
			this.#statements.set(sql, made);
		}
		return made;
	}

	clear(): void {
		this.#statements.clear();
	}
}

function adaptStatement(raw: DatabaseSync, sql: string): SqliteStatement {
	const statement: StatementSync = raw.prepare(sql);
	return {
		reader: statement.columns().length > 0,
		all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
		run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
		// A statement has one cursor: streaming takes one of its own, so that running the same
		// text meanwhile does not reset it.
		iterate: (parameters) => raw.prepare(sql).iterate(...(parameters as SQLInputValue[])),
	};
}
