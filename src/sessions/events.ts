import assert from "node:assert/strict";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { EventRepository } from "../store/event-repository.ts";
import type { MetaRepository } from "../store/meta-repository.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { Log } from "../telemetry/log.ts";
import { type BacklogLimits, default_backlog_limits } from "./backlog.ts";
import { formatEventId, parseEventId, stream_bytes } from "./event-ids.ts";
import {
	type EventListener,
	type EventReader,
	type StreamEvent,
	StreamReader,
} from "./event-reader.ts";
import { EventStream } from "./event-stream.ts";
import { EventTail, type TailEvent } from "./event-tail.ts";
import type { Sessions } from "./sessions.ts";

/** How much is kept, and for how long. */
export interface EventLimits {
	/** Events and bytes kept for one session; the oldest make room. */
	readonly session_events_max: number;
	readonly session_bytes_max: number;
	/** Streams of one session that are open at once. */
	readonly streams_max: number;
	/** Bytes kept for all sessions together. */
	readonly total_bytes_max: number;
	/** Bytes of the newest events that are in memory. */
	readonly memory_bytes_max: number;
	/** Events older than this are thrown away. */
	readonly age_ms: number;
	/** How far one stream may run ahead of its reader before that is behind. */
	readonly backlog: BacklogLimits;
}

/** What holds unless told otherwise. */
export const default_event_limits: EventLimits = {
	session_events_max: 1_000,
	session_bytes_max: 32 * 1024 * 1024,
	streams_max: 256,
	total_bytes_max: 1024 * 1024 * 1024,
	memory_bytes_max: 16 * 1024 * 1024,
	age_ms: 60 * 60 * 1000,
	backlog: default_backlog_limits,
};

/** What the event log is made from. */
export interface SessionEventsOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly sessions: Sessions;
	/** Writes to the repository below. */
	readonly writer: StoreWriter;
	readonly events: Pick<EventRepository, "readAfter" | "stream">;
	readonly meta: Pick<MetaRepository, "count">;
	readonly limits?: Partial<EventLimits>;
}

/** Why a stream cannot be resumed. */
export type ResumeRefusal =
	/** Nothing of that id is kept. */
	| { readonly kind: "unknown" }
	/** The stream has ended, and the client has all of it. */
	| { readonly kind: "complete" }
	/** What comes next was thrown away; what the stream was opened for is known. */
	| { readonly kind: "expired"; readonly stream: string; readonly about: string };

/** A page of stored events. */
const page = { events_max: 64, bytes_max: 1024 * 1024 };

/** Trimming goes this far below a bound, so that it is not needed for every event. */
const trim_to = 0.75;

/** Numbers of one run of the gateway start here times the count of runs. */
const run_numbers = 2 ** 32;

interface SessionLog {
	/** The number of the next event. */
	next_seq: number;
	/** What is kept at most: trimming starts when this reaches the bound. */
	events: number;
	bytes: number;
	/** Streams that are in memory, by name. */
	readonly streams: Map<string, EventStream>;
	/** How many of them have not ended. */
	open: number;
}

/**
 * Everything sent to legacy clients on event streams, so that a client that lost its
 * connection, or whose gateway was restarted, gets what it missed: events are numbered within
 * their session, in memory at once and in the store a few milliseconds later, and a stream is
 * read from any of its events on. Streams end with their session.
 */
export class SessionEvents {
	readonly #options: SessionEventsOptions;
	readonly #limits: EventLimits;
	readonly #tail: EventTail;
	readonly #logs = new Map<string, SessionLog>();
	#run = 0;
	#bytes_since_trim = 0;

