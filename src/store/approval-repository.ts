import type { Connection } from "./tables.ts";

/** A call that a person has to decide about, as it is kept. */
export interface StoredApproval {
	readonly id: string;
	/** Counts its changes, from 1: a change is written only over the one it was made from. */
	readonly revision: number;
	readonly state: string;
	/** Id of the caller. */
	readonly principal: string;
	/** Id of whoever makes the call in the caller's name; undefined where that is the caller. */
	readonly made_by: string | undefined;
	readonly server: string;
	/** The server's own name of the tool. */
	readonly tool: string;
	/** Of the arguments that the caller sent. */
	readonly arguments_hash: string;
	readonly created_at_ms: number;
	readonly expires_at_ms: number;
	/** When nothing more could become of it; undefined while something can. */
	readonly ended_at_ms: number | undefined;
	/** Everything else, sealed: it holds the arguments. */
	readonly body: string;
}

/** What the call of an approval came to, as it is kept. */
export interface StoredResult {
	/** Of the approval. */
	readonly id: string;
	readonly kept_until_ms: number;
	/** Sealed: it holds what the server answered. */
	readonly body: string;
}

/** What makes two calls the same one. */
export type ApprovalCall = Pick<
	StoredApproval,
	"principal" | "made_by" | "server" | "tool" | "arguments_hash"
>;

/** Keeps approvals. Failures of the database reject. */
export interface ApprovalRepository {
	/** Those of which something can still become, oldest first. */
	live(): Promise<StoredApproval[]>;
	get(id: string): Promise<StoredApproval | undefined>;
	/** The last ones, newest first. */
	recent(count: number): Promise<StoredApproval[]>;
	/** The one of this call that ended last. */
	last(call: ApprovalCall): Promise<StoredApproval | undefined>;
	/** Adds one; false where the same call has a live one. */
	add(approval: StoredApproval): Promise<boolean>;
	/** Writes a change over the revision before it; false where that is not the one that stands. */
	change(approval: StoredApproval): Promise<boolean>;
	/** Removes those that ended before a time. */
	removeEndedBefore(at_ms: number): Promise<void>;
	/** Keeps a result in place of the one of its approval. */
	keepResult(result: StoredResult): Promise<void>;
	result(id: string): Promise<StoredResult | undefined>;
	/** Removes results that are kept until a time before this one. */
	removeResultsBefore(at_ms: number): Promise<void>;
}

/** States of which something can still become. */
const live_states = ["pending", "approved", "running"];

/** Approvals in the table `approvals`. */
export class SqlApprovalRepository implements ApprovalRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async live(): Promise<StoredApproval[]> {
		const rows = await this.#db
			.selectFrom("approvals")
			.selectAll()
			.where("state", "in", live_states)
			.orderBy("created_at_ms")
			.orderBy("id")
			.execute();
		return rows.map(fromRow);
	}

	async get(id: string): Promise<StoredApproval | undefined> {
		const row = await this.#db
			.selectFrom("approvals")
			.selectAll()
			.where("id", "=", id)
			.executeTakeFirst();
		return row === undefined ? undefined : fromRow(row);
	}

	async recent(count: number): Promise<StoredApproval[]> {
		const rows = await this.#db
			.selectFrom("approvals")
			.selectAll()
			.orderBy("created_at_ms", "desc")
			.orderBy("id", "desc")
			.limit(count)
			.execute();
		return rows.map(fromRow);
	}

	async last(call: ApprovalCall): Promise<StoredApproval | undefined> {
		const row = await this.#db
			.selectFrom("approvals")
			.selectAll()
			.where("principal", "=", call.principal)
			.where("made_by", "=", call.made_by ?? nobody_else)
			.where("server", "=", call.server)
			.where("tool", "=", call.tool)
			.where("arguments_hash", "=", call.arguments_hash)
			.where("state", "not in", live_states)
			.orderBy("ended_at_ms", "desc")
			.orderBy("id", "desc")
			.limit(1)
			.executeTakeFirst();
		return row === undefined ? undefined : fromRow(row);
	}

	async add(approval: StoredApproval): Promise<boolean> {
		const added = await this.#db
			.insertInto("approvals")
			.values(toRow(approval))
			.onConflict((conflict) => conflict.doNothing())
			.returning("id")
			.executeTakeFirst();
		return added !== undefined;
	}

	async change(approval: StoredApproval): Promise<boolean> {
		const { id, ...values } = toRow(approval);
		const changed = await this.#db
			.updateTable("approvals")
			.set(values)
			.where("id", "=", id)
			.where("revision", "=", approval.revision - 1)
			.returning("id")
			.executeTakeFirst();
		return changed !== undefined;
	}

	async removeEndedBefore(at_ms: number): Promise<void> {
		await this.#db.deleteFrom("approvals").where("ended_at_ms", "<", at_ms).execute();
	}

	async keepResult({ id, ...values }: StoredResult): Promise<void> {
		await this.#db
			.insertInto("approval_results")
			.values({ id, ...values })
			.onConflict((conflict) => conflict.column("id").doUpdateSet(values))
			.execute();
	}

	async result(id: string): Promise<StoredResult | undefined> {
		const row = await this.#db
			.selectFrom("approval_results")
			.selectAll()
			.where("id", "=", id)
			.executeTakeFirst();
		return row && { ...row, kept_until_ms: Number(row.kept_until_ms) };
	}

	async removeResultsBefore(at_ms: number): Promise<void> {
		await this.#db.deleteFrom("approval_results").where("kept_until_ms", "<", at_ms).execute();
	}
}

/** Stands for the caller, who made it: an index takes every null for another value. */
const nobody_else = "";

interface Row
	extends Omit<StoredApproval, "made_by" | "created_at_ms" | "expires_at_ms" | "ended_at_ms"> {
	readonly made_by: string;
	readonly created_at_ms: number | string;
	readonly expires_at_ms: number | string;
	readonly ended_at_ms: number | string | null;
}

function fromRow(row: Row): StoredApproval {
	return {
		...row,
		made_by: row.made_by === nobody_else ? undefined : row.made_by,
		created_at_ms: Number(row.created_at_ms),
		expires_at_ms: Number(row.expires_at_ms),
		ended_at_ms: row.ended_at_ms === null ? undefined : Number(row.ended_at_ms),
	};
}

function toRow(approval: StoredApproval) {
	const { made_by = nobody_else, ended_at_ms = null } = approval;
	return { ...approval, made_by, ended_at_ms };
}
