import type { DataKeyRow, SecretRow, SecretRows, SecretScope } from "../secrets/vault-rows.ts";
import type { Connection } from "./tables.ts";

/** The vault's rows in the tables `secrets` and `secret_keys`. */
export class SqlSecretRepository implements SecretRows {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async keys(): Promise<DataKeyRow[]> {
		const rows = await this.#db
			.selectFrom("secret_keys")
			.selectAll()
			.orderBy("created_at_ms")
			.orderBy("id")
			.execute();
		return rows.map((row) => ({ ...row, created_at_ms: Number(row.created_at_ms) }));
	}

	async addKey(key: DataKeyRow): Promise<void> {
		await this.#db.insertInto("secret_keys").values(key).execute();
	}

	async replaceKeys(keys: readonly DataKeyRow[]): Promise<void> {
		// One statement, so that all of them are sealed with one master key at any time.
		if (keys.length === 0) return;
		await this.#db
			.insertInto("secret_keys")
			.values([...keys])
			.onConflict((conflict) =>
				conflict.column("id").doUpdateSet((to) => ({
					master_id: to.ref("excluded.master_id"),
					sealed: to.ref("excluded.sealed"),
				})),
			)
			.execute();
	}

	async removeUnusedKeys(ids: readonly string[]): Promise<string[]> {
		if (ids.length === 0) return [];
		const removed = await this.#db
			.deleteFrom("secret_keys")
			.where("id", "in", [...ids])
			.where("id", "not in", (query) => query.selectFrom("secrets").select("key_id"))
			.returning("id")
			.execute();
		return removed.map(({ id }) => id);
	}

	async list(): Promise<SecretRow[]> {
		const rows = await this.#db
			.selectFrom("secrets")
			.selectAll()
			.orderBy("name")
			.orderBy("tenant")
			.orderBy("user_name")
			.execute();
		return rows.map(fromRow);
	}

	async get({ tenant, user }: SecretScope, name: string): Promise<SecretRow | undefined> {
		const row = await this.#db
			.selectFrom("secrets")
			.selectAll()
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("name", "=", name)
			.executeTakeFirst();
		return row === undefined ? undefined : fromRow(row);
	}

	async put({ user, ...row }: SecretRow): Promise<void> {
		const { tenant, name, ...rest } = row;
		const values = { ...rest, used_at_ms: rest.used_at_ms ?? null, used_by: rest.used_by ?? null };
		await this.#db
			.insertInto("secrets")
			.values({ tenant, user_name: user, name, ...values })
			.onConflict((conflict) =>
				conflict.columns(["tenant", "user_name", "name"]).doUpdateSet(values),
			)
			.execute();
	}

	async reseal(row: SecretRow, sealed_before: string): Promise<void> {
		const { tenant, user, name, key_id, sealed } = row;
		await this.#db
			.updateTable("secrets")
			.set({ key_id, sealed })
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("name", "=", name)
			.where("sealed", "=", sealed_before)
			.execute();
	}

	async remove({ tenant, user }: SecretScope, name: string): Promise<boolean> {
		const result = await this.#db
			.deleteFrom("secrets")
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("name", "=", name)
			.executeTakeFirst();
		return Number(result.numDeletedRows) > 0;
	}

	async used(
		{ tenant, user }: SecretScope,
		name: string,
		at_ms: number,
		by: string,
	): Promise<void> {
		await this.#db
			.updateTable("secrets")
			.set({ used_at_ms: at_ms, used_by: by })
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("name", "=", name)
			.execute();
	}
}

interface StoredRow extends Omit<SecretRow, "user" | "used_by" | keyof Times> {
	readonly user_name: string;
	readonly created_at_ms: number | string;
	readonly changed_at_ms: number | string;
	readonly used_at_ms: number | string | null;
	readonly used_by: string | null;
}

type Times = Pick<SecretRow, "created_at_ms" | "changed_at_ms" | "used_at_ms">;

function fromRow({ user_name, ...row }: StoredRow): SecretRow {
	return {
		...row,
		user: user_name,
		created_at_ms: Number(row.created_at_ms),
		changed_at_ms: Number(row.changed_at_ms),
		used_at_ms: row.used_at_ms === null ? undefined : Number(row.used_at_ms),
		used_by: row.used_by ?? undefined,
	};
}
