import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EventRecorder } from "../../test/support/event-recorder.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Database } from "../store/database.ts";
import { createWriter } from "../store/repositories.ts";
import type { EventReader } from "./event-reader.ts";
import { type EventLimits, SessionEvents } from "./events.ts";
import { Sessions } from "./sessions.ts";

/** What a stream should hold. What was not flushed is lost in a crash. */
interface ModelStream {
	readonly session_id: string;
	readonly name: string;
	/** The ids of all events there ever were: a client may come back with any of them. */
	readonly ids: string[];
	/** The events that are not lost, by their index in `ids`. */
	events: { readonly index: number; readonly text: string; flushed: boolean }[];
	flushed: boolean;
	end: "no" | "waits" | "flushed";
	/** True when this run of the gateway opened it or took it up. */
	live: boolean;
	reader: ModelReader | undefined;
}

/** A connection: it must hear exactly what the model holds behind its place. */
interface ModelReader {
	readonly reader: EventReader;
	readonly heard: EventRecorder;
	/** Index of the last event its client had seen; -1 for none. */
	readonly place: number;
	flowing: boolean;
}

type Kind =
	| "open"
	| "append"
	| "finish"
	| "end"
	| "flush"
	| "pause"
	| "flow"
	| "close"
	| "resume"
	| "foreign"
	| "restart"
	| "crash";

interface Step {
	readonly kind: Kind;
	readonly stream: number;
	readonly place: number;
	readonly size: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
	kind: fc.oneof(
		{ weight: 8, arbitrary: fc.constant<Kind>("append") },
		{ weight: 8, arbitrary: fc.constantFrom<Kind>("open", "resume", "flush") },
		{ weight: 6, arbitrary: fc.constantFrom<Kind>("pause", "flow", "close") },
		{ weight: 4, arbitrary: fc.constantFrom<Kind>("foreign", "restart", "crash") },
		{ weight: 4, arbitrary: fc.constantFrom<Kind>("finish", "end") },
	),
	stream: fc.nat({ max: 6 }),
	place: fc.nat({ max: 30 }),
	size: fc.constantFrom(0, 1, 10, 300),
});

/** The database as a process has it that may die: afterwards nothing is written any more. */
function mortal(database: Database): { database: Database; kill(): void } {
	let alive = true;
	const transaction: Database["transaction"] = (work) =>
		alive ? database.transaction(work) : (Promise.resolve() as Promise<never>);
	return {
		database: { ...database, transaction },
		kill() {
			alive = false;
		},
	};
}

/** A gateway's event log and its model, moved in step. */
class World {
	readonly #clock = new FakeClock();
	readonly #random = new SeededRandom(3);
	readonly #store: TestStore;
	readonly #limits: Partial<EventLimits>;
	/** True when the limits are so tight that old events may be thrown away. */
	readonly #forgetful: boolean;
	#streams: ModelStream[] = [];
	#session_ids: string[] = [];
	#kill = () => {};
	#events!: SessionEvents;
	#count = 0;

	constructor(store: TestStore, limits: Partial<EventLimits>) {
		this.#store = store;
		this.#limits = limits;
		this.#forgetful = limits.session_events_max !== undefined;
	}

