import { type Expression, type ExpressionBuilder, type SqlBool, sql } from "kysely";
import type { Connection, Tables } from "./tables.ts";

/** One event stream of a session. */
export interface StoredStream {
	readonly session_id: string;
	/** Unique within the session. */
	readonly stream: string;
	/** Which run of the gateway opened it: runs are counted from 1. */
	readonly run: number;
	/** What the stream is for, in its owner's own words (the id of a request, for example). */
	readonly about: string;
	readonly opened_at_ms: number;
	readonly ended_at_ms: number | undefined;
}

/** A stream, and how far its events go. */
export interface KeptStream extends StoredStream {
	/** Number of its newest event that is kept; 0 when there is none. */
	readonly newest_seq: number;
}

/** One event of a stream. */
export interface StoredEvent {
	readonly session_id: string;
	readonly stream: string;
	/** Above 0, growing within the session, across its streams. */
	readonly seq: number;
	readonly at_ms: number;
	readonly data: Buffer;
}

/** A bound on a number of events and on the sum of their bytes. */
export interface EventBound {
	readonly events_max: number;
	readonly bytes_max: number;
}

/**
 * The events sent to clients, kept so that a client that lost its connection gets what it
 * missed. They go with their session. Failures of the database reject.
 */
export interface EventRepository {
	/** Adds a stream; its session must be there. */
	openStream(stream: StoredStream): Promise<void>;
	/** Marks a stream as complete. */
	endStream(session_id: string, stream: string, at_ms: number): Promise<void>;
	stream(session_id: string, stream: string): Promise<KeptStream | undefined>;
	/** Adds events; their streams must be there. */
	append(events: readonly StoredEvent[]): Promise<void>;
	/**
	 * The events of one stream behind `seq`, in order, at most a page of them (one at least, be
	 * it as large as it may). Undefined when some of them, or the stream, were thrown away.
	 */
	readAfter(
		session_id: string,
		stream: string,
		seq: number,
		page: EventBound,
	): Promise<StoredEvent[] | undefined>;
	/**
	 * Throws a session's oldest events away until the rest is within the bound, and its ended
	 * streams without events.
	 */
	trim(session_id: string, bound: EventBound): Promise<void>;
	/** Throws away the oldest events of all sessions until the rest is within so many bytes. */
	trimAll(bytes_max: number): Promise<void>;
	/**
	 * Throws away the events of before `at_ms`, then, of the streams without events, those that
	 * ended before it, and those that a run before `run` opened before it and left open.
	 */
	removeBefore(at_ms: number, run: number): Promise<void>;
}

/** Rows in one insert: below every database's bound on parameters. */
const insert_rows_max = 50;

