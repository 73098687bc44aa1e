import type { Connection } from "./tables.ts";

/** How long one row of aggregates covers. */
export type AggregateWidth = "minute" | "hour";

/** What is counted: calls of a tool or a tenant, or events of another kind. */
export interface Aggregate {
	readonly kind: string;
	readonly subject: string;
	readonly calls: number;
	readonly errors: number;
	/** Counts of durations by bucket, as text; empty for none. */
	readonly latencies: string;
	/** What happened last, for people; empty for nothing to say. */
	readonly note: string;
}

/** Aggregates of one subject over a time. */
export interface AggregateSum {
	readonly subject: string;
	readonly calls: number;
	readonly errors: number;
	/** When the first row of the time starts. */
	readonly first_ms: number;
}

/** One row. */
export interface AggregateRow extends Aggregate {
	readonly start_ms: number;
}

/** An alert as it is kept; `body` is JSON. */
export interface StoredAlert {
	readonly id: string;
	readonly rule: string;
	readonly subject: string;
	readonly state: string;
	readonly since_ms: number;
	readonly body: string;
}

/** Alerts that nobody is told of for a time; patterns with `*`. */
export interface StoredSilence {
	readonly id: string;
	readonly rule: string;
	readonly subject: string;
	readonly until_ms: number;
	readonly reason: string;
	readonly created_by: string;
	readonly created_at_ms: number;
}

/** Something that a channel still has to be told, or was told. */
export interface StoredDelivery {
	/** The same for the same news to the same channel, so that it is told once. */
	readonly id: string;
	readonly alert_id: string;
	readonly channel: string;
	readonly body: string;
	readonly attempts: number;
	readonly next_try_at_ms: number;
	readonly state: "waiting" | "delivered" | "given_up";
	readonly problem: string | undefined;
}

/** Which rows of aggregates. */
export interface AggregateRange {
	readonly width: AggregateWidth;
	readonly kind: string;
	readonly from_ms: number;
	/** Exclusive. */
	readonly to_ms: number;
}

/** Which deliveries are asked for. */
export interface DueWanted {
	readonly now_ms: number;
	/** What waits for longer was put down by a clock that was ahead, and is due. */
	readonly pause_ms_max: number;
	/** Not those of these channels. */
	readonly except: readonly string[];
	readonly limit: number;
}

/** Keeps what alerts are made of. Failures of the database reject. */
export interface AlertRepository {
	/** Adds to the rows that start then; `merge` joins two texts of latencies. */
	add(
		width: AggregateWidth,
		start_ms: number,
		aggregates: readonly Aggregate[],
		merge: (one: string, other: string) => string,
	): Promise<void>;
	sums(range: AggregateRange): Promise<AggregateSum[]>;
	/** Oldest first; of all subjects, or of one. */
	rows(range: AggregateRange, subject?: string): Promise<AggregateRow[]>;
	removeAggregates(width: AggregateWidth, before_ms: number): Promise<void>;
	/** Alerts that are pending or firing. */
	open(): Promise<StoredAlert[]>;
	/** The latest first. */
	alerts(limit: number): Promise<StoredAlert[]>;
	alert(id: string): Promise<StoredAlert | undefined>;
	saveAlert(alert: StoredAlert): Promise<void>;
	removeAlert(id: string): Promise<void>;
	/** Removes resolved alerts that began before, and what was told of them. */
	removeResolved(before_ms: number): Promise<void>;
	silences(): Promise<StoredSilence[]>;
	saveSilence(silence: StoredSilence): Promise<void>;
	/** False where there is none of that id. */
	removeSilence(id: string): Promise<boolean>;
	/** Does nothing where the same is there already. */
	enqueue(delivery: StoredDelivery): Promise<void>;
	due(wanted: DueWanted): Promise<StoredDelivery[]>;
	deliveries(alert_id: string): Promise<StoredDelivery[]>;
	saveDelivery(delivery: StoredDelivery): Promise<void>;
}