	/** Starts a gateway over the database. The one before is dead, with all it had not written. */
	async boot(): Promise<void> {
		this.#kill();
		const { database, kill } = mortal(this.#store.database);
		this.#kill = kill;
		const { repositories } = this.#store;
		const onTrouble = () => assert.fail("a write failed");
		const writer = createWriter({ database, clock: this.#clock, onTrouble });
		const shared = { clock: this.#clock, random: this.#random, writer };
		const sessions = new Sessions({
			...shared,
			repository: repositories.sessions,
			sessions_max: 10,
		});
		await sessions.restore();
		const { events, meta } = repositories;
		const log = new MemoryLog();
		this.#events = new SessionEvents({
			...shared,
			log,
			sessions,
			events,
			meta,
			limits: this.#limits,
		});
		await this.#events.restore();
		if (this.#session_ids.length > 0) return;
		for (const principal of ["ann", "ben"]) {
			const parts = { endpoint: "time", principal, revision: "2025-06-18" };
			const session = sessions.create({ ...parts, client_capabilities: "{}", client_info: "{}" });
			this.#session_ids.push(session?.id as string);
		}
		await sessions.flush();
	}

	async step(step: Step): Promise<void> {
		const stream = this.#streams[step.stream];
		if (step.kind === "open") this.#open(step);
		else if (step.kind === "flush") await this.#flush();
		else if (step.kind === "restart") await this.#restart();
		else if (step.kind === "crash") await this.#crash();
		else if (stream === undefined) return;
		else if (step.kind === "append") this.#append(stream, step);
		else if (step.kind === "finish") this.#finish(stream);
		else if (step.kind === "end") this.#end(stream);
		else if (step.kind === "resume") await this.#resume(stream, step);
		else if (step.kind === "foreign") await this.#resumeForeign(stream, step);
		else this.#move(stream, step.kind);
		await settle();
	}

	#open(step: Step): void {
		if (this.#streams.length > 6) return;
		const session_id = this.#session_ids[step.place & 1] as string;
		const heard = new EventRecorder();
		const reader = this.#events.open(session_id, "about", heard);
		assert.ok(reader !== undefined);
		reader.flow();
		this.#streams.push({
			session_id,
			name: reader.stream,
			ids: [],
			events: [],
			flushed: false,
			end: "no",
			live: true,
			reader: { reader, heard, place: -1, flowing: true },
		});
	}

	#append(stream: ModelStream, step: Step): void {
		this.#count += 1;
		const text = `${stream.name} ${this.#count} ${"x".repeat(step.size)}`;
		const id = this.#events.append(stream.session_id, stream.name, Buffer.from(text));
		if (id === undefined) {
			// It has ended, or is an orphan nobody has resumed yet.
			assert.ok(stream.end !== "no" || !stream.live);
			return;
		}
		assert.equal(stream.end, "no");
		assert.ok(!stream.ids.includes(id), "an id is never used twice");
		stream.events.push({ index: stream.ids.length, text, flushed: false });
		stream.ids.push(id);
	}

