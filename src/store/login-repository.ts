import type { Selectable } from "kysely";
import type { Connection, LoginRecordTable } from "./tables.ts";

/** One thing the authorization server keeps. Ids are hashes; the body is sealed. */
export interface StoredLoginRecord {
	/** What it is: `Client`, `Grant`, `RefreshToken`, `Session`, ... */
	readonly kind: string;
	readonly id: string;
	readonly body: string;
	/** The grant it came from. */
	readonly grant_id: string | undefined;
	/** Another id that it is found by. */
	readonly uid: string | undefined;
	/** Whose it is: `tenant/user`. */
	readonly account: string | undefined;
	/** The OAuth client it is for. */
	readonly client: string | undefined;
	readonly created_at_ms: number;
	/** Wall-clock milliseconds; undefined: never. */
	readonly expires_at_ms: number | undefined;
	readonly consumed_at_ms: number | undefined;
}

/** Keeps what the authorization server keeps. Failures of the database reject. */
export interface LoginRepository {
	find(kind: string, id: string): Promise<StoredLoginRecord | undefined>;
	findByUid(kind: string, uid: string): Promise<StoredLoginRecord | undefined>;
	/** All of a kind, the newest first; at most `count_max`. */
	list(kind: string, count_max: number): Promise<StoredLoginRecord[]>;
	count(kind: string): Promise<number>;
	/** Stores a record in place of that kind and id; when it was made and used up stays. */
	save(record: StoredLoginRecord): Promise<void>;
	/** Stores a record unless there is one of that kind and id; false when there is. */
	add(record: StoredLoginRecord): Promise<boolean>;
	/** Marks a record as used up; false when it was already, or is not there. */
	consume(kind: string, id: string, now_ms: number): Promise<boolean>;
	remove(kind: string, id: string): Promise<void>;
	/** Removes everything that came from a grant. */
	removeGrant(grant_id: string): Promise<void>;
	/** Removes everything of an account. */
	removeAccount(account: string): Promise<void>;
	/** Removes everything that was given to a client, and the client. */
	removeClient(client: string): Promise<void>;
	/** Removes what is over by then. */
	sweep(now_ms: number): Promise<void>;
}

/** Records in the table `login_records`. */
export class SqlLoginRepository implements LoginRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async find(kind: string, id: string): Promise<StoredLoginRecord | undefined> {
		const row = await this.#db
			.selectFrom("login_records")
			.selectAll()
			.where("kind", "=", kind)
			.where("id", "=", id)
			.executeTakeFirst();
		return row === undefined ? undefined : recordOf(row);
	}

	async findByUid(kind: string, uid: string): Promise<StoredLoginRecord | undefined> {
		const row = await this.#db
			.selectFrom("login_records")
			.selectAll()
			.where("kind", "=", kind)
			.where("uid", "=", uid)
			.executeTakeFirst();
		return row === undefined ? undefined : recordOf(row);
	}

	async list(kind: string, count_max: number): Promise<StoredLoginRecord[]> {
		const rows = await this.#db
			.selectFrom("login_records")
			.selectAll()
			.where("kind", "=", kind)
			.orderBy("created_at_ms", "desc")
			.orderBy("id")
			.limit(count_max)
			.execute();
		return rows.map(recordOf);
	}

	async count(kind: string): Promise<number> {
		const row = await this.#db
			.selectFrom("login_records")
			.select((eb) => eb.fn.countAll<number>().as("count"))
			.where("kind", "=", kind)
			.executeTakeFirstOrThrow();
		return row.count;
	}

	async save(record: StoredLoginRecord): Promise<void> {
		const { created_at_ms: _made, consumed_at_ms: _used, ...changed } = rowOf(record);
		await this.#db
			.insertInto("login_records")
			.values(rowOf(record))
			.onConflict((conflict) => conflict.columns(["kind", "id"]).doUpdateSet(changed))
			.execute();
	}

	async add(record: StoredLoginRecord): Promise<boolean> {
		const row = await this.#db
			.insertInto("login_records")
			.values(rowOf(record))
			.onConflict((conflict) => conflict.columns(["kind", "id"]).doNothing())
			.returning("id")
			.executeTakeFirst();
		return row !== undefined;
	}

	async consume(kind: string, id: string, now_ms: number): Promise<boolean> {
		const row = await this.#db
			.updateTable("login_records")
			.set({ consumed_at_ms: now_ms })
			.where("kind", "=", kind)
			.where("id", "=", id)
			.where("consumed_at_ms", "is", null)
			.returning("id")
			.executeTakeFirst();
		return row !== undefined;
	}

	async remove(kind: string, id: string): Promise<void> {
		await this.#db
			.deleteFrom("login_records")
			.where("kind", "=", kind)
			.where("id", "=", id)
			.execute();
	}

	async removeGrant(grant_id: string): Promise<void> {
		await this.#db.deleteFrom("login_records").where("grant_id", "=", grant_id).execute();
	}

	async removeAccount(account: string): Promise<void> {
		await this.#db.deleteFrom("login_records").where("account", "=", account).execute();
	}

	async removeClient(client: string): Promise<void> {
		await this.#db.deleteFrom("login_records").where("client", "=", client).execute();
	}

	async sweep(now_ms: number): Promise<void> {
		await this.#db.deleteFrom("login_records").where("expires_at_ms", "<=", now_ms).execute();
	}
}

function rowOf(record: StoredLoginRecord) {
	return {
		...record,
		grant_id: record.grant_id ?? null,
		uid: record.uid ?? null,
		account: record.account ?? null,
		client: record.client ?? null,
		expires_at_ms: record.expires_at_ms ?? null,
		consumed_at_ms: record.consumed_at_ms ?? null,
	};
}

function recordOf(row: Selectable<LoginRecordTable>): StoredLoginRecord {
	return {
		kind: row.kind,
		id: row.id,
		body: row.body,
		grant_id: textOf(row.grant_id),
		uid: textOf(row.uid),
		account: textOf(row.account),
		client: textOf(row.client),
		created_at_ms: Number(row.created_at_ms),
		expires_at_ms: row.expires_at_ms === null ? undefined : Number(row.expires_at_ms),
		consumed_at_ms: row.consumed_at_ms === null ? undefined : Number(row.consumed_at_ms),
	};
}

function textOf(value: string | null): string | undefined {
	return value ?? undefined;
}