/** Rows of alerts in a relational database. */
export class SqlAlertRepository implements AlertRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async add(
		width: AggregateWidth,
		start_ms: number,
		aggregates: readonly Aggregate[],
		merge: (one: string, other: string) => string,
	): Promise<void> {
		for (const { kind, subject, calls, errors, latencies, note } of aggregates) {
			const key = { width, kind, start_ms, subject };
			const before = await this.#db
				.selectFrom("call_aggregates")
				.select(["calls", "errors", "latencies", "note"])
				.where("width", "=", width)
				.where("kind", "=", kind)
				.where("start_ms", "=", start_ms)
				.where("subject", "=", subject)
				.executeTakeFirst();
			const values = {
				calls: calls + Number(before?.calls ?? 0),
				errors: errors + Number(before?.errors ?? 0),
				latencies: before === undefined ? latencies : merge(before.latencies, latencies),
				note: note === "" ? (before?.note ?? "") : note,
			};
			await this.#db
				.insertInto("call_aggregates")
				.values({ ...key, ...values })
				.onConflict((conflict) =>
					conflict.columns(["width", "kind", "start_ms", "subject"]).doUpdateSet(values),
				)
				.execute();
		}
	}

	async sums({ width, kind, from_ms, to_ms }: AggregateRange): Promise<AggregateSum[]> {
		const rows = await this.#db
			.selectFrom("call_aggregates")
			.select(({ fn }) => [
				"subject",
				fn.sum<number | string>("calls").as("calls"),
				fn.sum<number | string>("errors").as("errors"),
				fn.min<number | string>("start_ms").as("first_ms"),
			])
			.where("width", "=", width)
			.where("kind", "=", kind)
			.where("start_ms", ">=", from_ms)
			.where("start_ms", "<", to_ms)
			.groupBy("subject")
			.orderBy("subject")
			.execute();
		return rows.map(({ subject, calls, errors, first_ms }) => ({
			subject,
			calls: Number(calls),
			errors: Number(errors),
			first_ms: Number(first_ms),
		}));
	}

	async rows(
		{ width, kind, from_ms, to_ms }: AggregateRange,
		subject?: string,
	): Promise<AggregateRow[]> {
		let query = this.#db
			.selectFrom("call_aggregates")
			.selectAll()
			.where("width", "=", width)
			.where("kind", "=", kind)
			.where("start_ms", ">=", from_ms)
			.where("start_ms", "<", to_ms);
		if (subject !== undefined) query = query.where("subject", "=", subject);
		const rows = await query.orderBy("start_ms").orderBy("subject").execute();
		return rows.map((row) => ({
			kind: row.kind,
			subject: row.subject,
			start_ms: Number(row.start_ms),
			calls: Number(row.calls),
			errors: Number(row.errors),
			latencies: row.latencies,
			note: row.note,
		}));
	}

	async removeAggregates(width: AggregateWidth, before_ms: number): Promise<void> {
		await this.#db
			.deleteFrom("call_aggregates")
			.where("width", "=", width)
			.where("start_ms", "<", before_ms)
			.execute();
	}

	async open(): Promise<StoredAlert[]> {
		const rows = await this.#db
			.selectFrom("alerts")
			.selectAll()
			.where("state", "!=", "resolved")
			.orderBy("since_ms")
			.execute();
		return rows.map((row) => ({ ...row, since_ms: Number(row.since_ms) }));
	}

	async alerts(limit: number): Promise<StoredAlert[]> {
		const rows = await this.#db
			.selectFrom("alerts")
			.selectAll()
			.orderBy("since_ms", "desc")
			.orderBy("id", "desc")
			.limit(limit)
			.execute();
		return rows.map((row) => ({ ...row, since_ms: Number(row.since_ms) }));
	}

	async alert(id: string): Promise<StoredAlert | undefined> {
		const row = await this.#db
			.selectFrom("alerts")
			.selectAll()
			.where("id", "=", id)
			.executeTakeFirst();
		return row === undefined ? undefined : { ...row, since_ms: Number(row.since_ms) };
	}

	async saveAlert({ id, ...values }: StoredAlert): Promise<void> {
		await this.#db
			.insertInto("alerts")
			.values({ id, ...values })
			.onConflict((conflict) => conflict.column("id").doUpdateSet(values))
			.execute();
	}

	async removeAlert(id: string): Promise<void> {
		await this.#db.deleteFrom("alerts").where("id", "=", id).execute();
	}

	async removeResolved(before_ms: number): Promise<void> {
		const old = this.#db
			.selectFrom("alerts")
			.select("id")
			.where("state", "=", "resolved")
			.where("since_ms", "<", before_ms);
		await this.#db
			.deleteFrom("alert_deliveries")
			.where("alert_id", "in", old)
			.where("state", "!=", "waiting")
			.execute();
		await this.#db
			.deleteFrom("alerts")
			.where("state", "=", "resolved")
			.where("since_ms", "<", before_ms)
			.execute();
	}

	async silences(): Promise<StoredSilence[]> {
		const rows = await this.#db
			.selectFrom("alert_silences")
			.selectAll()
			.orderBy("created_at_ms")
			.execute();
		return rows.map((row) => ({
			...row,
			until_ms: Number(row.until_ms),
			created_at_ms: Number(row.created_at_ms),
		}));
	}

	async saveSilence(silence: StoredSilence): Promise<void> {
		await this.#db.insertInto("alert_silences").values(silence).execute();
	}

	async removeSilence(id: string): Promise<boolean> {
		const outcome = await this.#db
			.deleteFrom("alert_silences")
			.where("id", "=", id)
			.executeTakeFirst();
		return Number(outcome.numDeletedRows) > 0;
	}

	async enqueue(delivery: StoredDelivery): Promise<void> {
		await this.#db
			.insertInto("alert_deliveries")
			.values({ ...delivery, problem: delivery.problem ?? null })
			.onConflict((conflict) => conflict.column("id").doNothing())
			.execute();
	}

	async due({ now_ms, pause_ms_max, except, limit }: DueWanted): Promise<StoredDelivery[]> {
		const rows = await this.#db
			.selectFrom("alert_deliveries")
			.selectAll()
			.where("state", "=", "waiting")
			.where(({ eb, or }) =>
				or([eb("next_try_at_ms", "<=", now_ms), eb("next_try_at_ms", ">", now_ms + pause_ms_max)]),
			)
			.$if(except.length > 0, (query) => query.where("channel", "not in", except))
			.orderBy("next_try_at_ms")
			.orderBy("id")
			.limit(limit)
			.execute();
		return rows.map(toDelivery);
	}

	async deliveries(alert_id: string): Promise<StoredDelivery[]> {
		const rows = await this.#db
			.selectFrom("alert_deliveries")
			.selectAll()
			.where("alert_id", "=", alert_id)
			.orderBy("id")
			.execute();
		return rows.map(toDelivery);
	}

	async saveDelivery({ id, ...rest }: StoredDelivery): Promise<void> {
		await this.#db
			.updateTable("alert_deliveries")
			.set({ ...rest, problem: rest.problem ?? null })
			.where("id", "=", id)
			.execute();
	}
}

interface DeliveryRow {
	readonly id: string;
	readonly alert_id: string;
	readonly channel: string;
	readonly body: string;
	readonly attempts: number;
	readonly next_try_at_ms: number | string;
	readonly state: string;
	readonly problem: string | null;
}

function toDelivery(row: DeliveryRow): StoredDelivery {
	return {
		...row,
		next_try_at_ms: Number(row.next_try_at_ms),
		state: row.state as StoredDelivery["state"],
		problem: row.problem ?? undefined,
	};
}