	#finish(stream: ModelStream): void {
		const id = this.#events.finish(stream.session_id, stream.name, Buffer.from("final"));
		if (id === undefined) {
			assert.ok(stream.end !== "no" || !stream.live);
			return;
		}
		assert.match(id, /\.$/u);
		stream.events.push({ index: stream.ids.length, text: "final", flushed: false });
		stream.ids.push(id);
		stream.end = "waits";
	}

	#end(stream: ModelStream): void {
		this.#events.end(stream.session_id, stream.name);
		if (stream.live && stream.end === "no") stream.end = "waits";
	}

	#move(stream: ModelStream, kind: Kind): void {
		const { reader } = stream;
		if (reader === undefined) return;
		if (kind === "pause") reader.reader.pause();
		if (kind === "flow") reader.reader.flow();
		if (kind === "close") reader.reader.close();
		reader.flowing = kind === "flow";
		if (kind === "close") stream.reader = undefined;
	}

	async #resume(stream: ModelStream, step: Step): Promise<void> {
		const place = (step.place % (stream.ids.length + 1)) - 1;
		const last_id = stream.ids[place] ?? this.#events.priming(stream.name).id;
		const heard = new EventRecorder();
		const resumed = await this.#events.resume(stream.session_id, last_id, heard);
		// Whoever has the last event, kept or lost, is told that there is nothing more to come for.
		const has_last = last_id.endsWith(".");
		const over = stream.end !== "no" && stream.events.every(({ index }) => index <= place);
		if (!resumed.ok) {
			const { kind } = resumed.problem;
			if (kind === "complete") assert.ok(has_last || over, "there was more to come for");
			else if (stream.flushed) assert.ok(this.#forgetful, `nothing was thrown away, but ${kind}`);
			else assert.equal(stream.ids.length, 0, "only an unwritten stream without events is unknown");
			return;
		}
		assert.ok(!has_last && !over, "there is nothing to come back for");
		if (stream.reader !== undefined) {
			const { ends } = stream.reader.heard;
			assert.deepEqual(ends.slice(-1), ["replaced"]);
		}
		resumed.value.flow();
		stream.live = true;
		stream.reader = { reader: resumed.value, heard, place, flowing: true };
	}

	async #resumeForeign(stream: ModelStream, step: Step): Promise<void> {
		const other = this.#session_ids.find((id) => id !== stream.session_id) as string;
		const last_id = stream.ids[step.place] ?? this.#events.priming(stream.name).id;
		const resumed = await this.#events.resume(other, last_id, new EventRecorder());
		assert.deepEqual(resumed, { ok: false, problem: { kind: "unknown" } });
	}

	async #flush(): Promise<void> {
		await this.#events.flush();
		await settle();
		assert.ok(this.#events.memory_bytes <= (this.#limits.memory_bytes_max as number));
		for (const stream of this.#streams) {
			stream.flushed = true;
			if (stream.end === "waits") stream.end = "flushed";
			for (const event of stream.events) event.flushed = true;
		}
	}

	async #restart(): Promise<void> {
		await this.#flush();
		await this.#crash();
	}

	async #crash(): Promise<void> {
		this.#streams = this.#streams.filter((stream) => stream.flushed);
		for (const stream of this.#streams) {
			stream.reader = undefined;
			stream.live = false;
			if (stream.end === "waits") stream.end = "no";
			stream.events = stream.events.filter((event) => event.flushed);
		}
		await this.boot();
	}

	/** Every connection has heard what it should, and nothing else. */
	check(): void {
		for (const stream of this.#streams) {
			const { reader } = stream;
			if (reader === undefined) continue;
			const { texts, ends } = reader.heard;
			const due = stream.events.filter((event) => event.index > reader.place);
			const expected = due.map((event) => event.text);
			const ids = reader.heard.events.map(({ id }) => id.replace(".", ""));
			const due_ids = due.map(({ index }) => stream.ids[index]?.replace(".", ""));
			assert.deepEqual(ids, due_ids.slice(0, ids.length));
			if (this.#forgetful && ends[0] === "expired") {
				assert.deepEqual(texts, expected.slice(0, texts.length));
				stream.reader = undefined;
				continue;
			}
			assert.deepEqual(texts, reader.flowing ? expected : expected.slice(0, texts.length));
			const complete = stream.end !== "no" && texts.length === expected.length;
			if (reader.flowing) assert.deepEqual(ends, complete ? ["complete"] : []);
			if (ends.length > 0) stream.reader = undefined;
		}
	}
}

async function runSteps(steps: readonly Step[], limits: Partial<EventLimits>): Promise<void> {
	const store = await openTestStore(new FakeClock());
	const world = new World(store, limits);
	await world.boot();
	for (const step of steps) {
		await world.step(step);
		world.check();
	}
	await store.database.close();
}

const anySteps = fc.array(anyStep, { maxLength: 80, size: "max" });

describe("the event log", () => {
	it("brings every client what it missed, over any restarts and crashes, from memory and store", async () => {
		const property = fc.asyncProperty(
			anySteps,
			fc.constantFrom(0, 700, 100_000),
			(steps, memory_bytes_max) => runSteps(steps, { memory_bytes_max }),
		);
		await fc.assert(property, { numRuns: 60 });
	});

	it("leaves no gap where it had to throw events away: the reader is told instead", async () => {
		const property = fc.asyncProperty(
			anySteps,
			fc.constantFrom(0, 700),
			(steps, memory_bytes_max) =>
				runSteps(steps, { memory_bytes_max, session_events_max: 6, session_bytes_max: 1_000 }),
		);
		await fc.assert(property, { numRuns: 60 });
	});
});
