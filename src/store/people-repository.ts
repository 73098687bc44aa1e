import { sql } from "kysely";
import type { Connection } from "./tables.ts";

const rows_at_once = 1_000;
/** Where a row lies in its table. */
const row_place = sql<number>`rowid`;

/** A person as they are kept. */
export interface StoredUser {
	readonly tenant: string;
	readonly user: string;
	readonly display_name: string | undefined;
	readonly roles: readonly string[];
	/** Argon2id in PHC form; undefined for whoever has no password here. */
	readonly password_hash: string | undefined;
	/** The identity provider they come from, and what it calls them. */
	readonly provider: string | undefined;
	readonly subject: string | undefined;
	readonly created_at_ms: number;
	readonly login_at_ms: number | undefined;
}

/** An API key as it is kept: its hash only. */
export interface StoredKey {
	readonly name: string;
	/** SHA-256 in hex. */
	readonly hash: string;
	readonly tenant: string;
	readonly user: string;
	/** Undefined: the roles of its holder. */
	readonly roles: readonly string[] | undefined;
	/** Undefined: not limited by scopes. */
	readonly scopes: readonly string[] | undefined;
	readonly created_at_ms: number;
	readonly expires_at_ms: number | undefined;
	readonly used_at_ms: number | undefined;
}

/** Keeps people and their API keys. Failures of the database reject. */
export interface PeopleRepository {
	/** Everybody, in no order. */
	users(): Promise<StoredUser[]>;
	/** Stores a person in place of the one of that tenant and name. */
	saveUser(user: StoredUser): Promise<void>;
	removeUser(tenant: string, user: string): Promise<void>;
	keys(): Promise<StoredKey[]>;
	saveKey(key: StoredKey): Promise<void>;
	removeKey(name: string): Promise<void>;
	removeKeysOf(tenant: string, user: string): Promise<void>;
	noteKeyUse(name: string, used_at_ms: number): Promise<void>;
}

/** People in the table `users`, keys in `api_keys`. */
export class SqlPeopleRepository implements PeopleRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async users(): Promise<StoredUser[]> {
		const users: StoredUser[] = [];
		// Most people have the roles of many others: each text is read once.
		const lists = new Map<string, readonly string[]>();
		for (let last = 0; ; ) {
			const rows = await this.#usersAfter(last);
			for (const row of rows) {
				const roles = lists.get(row.roles) ?? (JSON.parse(row.roles) as string[]);
				lists.set(row.roles, roles);
				users.push({
					tenant: row.tenant,
					user: row.user,
					display_name: row.display_name ?? undefined,
					roles,
					password_hash: row.password_hash ?? undefined,
					provider: row.provider ?? undefined,
					subject: row.subject ?? undefined,
					created_at_ms: Number(row.created_at_ms),
					login_at_ms: maybeNumber(row.login_at_ms),
				});
				last = row.place;
			}
			if (rows.length < rows_at_once) return users;
		}
	}

	/** The next rows as they lie in the table: sorting, and holding all at once, costs twice. */
	#usersAfter(place: number) {
		return this.#db
			.selectFrom("users")
			.selectAll()
			.select(row_place.as("place"))
			.where(row_place, ">", place)
			.orderBy(row_place)
			.limit(rows_at_once)
			.execute();
	}

	async saveUser({ tenant, user, ...rest }: StoredUser): Promise<void> {
		const values = {
			display_name: rest.display_name ?? null,
			roles: JSON.stringify(rest.roles),
			password_hash: rest.password_hash ?? null,
			provider: rest.provider ?? null,
			subject: rest.subject ?? null,
			created_at_ms: rest.created_at_ms,
			login_at_ms: rest.login_at_ms ?? null,
		};
		await this.#db
			.insertInto("users")
			.values({ tenant, user, ...values })
			.onConflict((conflict) => conflict.columns(["tenant", "user"]).doUpdateSet(values))
			.execute();
	}

	async removeUser(tenant: string, user: string): Promise<void> {
		await this.#db
			.deleteFrom("users")
			.where("tenant", "=", tenant)
			.where("user", "=", user)
			.execute();
	}

	async keys(): Promise<StoredKey[]> {
		const rows = await this.#db.selectFrom("api_keys").selectAll().orderBy("name").execute();
		return rows.map((row) => ({
			name: row.name,
			hash: row.hash,
			tenant: row.tenant,
			user: row.user,
			roles: maybeList(row.roles),
			scopes: maybeList(row.scopes),
			created_at_ms: Number(row.created_at_ms),
			expires_at_ms: maybeNumber(row.expires_at_ms),
			used_at_ms: maybeNumber(row.used_at_ms),
		}));
	}

	async saveKey({ name, ...rest }: StoredKey): Promise<void> {
		const values = {
			...rest,
			roles: rest.roles === undefined ? null : JSON.stringify(rest.roles),
			scopes: rest.scopes === undefined ? null : JSON.stringify(rest.scopes),
			expires_at_ms: rest.expires_at_ms ?? null,
			used_at_ms: rest.used_at_ms ?? null,
		};
		await this.#db
			.insertInto("api_keys")
			.values({ name, ...values })
			.onConflict((conflict) => conflict.column("name").doUpdateSet(values))
			.execute();
	}

	async removeKey(name: string): Promise<void> {
		await this.#db.deleteFrom("api_keys").where("name", "=", name).execute();
	}

	async removeKeysOf(tenant: string, user: string): Promise<void> {
		await this.#db
			.deleteFrom("api_keys")
			.where("tenant", "=", tenant)
			.where("user", "=", user)
			.execute();
	}

	async noteKeyUse(name: string, used_at_ms: number): Promise<void> {
		await this.#db.updateTable("api_keys").set({ used_at_ms }).where("name", "=", name).execute();
	}
}

function maybeNumber(value: number | string | null): number | undefined {
	return value === null ? undefined : Number(value);
}

function maybeList(text: string | null): readonly string[] | undefined {
	return text === null ? undefined : (JSON.parse(text) as string[]);
}