	constructor(options: SessionEventsOptions) {
		this.#options = options;
		this.#limits = { ...default_event_limits, ...options.limits };
		this.#tail = new EventTail(this.#limits.memory_bytes_max, (stream) => this.#release(stream));
		options.sessions.onEnd((session) => this.#forget(session.id));
	}

	/** Bytes of memory that recent events hold. */
	get memory_bytes(): number {
		return this.#tail.bytes;
	}

	/** Begins a run. Called once, before anything else; rejects when the store fails. */
	async restore(): Promise<void> {
		// Numbers of different runs never meet, even if the last moments of a run were lost.
		this.#run = await this.#options.meta.count("event_runs");
	}

	/**
	 * Opens a stream; its reader is this connection. `about` is kept with it, for whoever resumes
	 * it. Undefined when the session is over or has too many open streams.
	 */
	open(session_id: string, about: string, listener: EventListener): EventReader | undefined {
		const log = this.#logOf(session_id);
		if (log === undefined || log.open >= this.#limits.streams_max) return undefined;
		const { random, clock, writer } = this.#options;
		const name = random.bytes(stream_bytes).toString("base64url");
		const fresh = { orphaned: false, ended: false, stored_seq: 0, newest_seq: 0 };
		const parts = { session_id, name, about, ...fresh, backlog_limits: this.#limits.backlog };
		const stream = new EventStream(parts);
		this.#register(log, stream);
		const opened_at_ms = clock.now();
		const row = { session_id, stream: name, run: this.#run, about, opened_at_ms };
		stream.opening = writer
			.addDurably((within) => within.events.openStream({ ...row, ended_at_ms: undefined }))
			.then(() => {
				stream.opening = undefined;
			});
		return this.#attach(stream, 0, listener);
	}

	/**
	 * Resolves when the store has the stream, some milliseconds after `open`: a client that is
	 * given an id earlier could not come back with it to a gateway that was killed meanwhile. Also
	 * when the store refuses it, which the writer reports: the stream then lives in memory only.
	 */
	async openedDurably(session_id: string, stream: string): Promise<void> {
		await this.#logs.get(session_id)?.streams.get(stream)?.opening;
	}

	/**
	 * The event to send first on a stream: it has no data, and gives the client an id to come
	 * back with before there is anything to say.
	 */
	priming(stream: string): StreamEvent {
		return { id: formatEventId(stream, 0), data: Buffer.alloc(0) };
	}

	/**
	 * Appends an event and delivers it to the stream's reader. Returns its id, or undefined when
	 * the stream has ended or is unknown. The bytes must not be changed afterwards.
	 */
	append(session_id: string, stream_name: string, data: Buffer): string | undefined {
		const log = this.#logs.get(session_id);
		const stream = log?.streams.get(stream_name);
		if (log === undefined || stream === undefined || stream.ended) return undefined;
		const seq = this.#push(session_id, log, stream, data);
		stream.reader?.advance();
		return formatEventId(stream_name, seq);
	}

	/**
	 * Undefined while the reader of a stream keeps up with it. Else it resolves when the reader, or
	 * another one in its place, has caught up, or when the stream or the session has ended.
	 */
	backlog(session_id: string, stream_name: string): Promise<void> | undefined {
		return this.#logs.get(session_id)?.streams.get(stream_name)?.backlog.caughtUp();
	}

	/** True when a stream is so far ahead of its reader that only what has to be added should be. */
	isOverrun(session_id: string, stream_name: string): boolean {
		return this.#logs.get(session_id)?.streams.get(stream_name)?.backlog.is_overrun === true;
	}

	/**
	 * Appends the last event of a stream and ends it. Both are one write: whoever comes after a
	 * crash finds the stream complete, or finds neither. Returns and delivers like `append`.
	 */
	finish(session_id: string, stream_name: string, data: Buffer): string | undefined {
		const log = this.#logs.get(session_id);
		const stream = log?.streams.get(stream_name);
		if (log === undefined || stream === undefined || stream.ended) return undefined;
		const seq = this.#push(session_id, log, stream, data, "last");
		stream.reader?.advance();
		return formatEventId(stream_name, seq, true);
	}

	/** Ends a stream without a further event. It can be resumed until its last one is too old. */
	end(session_id: string, stream_name: string): void {
		const log = this.#logs.get(session_id);
		const stream = log?.streams.get(stream_name);
		if (log === undefined || stream === undefined || stream.ended) return;
		stream.ended = true;
		stream.backlog.close();
		log.open -= 1;
		const at_ms = this.#options.clock.now();
		// Kept in memory until the store knows: loaded from there before, it would seem to go on.
		stream.ending = true;
		const stored = this.#options.writer.addDurably((within) =>
			within.events.endStream(session_id, stream_name, at_ms),
		);
		void stored.then(() => {
			stream.ending = false;
			this.#release(stream);
		});
		// A stream that never had an event is kept too, and counts as one so that it is trimmed.
		if (stream.isEmpty) this.#bound(session_id, log, 0);
		stream.reader?.advance();
		this.#release(stream);
	}

	/**
	 * Takes a stream up again behind the event a client saw last (`Last-Event-ID`), for that
	 * session only; the connection that read it so far is replaced. Rejects when the store fails.
	 * An ended stream of which nothing is left is refused as complete.
	 */
	async resume(
		session_id: string,
		last_event_id: string,
		listener: EventListener,
	): Promise<Result<EventReader, ResumeRefusal>> {
		const place = parseEventId(last_event_id);
		const log = this.#logOf(session_id);
		if (place === undefined || log === undefined || place.seq >= log.next_seq) {
			return fail({ kind: "unknown" });
		}
		const found =
			log.streams.get(place.stream) ?? (await this.#load(log, session_id, place.stream));
		if (found === undefined) return fail({ kind: "unknown" });
		if (place.last) return fail({ kind: "complete" });
		const { name, about } = found;
		if (place.seq < found.stored_seq) {
			const kept = await this.#options.events.readAfter(session_id, name, place.seq, page);
			if (kept === undefined) return fail({ kind: "expired", stream: name, about });
		}
		// While the store was asked, the session may have ended, and another connection may have
		// taken the stream up.
		if (this.#logs.get(session_id) !== log) return fail({ kind: "unknown" });
		const stream = log.streams.get(name) ?? found;
		if (place.seq < stream.lost_seq) return fail({ kind: "expired", stream: name, about });
		if (stream.isComplete(place.seq)) return fail({ kind: "complete" });
		this.#register(log, stream);
		return succeed(this.#attach(stream, place.seq, listener));
	}

	/** Throws away what is too old. Called now and then. */
	sweep(): void {
		const before_ms = this.#options.clock.now() - this.#limits.age_ms;
		const run = this.#run;
		this.#options.writer.add((within) => within.events.removeBefore(before_ms, run));
	}

	/** Resolves when everything so far has been written. */
	flush(): Promise<void> {
		return this.#options.writer.flush();
	}

	/** The log of a session, made on first use; undefined when there is no such session. */
	#logOf(session_id: string): SessionLog | undefined {
		assert(this.#run > 0, "restore() comes first");
		const known = this.#logs.get(session_id);
		if (known !== undefined || !this.#options.sessions.has(session_id)) return known;
		const { session_events_max, session_bytes_max } = this.#limits;
		const log: SessionLog = {
			next_seq: this.#run * run_numbers + 1,
			// An earlier run may have left this much.
			events: Math.floor(session_events_max * trim_to),
			bytes: Math.floor(session_bytes_max * trim_to),
			streams: new Map(),
			open: 0,
		};
		this.#logs.set(session_id, log);
		return log;
	}

	/** A stream that is in the store only. */
	async #load(log: SessionLog, session_id: string, name: string): Promise<EventStream | undefined> {
		const row = await this.#options.events.stream(session_id, name);
		if (row === undefined) return undefined;
		// A stream of this run leaves memory only after it has ended.
		const ended = row.ended_at_ms !== undefined || row.run === this.#run;
		const stored_seq = log.next_seq - 1;
		const { about, newest_seq } = row;
		const place = { orphaned: !ended, ended, stored_seq, newest_seq };
		return new EventStream({
			session_id,
			name,
			about,
			...place,
			backlog_limits: this.#limits.backlog,
		});
	}

	#register(log: SessionLog, stream: EventStream): void {
		if (log.streams.get(stream.name) === stream) return;
		log.streams.set(stream.name, stream);
		if (!stream.ended) log.open += 1;
	}

	#attach(stream: EventStream, seq: number, listener: EventListener): EventReader {
		const { events, log } = this.#options;
		const before = stream.reader;
		const reader: StreamReader = new StreamReader({
			stream,
			seq,
			listener,
			readStored: ({ session_id, name }, after) => events.readAfter(session_id, name, after, page),
			onRelease: () => {
				if (stream.reader === reader) stream.reader = undefined;
				this.#release(stream);
			},
			onFailure: ({ session_id }, error) =>
				log.error({ session_id, error }, "the events of a session could not be read"),
		});
		stream.reader = reader;
		before?.finish("replaced");
		return reader;
	}

	/** Puts an event behind the others, in memory and soon in the store. Returns its number. */
	#push(
		session_id: string,
		log: SessionLog,
		stream: EventStream,
		data: Buffer,
		place?: "last",
	): number {
		const seq = log.next_seq;
		log.next_seq += 1;
		const event: TailEvent = { stream, seq, data: unshared(data), kept: "pending" };
		stream.push(event);
		if (place === "last") {
			stream.ended = true;
			stream.backlog.close();
			log.open -= 1;
		}
		this.#store(event, place === "last");
		this.#bound(session_id, log, data.length);
		this.#tail.add(event);
		return seq;
	}

	#store(event: TailEvent, last: boolean): void {
		const { stream, seq, data } = event;
		const { session_id, name } = stream;
		const at_ms = this.#options.clock.now();
		const row = { session_id, stream: name, seq, at_ms, data };
		const stored = this.#options.writer.addDurably(async (within) => {
			await within.events.append([row]);
			if (last) await within.events.endStream(session_id, name, at_ms);
		}, data.length);
		void stored.then((there) => this.#tail.settle(event, there));
	}

	/** Counts an event in, and has the store trimmed when a bound is reached. */
	#bound(session_id: string, log: SessionLog, bytes: number): void {
		const { session_events_max, session_bytes_max, total_bytes_max } = this.#limits;
		const { writer } = this.#options;
		log.events += 1;
		log.bytes += bytes;
		if (log.events > session_events_max || log.bytes > session_bytes_max) {
			const events_max = Math.floor(session_events_max * trim_to);
			const bytes_max = Math.floor(session_bytes_max * trim_to);
			log.events = events_max;
			log.bytes = bytes_max;
			writer.add((within) => within.events.trim(session_id, { events_max, bytes_max }));
		}
		this.#bytes_since_trim += bytes;
		if (this.#bytes_since_trim > total_bytes_max * (1 - trim_to)) {
			this.#bytes_since_trim = 0;
			writer.add((within) => within.events.trimAll(Math.floor(total_bytes_max * trim_to)));
		}
	}

	/** Forgets a stream that can be loaded again without loss. */
	#release(stream: EventStream): void {
		if (!stream.forgettable) return;
		this.#logs.get(stream.session_id)?.streams.delete(stream.name);
	}

	/** Forgets a session that has ended; the store removes its events with it. */
	#forget(session_id: string): void {
		const log = this.#logs.get(session_id);
		if (log === undefined) return;
		this.#logs.delete(session_id);
		for (const stream of log.streams.values()) {
			for (const event of stream.events) this.#tail.remove(event);
			stream.backlog.close();
			stream.reader?.finish("session_ended");
		}
	}
}

/** The bytes without the larger memory they may be a small part of. */
function unshared(data: Buffer): Buffer {
	if (data.buffer.byteLength <= 2 * data.length) return data;
	const copy = Buffer.allocUnsafeSlow(data.length);
	data.copy(copy);
	return copy;
}