/** Streams and events in the tables `session_streams` and `session_events`. */
export class SqlEventRepository implements EventRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async openStream(stream: StoredStream): Promise<void> {
		const { session_id, run, about, opened_at_ms } = stream;
		await this.#db
			.insertInto("session_streams")
			.values({
				session_id,
				stream: stream.stream,
				run,
				about,
				opened_at_ms,
				ended_at_ms: stream.ended_at_ms ?? null,
				dropped_seq: 0,
			})
			.execute();
	}

	async endStream(session_id: string, stream: string, at_ms: number): Promise<void> {
		await this.#db
			.updateTable("session_streams")
			.set({ ended_at_ms: at_ms })
			.where("session_id", "=", session_id)
			.where("stream", "=", stream)
			.execute();
	}

	async stream(session_id: string, stream: string): Promise<KeptStream | undefined> {
		const row = await this.#db
			.selectFrom("session_streams")
			.select(["run", "about", "opened_at_ms", "ended_at_ms"])
			.where("session_id", "=", session_id)
			.where("stream", "=", stream)
			.executeTakeFirst();
		if (row === undefined) return undefined;
		const newest = await this.#db
			.selectFrom("session_events")
			.select((eb) => eb.fn.max("seq").as("seq"))
			.where("session_id", "=", session_id)
			.where("stream", "=", stream)
			.executeTakeFirst();
		return {
			session_id,
			stream,
			run: Number(row.run),
			about: row.about,
			opened_at_ms: Number(row.opened_at_ms),
			ended_at_ms: row.ended_at_ms === null ? undefined : Number(row.ended_at_ms),
			newest_seq: Number(newest?.seq ?? 0),
		};
	}

	async append(events: readonly StoredEvent[]): Promise<void> {
		for (let start = 0; start < events.length; start += insert_rows_max) {
			const rows = events.slice(start, start + insert_rows_max).map((event) => ({
				session_id: event.session_id,
				seq: event.seq,
				stream: event.stream,
				at_ms: event.at_ms,
				bytes: event.data.length,
				payload: event.data,
			}));
			await this.#db.insertInto("session_events").values(rows).execute();
		}
	}

	async readAfter(
		session_id: string,
		stream: string,
		seq: number,
		page: EventBound,
	): Promise<StoredEvent[] | undefined> {
		const row = await this.#db
			.selectFrom("session_streams")
			.select("dropped_seq")
			.where("session_id", "=", session_id)
			.where("stream", "=", stream)
			.executeTakeFirst();
		if (row === undefined || Number(row.dropped_seq) > seq) return undefined;
		const behind = this.#db
			.selectFrom("session_events")
			.where("session_id", "=", session_id)
			.where("stream", "=", stream)
			.where("seq", ">", seq)
			.orderBy("seq");
		// The sizes first, so that a page of large events is never in memory at once.
		const sizes = await behind.select(["seq", "bytes"]).limit(page.events_max).execute();
		const fitting = countWithin(sizes, page);
		const last = sizes[Math.max(fitting, 1) - 1];
		if (last === undefined) return [];
		const rows = await behind
			.select(["seq", "at_ms", "payload"])
			.where("seq", "<=", last.seq)
			.execute();
		return rows.map((event) => ({
			session_id,
			stream,
			seq: Number(event.seq),
			at_ms: Number(event.at_ms),
			data: toBuffer(event.payload),
		}));
	}

	async trim(session_id: string, bound: EventBound): Promise<void> {
		const newest = await this.#db
			.selectFrom("session_events")
			.select(["seq", "bytes"])
			.where("session_id", "=", session_id)
			.orderBy("seq", "desc")
			.limit(bound.events_max + 1)
			.execute();
		const first_gone = newest[countWithin(newest, bound)];
		if (first_gone !== undefined) {
			await this.#removeEvents((eb) =>
				eb.and([eb("session_id", "=", session_id), eb("seq", "<=", first_gone.seq)]),
			);
		}
		await this.#db
			.deleteFrom("session_streams")
			.where("session_id", "=", session_id)
			.where("ended_at_ms", "is not", null)
			.where(withoutEvents)
			.execute();
	}

	async trimAll(bytes_max: number): Promise<void> {
		const running = this.#db
			.selectFrom("session_events")
			.select(["at_ms", sql<number>`sum(bytes) over (order by at_ms desc)`.as("total")]);
		const cut = await this.#db
			.selectFrom(running.as("running"))
			.select((eb) => eb.fn.max("at_ms").as("at_ms"))
			.where("total", ">", bytes_max)
			.executeTakeFirstOrThrow();
		const { at_ms } = cut;
		if (at_ms !== null) await this.#removeEvents((eb) => eb("at_ms", "<=", at_ms));
	}

	async removeBefore(at_ms: number, run: number): Promise<void> {
		await this.#removeEvents((eb) => eb("at_ms", "<", at_ms));
		await this.#db
			.deleteFrom("session_streams")
			.where((eb) =>
				eb.or([
					eb("ended_at_ms", "<", at_ms),
					eb.and([
						eb("ended_at_ms", "is", null),
						eb("opened_at_ms", "<", at_ms),
						eb("run", "<", run),
					]),
				]),
			)
			.where(withoutEvents)
			.execute();
	}

	/** Removes events and notes with their streams up to where they went. */
	async #removeEvents(which: EventFilter): Promise<void> {
		await this.#db
			.updateTable("session_streams")
			.from((eb) =>
				eb
					.selectFrom("session_events")
					.select((inner) => ["session_id", "stream", inner.fn.max<number>("seq").as("seq")])
					.where(which)
					.groupBy(["session_id", "stream"])
					.as("gone"),
			)
			.set((eb) => ({ dropped_seq: eb.ref("gone.seq") }))
			.whereRef("session_streams.session_id", "=", "gone.session_id")
			.whereRef("session_streams.stream", "=", "gone.stream")
			.execute();
		await this.#db.deleteFrom("session_events").where(which).execute();
	}
}

type EventFilter = (eb: ExpressionBuilder<Tables, "session_events">) => Expression<SqlBool>;

/** True of a stream of which no event is kept. */
function withoutEvents(eb: ExpressionBuilder<Tables, "session_streams">): Expression<SqlBool> {
	const events = eb
		.selectFrom("session_events")
		.select("seq")
		.whereRef("session_events.session_id", "=", "session_streams.session_id")
		.whereRef("session_events.stream", "=", "session_streams.stream");
	return eb.not(eb.exists(events));
}

/** How many of the rows, from the first on, are within the bound together. */
function countWithin(rows: readonly { readonly bytes: number }[], bound: EventBound): number {
	let bytes = 0;
	let count = 0;
	for (const row of rows) {
		bytes += row.bytes;
		if (count >= bound.events_max || bytes > bound.bytes_max) break;
		count += 1;
	}
	return count;
}

/** The bytes as a Buffer, without copying them. */
function toBuffer(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
