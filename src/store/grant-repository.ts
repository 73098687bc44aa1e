import type { Connection } from "./tables.ts";

/** Whose authorization it is; empty texts stand for a whole tenant, or for the gateway itself. */
export interface GrantOwner {
	readonly tenant: string;
	readonly user: string;
}

/** An authorization to use a remote server, as it is kept. */
export interface StoredGrant extends GrantOwner {
	readonly server: string;
	readonly issuer: string;
	/** Sealed JSON. */
	readonly sealed: string;
	/** When it was given first. */
	readonly created_at_ms: number;
	/** When its tokens were got. */
	readonly changed_at_ms: number;
}

/** Who we are to an issuer, as it is kept. */
export interface StoredClient {
	/** Names the servers that use it; empty for all. */
	readonly used_by: string;
	readonly issuer: string;
	/** Sealed JSON. */
	readonly sealed: string;
	readonly created_at_ms: number;
}

/** Keeps authorizations. Failures of the database reject. */
export interface GrantRepository {
	/** All of them, by owner, server and issuer. */
	list(): Promise<StoredGrant[]>;
	/** Those of an owner for a server, the one that was got last first. */
	of(owner: GrantOwner, server: string): Promise<StoredGrant[]>;
	/** In the place of the one of its owner, server and issuer, whose `created_at_ms` stays. */
	put(grant: StoredGrant): Promise<void>;
	/** How many were removed: those of all issuers where none is named. */
	remove(owner: GrantOwner, server: string, issuer?: string): Promise<number>;
	/** Those of an owner at every server. */
	removeAll(owner: GrantOwner): Promise<number>;
	clients(used_by: string): Promise<StoredClient[]>;
	/** In the place of the one of its users and issuer. */
	putClient(client: StoredClient): Promise<void>;
	removeClient(used_by: string, issuer: string): Promise<void>;
}

/** Authorizations in the tables `upstream_grants` and `upstream_clients`. */
export class SqlGrantRepository implements GrantRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async list(): Promise<StoredGrant[]> {
		const rows = await this.#db
			.selectFrom("upstream_grants")
			.selectAll()
			.orderBy("tenant")
			.orderBy("user_name")
			.orderBy("server")
			.orderBy("issuer")
			.execute();
		return rows.map(fromRow);
	}

	async of({ tenant, user }: GrantOwner, server: string): Promise<StoredGrant[]> {
		const rows = await this.#db
			.selectFrom("upstream_grants")
			.selectAll()
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("server", "=", server)
			.orderBy("changed_at_ms", "desc")
			.orderBy("issuer")
			.execute();
		return rows.map(fromRow);
	}

	async put({ user, ...row }: StoredGrant): Promise<void> {
		const { sealed, changed_at_ms } = row;
		await this.#db
			.insertInto("upstream_grants")
			.values({ ...row, user_name: user })
			.onConflict((conflict) =>
				conflict
					.columns(["tenant", "user_name", "server", "issuer"])
					.doUpdateSet({ sealed, changed_at_ms }),
			)
			.execute();
	}

	async remove({ tenant, user }: GrantOwner, server: string, issuer?: string): Promise<number> {
		const all = this.#db
			.deleteFrom("upstream_grants")
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.where("server", "=", server);
		const some = issuer === undefined ? all : all.where("issuer", "=", issuer);
		return Number((await some.executeTakeFirst()).numDeletedRows);
	}

	async removeAll({ tenant, user }: GrantOwner): Promise<number> {
		const result = await this.#db
			.deleteFrom("upstream_grants")
			.where("tenant", "=", tenant)
			.where("user_name", "=", user)
			.executeTakeFirst();
		return Number(result.numDeletedRows);
	}

	async clients(used_by: string): Promise<StoredClient[]> {
		const rows = await this.#db
			.selectFrom("upstream_clients")
			.selectAll()
			.where("used_by", "=", used_by)
			.orderBy("created_at_ms")
			.orderBy("issuer")
			.execute();
		return rows.map((row) => ({ ...row, created_at_ms: Number(row.created_at_ms) }));
	}

	async putClient(client: StoredClient): Promise<void> {
		const { sealed, created_at_ms } = client;
		await this.#db
			.insertInto("upstream_clients")
			.values(client)
			.onConflict((conflict) =>
				conflict.columns(["used_by", "issuer"]).doUpdateSet({ sealed, created_at_ms }),
			)
			.execute();
	}

	async removeClient(used_by: string, issuer: string): Promise<void> {
		await this.#db
			.deleteFrom("upstream_clients")
			.where("used_by", "=", used_by)
			.where("issuer", "=", issuer)
			.execute();
	}
}

function fromRow({
	user_name,
	...row
}: Omit<StoredGrant, "user" | "created_at_ms" | "changed_at_ms"> & {
	readonly user_name: string;
	readonly created_at_ms: number | string;
	readonly changed_at_ms: number | string;
}): StoredGrant {
	return {
		...row,
		user: user_name,
		created_at_ms: Number(row.created_at_ms),
		changed_at_ms: Number(row.changed_at_ms),
	};
}
