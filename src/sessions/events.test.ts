import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { EventRecorder } from "../../test/support/event-recorder.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import { createWriter, type StoreWriter } from "../store/repositories.ts";
import type { EventReader } from "./event-reader.ts";
import { type EventLimits, SessionEvents, type SessionEventsOptions } from "./events.ts";
import { type Session, Sessions } from "./sessions.ts";

const hour_ms = 60 * 60 * 1000;

let clock: FakeClock;
let random: SeededRandom;
let store: TestStore;
let log: MemoryLog;
let sessions: Sessions;
let events: SessionEvents;
let session: Session;

beforeEach(async () => {
	clock = new FakeClock();
	random = new SeededRandom(7);
	store = await openTestStore(clock);
	log = new MemoryLog();
	await start();
	session = openSession();
});
afterEach(() => store.database.close());

/** Builds the rooms anew over the same database, as a restart does. */
async function start(
	limits: Partial<EventLimits> = {},
	options: Partial<SessionEventsOptions> = {},
): Promise<void> {
	const { writer, repositories } = store;
	const shared = { clock, random, writer };
	sessions = new Sessions({ ...shared, repository: repositories.sessions, sessions_max: 10 });
	await sessions.restore();
	const { events: repository, meta } = repositories;
	events = new SessionEvents({
		...shared,
		log,
		sessions,
		events: repository,
		meta,
		limits,
		...options,
	});
	await events.restore();
}

async function restart(limits: Partial<EventLimits> = {}): Promise<void> {
	await events.flush();
	await start(limits);
}

function openSession(): Session {
	const made = sessions.create({
		endpoint: "time",
		principal: "local",
		revision: "2025-11-25",
		client_capabilities: "{}",
		client_info: "{}",
	});
	assert.ok(made !== undefined);
	return made;
}

function open(about = "1"): { reader: EventReader; heard: EventRecorder; stream: string } {
	const heard = new EventRecorder();
	const reader = events.open(session.id, about, heard);
	assert.ok(reader !== undefined);
	reader.flow();
	return { reader, heard, stream: reader.stream };
}

function append(stream: string, ...texts: string[]): string[] {
	return texts.map((text) => {
		const id = events.append(session.id, stream, Buffer.from(text));
		assert.ok(id !== undefined);
		return id;
	});
}

async function resume(last_id: string): Promise<{ reader: EventReader; heard: EventRecorder }> {
	const heard = new EventRecorder();
	const resumed = await events.resume(session.id, last_id, heard);
	assert.ok(resumed.ok, resumed.ok ? "" : resumed.problem.kind);
	resumed.value.flow();
	await settle();
	return { reader: resumed.value, heard };
}

async function refusal(session_id: string, last_id: string): Promise<string> {
	const resumed = await events.resume(session_id, last_id, new EventRecorder());
	return resumed.ok ? "resumed" : resumed.problem.kind;
}

describe("a stream", () => {
	it("delivers its events in order and at once, each with the id append returned", () => {
		const { heard, stream } = open();
		const ids = append(stream, "one", "two");
		assert.deepEqual(heard.texts, ["one", "two"]);
		assert.deepEqual(
			heard.events.map((event) => event.id),
			ids,
		);
		assert.deepEqual(heard.ends, []);
	});

	it("begins with an event that has an id and no data", async () => {
		const { stream, reader } = open();
		const first = events.priming(stream);
		assert.equal(first.id, `${stream}-0`);
		assert.equal(first.data.length, 0);
		reader.close();
		append(stream, "one");
		assert.deepEqual((await resume(first.id)).heard.texts, ["one"]);
	});

	it("tells its reader when it is complete and takes nothing afterwards", () => {
		const { heard, stream } = open();
		append(stream, "one");
		events.end(session.id, stream);
		events.end(session.id, stream);
		assert.deepEqual(heard.ends, ["complete"]);
		assert.equal(events.append(session.id, stream, Buffer.from("late")), undefined);
		assert.deepEqual(heard.texts, ["one"]);
	});

	it("holds events back while its reader pauses, and none is lost", () => {
		const { reader, heard, stream } = open();
		append(stream, "one");
		reader.pause();
		append(stream, "two", "three");
		events.end(session.id, stream);
		assert.deepEqual(heard.texts, ["one"]);
		assert.deepEqual(heard.ends, []);
		reader.flow();
		assert.deepEqual(heard.texts, ["one", "two", "three"]);
		assert.deepEqual(heard.ends, ["complete"]);
	});

	it("delivers what its own listener appends, once and in order", () => {
		const heard: string[] = [];
		const reader = events.open(session.id, "", {
			onEvent(event) {
				const text = event.data.toString();
				heard.push(text);
				if (text.length < 4) append(stream, `${text}x`);
			},
			onEnd: () => undefined,
		});
		const stream = reader?.stream as string;
		reader?.flow();
		append(stream, "x", "y");
		assert.deepEqual(heard, ["x", "xx", "xxx", "xxxx", "y", "yx", "yxx", "yxxx"]);
	});

	it("is refused for a session that is not there, and beyond the bound", async () => {
		await start({ streams_max: 2 });
		session = openSession();
		assert.equal(events.open("unknown", "", new EventRecorder()), undefined);
		const first = open();
		open();
		assert.equal(events.open(session.id, "", new EventRecorder()), undefined);
		events.end(session.id, first.stream);
		open();
	});

	it("does not keep alive the memory its bytes were a small part of", () => {
		const { heard, stream } = open();
		const large = Buffer.alloc(1_000_000, "x");
		assert.ok(events.append(session.id, stream, large.subarray(10, 20)));
		assert.equal(heard.events[0]?.data.buffer.byteLength, 10);
		assert.ok(events.memory_bytes < 1_000);
	});
});

describe("resuming a stream", () => {
	it("brings what came after the last event seen, then what comes", async () => {
		const { reader, stream, heard } = open();
		append(stream, "one", "two");
		reader.close();
		append(stream, "three");
		const again = await resume(heard.last_id);
		assert.deepEqual(again.heard.texts, ["three"]);
		append(stream, "four");
		assert.deepEqual(again.heard.texts, ["three", "four"]);
		assert.deepEqual(heard.texts, ["one", "two"]);
		assert.deepEqual(heard.ends, []);
	});

	it("brings only events of that stream", async () => {
		const one = open();
		const two = open();
		const [first] = append(one.stream, "a1");
		append(two.stream, "b1");
		append(one.stream, "a2");
		append(two.stream, "b2");
		assert.deepEqual((await resume(first as string)).heard.texts, ["a2"]);
	});

	it("replaces the connection that reads it", async () => {
		const { heard, stream } = open();
		const [first] = append(stream, "one");
		const again = await resume(first as string);
		append(stream, "two");
		assert.deepEqual(heard.ends, ["replaced"]);
		assert.deepEqual(heard.texts, ["one"]);
		assert.deepEqual(again.heard.texts, ["two"]);
	});

	it("completes a stream that has ended meanwhile", async () => {
		const { reader, stream } = open("7");
		const [first] = append(stream, "one");
		reader.close();
		append(stream, "two");
		events.end(session.id, stream);
		const again = await resume(first as string);
		assert.equal(again.reader.about, "7");
		assert.equal(again.reader.orphaned, false);
		assert.deepEqual(again.heard.texts, ["two"]);
		assert.deepEqual(again.heard.ends, ["complete"]);
	});

	it("is refused alike for foreign, forged and malformed ids", async () => {
		const { stream } = open();
		const [id] = append(stream, "one");
		const other = openSession();
		assert.equal(await refusal(other.id, id as string), "unknown");
		assert.equal(await refusal("no session", id as string), "unknown");
		for (const forged of [`${"x".repeat(16)}-1`, "", "1", `${stream}-zzzzzzzzz`, `${id}0`]) {
			assert.equal(await refusal(session.id, forged), "unknown");
		}
	});

	it("is refused after the session has ended, and tells the readers", async () => {
		const { heard, stream } = open();
		const [id] = append(stream, "one");
		sessions.end(session.id);
		assert.deepEqual(heard.ends, ["session_ended"]);
		assert.equal(await refusal(session.id, id as string), "unknown");
		assert.equal(events.append(session.id, stream, Buffer.from("x")), undefined);
		assert.equal(events.memory_bytes, 0);
		await events.flush();
		assert.equal(await store.repositories.events.stream(session.id, stream), undefined);
		assert.deepEqual(store.troubles, []);
	});

	it("is refused when the session ends while the store is asked", async () => {
		const { stream, reader } = open();
		const [id] = append(stream, "one");
		reader.close();
		await restart();
		const resuming = refusal(session.id, id as string);
		sessions.end(session.id);
		assert.equal(await resuming, "unknown");
	});

	it("reads from the store what has left memory", async () => {
		await restart({ memory_bytes_max: 2_000 });
		const { stream, reader } = open();
		const texts = Array.from({ length: 200 }, (_, n) => `event ${n} ${"x".repeat(100)}`);
		const ids = append(stream, ...texts);
		reader.close();
		assert.ok(events.memory_bytes > 2_000, "what is not stored yet stays");
		await events.flush();
		await settle();
		assert.ok(events.memory_bytes <= 2_000);
		assert.deepEqual((await resume(ids[9] as string)).heard.texts, texts.slice(10));
	});

	it("catches up after a pause in which events have left memory", async () => {
		await restart({ memory_bytes_max: 1_000 });
		const { stream, reader, heard } = open();
		reader.pause();
		const texts = Array.from({ length: 50 }, (_, n) => `event ${n}`);
		append(stream, ...texts);
		await events.flush();
		reader.flow();
		append(stream, "the last");
		await settle();
		assert.deepEqual(heard.texts, [...texts, "the last"]);
	});

	it("stops within a page of stored events when its reader pauses", async () => {
		await restart({ memory_bytes_max: 0 });
		const { stream, reader } = open();
		append(stream, "one", "two", "three");
		reader.close();
		await events.flush();
		const heard: string[] = [];
		const resumed = await events.resume(session.id, `${stream}-0`, {
			onEvent(event) {
				heard.push(event.data.toString());
				if (resumed.ok) resumed.value.pause();
			},
			onEnd: () => undefined,
		});
		assert.ok(resumed.ok);
		for (const expected of [["one"], ["one", "two"], ["one", "two", "three"]]) {
			resumed.value.flow();
			await settle();
			assert.deepEqual(heard, expected);
		}
	});

	it("gives a stream to the later of two connections that resume it at once", async () => {
		const { stream } = open();
		const [id] = append(stream, "one");
		await restart();
		const [first, second] = [new EventRecorder(), new EventRecorder()];
		const resumed = await Promise.all(
			[first, second].map((heard) => events.resume(session.id, id as string, heard)),
		);
		for (const one of resumed) if (one.ok) one.value.flow();
		append(stream, "two");
		await settle();
		assert.deepEqual([first.texts, first.ends], [[], ["replaced"]]);
		assert.deepEqual([second.texts, second.ends], [["two"], []]);
	});

	it("completes a stream whose end is not written yet", async () => {
		await restart({ memory_bytes_max: 0 });
		const { stream } = open();
		const [id] = append(stream, "one", "two");
		await events.flush();
		await settle();
		events.end(session.id, stream);
		const { heard, reader } = await resume(id as string);
		assert.equal(reader.orphaned, false);
		assert.deepEqual([heard.texts, heard.ends], [["two"], ["complete"]]);
	});

	it("replays an event of several megabytes byte for byte", async () => {
		const { stream, reader } = open();
		const large = Buffer.alloc(5_000_000, "0123456789");
		events.append(session.id, stream, large);
		reader.close();
		await restart();
		const { heard } = await resume(`${stream}-0`);
		assert.ok(heard.events[0]?.data.equals(large));
	});
});

describe("a stream after a restart", () => {
	it("is resumed like before when it had ended", async () => {
		const { stream } = open("7");
		const ids = append(stream, "one", "two", "three");
		events.end(session.id, stream);
		await restart();
		const { heard, reader } = await resume(ids[0] as string);
		assert.deepEqual(heard.texts, ["two", "three"]);
		assert.deepEqual(heard.ends, ["complete"]);
		assert.equal(reader.orphaned, false);
		assert.equal(events.append(session.id, stream, Buffer.from("x")), undefined);
	});

	it("is an orphan when it was open, to be answered and ended by who finds it", async () => {
		const { stream } = open('"req-7"');
		const [id] = append(stream, "one");
		await restart();
		const { reader, heard } = await resume(id as string);
		assert.equal(reader.orphaned, true);
		assert.equal(reader.about, '"req-7"');
		assert.deepEqual(heard.ends, []);
		append(stream, "the gateway was restarted");
		events.end(session.id, stream);
		assert.deepEqual(heard.texts, ["the gateway was restarted"]);
		assert.deepEqual(heard.ends, ["complete"]);
		await restart();
		const again = await resume(id as string);
		assert.deepEqual(again.heard.texts, ["the gateway was restarted"]);
		assert.equal(again.reader.orphaned, false);
	});

	it("can be resumed from its priming event when nothing was sent yet", async () => {
		const { stream } = open();
		await restart();
		const { reader } = await resume(`${stream}-0`);
		assert.equal(reader.orphaned, true);
	});

	it("goes on behind events the client saw and the store did not", async () => {
		const { stream } = open();
		const [stored] = append(stream, "stored");
		await events.flush();
		const seen = append(stream, "lost 1", "lost 2");
		// The process is killed here: what waits is never written.
		const { database } = store;
		const onTrouble = () => assert.fail("a write failed");
		store = { ...store, writer: createWriter({ database, clock: new FakeClock(), onTrouble }) };
		await start();
		const { heard } = await resume(seen[1] as string);
		append(stream, "after");
		assert.deepEqual(heard.texts, ["after"]);
		const late = await resume(stored as string);
		assert.deepEqual(late.heard.texts, ["after"]);
	});
});

describe("the bounds of the event log", () => {
	it("throw a session's oldest events away beyond a count", async () => {
		await restart({ session_events_max: 8, memory_bytes_max: 0 });
		const { stream, reader } = open();
		const ids = append(stream, ...Array.from({ length: 20 }, (_, n) => `event ${n}`));
		reader.close();
		await events.flush();
		await settle();
		assert.equal(await refusal(session.id, ids[0] as string), "expired");
		assert.deepEqual((await resume(ids[17] as string)).heard.texts, ["event 18", "event 19"]);
		const row = await store.repositories.events.readAfter(session.id, stream, 0, {
			events_max: 100,
			bytes_max: 1_000_000,
		});
		assert.equal(row, undefined);
	});

	it("throw a session's oldest events away beyond a number of bytes", async () => {
		await restart({ session_bytes_max: 4_000, memory_bytes_max: 0 });
		const { stream, reader } = open();
		const ids = append(stream, ...Array.from({ length: 20 }, () => "x".repeat(1000)));
		reader.close();
		await events.flush();
		await settle();
		assert.equal(await refusal(session.id, ids[10] as string), "expired");
		assert.equal((await resume(ids[17] as string)).heard.texts.length, 2);
	});

	it("do not touch other sessions", async () => {
		await restart({ session_events_max: 4, memory_bytes_max: 0 });
		const quiet = open();
		const [quiet_id] = append(quiet.stream, "first", "second");
		quiet.reader.close();
		const mine = session;
		session = openSession();
		append(open().stream, ...Array.from({ length: 50 }, (_, n) => `${n}`));
		await events.flush();
		await settle();
		session = mine;
		assert.deepEqual((await resume(quiet_id as string)).heard.texts, ["second"]);
	});

	it("throw the oldest events of all sessions away beyond the total", async () => {
		await restart({ total_bytes_max: 10_000, memory_bytes_max: 0 });
		const old_session = session;
		const old = open();
		const [old_id] = append(old.stream, "a", "b");
		old.reader.close();
		session = openSession();
		const { stream, reader } = open();
		const ids: string[] = [];
		for (let n = 0; n < 20; n += 1) {
			await clock.advance(1000);
			ids.push(...append(stream, "x".repeat(1000)));
		}
		reader.close();
		await events.flush();
		assert.equal(await refusal(old_session.id, old_id as string), "expired");
		assert.equal(await refusal(session.id, ids[8] as string), "expired");
		assert.equal((await resume(ids[17] as string)).heard.texts.length, 2);
	});

	it("throw away what is older than an hour at the sweep", async () => {
		await restart({ memory_bytes_max: 0 });
		const { stream, reader } = open();
		const [first, second] = append(stream, "one", "two");
		reader.close();
		await clock.advance(hour_ms / 2);
		append(stream, "three");
		await clock.advance(hour_ms / 2 + 1);
		events.sweep();
		await events.flush();
		assert.equal(await refusal(session.id, first as string), "expired");
		assert.deepEqual((await resume(second as string)).heard.texts, ["three"]);
	});

	it("leave streams that are open now, and forget ended ones, at the sweep", async () => {
		await restart({ memory_bytes_max: 0 });
		const quiet = open();
		const ended = open();
		const [ended_id] = append(ended.stream, "one");
		events.end(session.id, ended.stream);
		await clock.advance(2 * hour_ms);
		events.sweep();
		await events.flush();
		append(quiet.stream, "still here");
		assert.deepEqual(quiet.heard.texts, ["still here"]);
		await events.flush();
		assert.deepEqual(store.troubles, []);
		assert.equal(await refusal(session.id, ended_id as string), "unknown");
	});
});

describe("a stream that its client is told of", () => {
	it("is in the store by then, so that it outlives a gateway that is killed", async () => {
		const { stream } = open();
		const opened = events.openedDurably(session.id, stream);
		assert.equal(await store.repositories.events.stream(session.id, stream), undefined);
		await clock.advance(100);
		await opened;
		const stored = await store.repositories.events.stream(session.id, stream);
		assert.equal(stored?.about, "1");
		await start();
		assert.equal((await resume(`${stream}-0`)).reader.orphaned, true);
	});

	it("is waited for no longer once it is stored, or gone with its session", async () => {
		const { stream } = open();
		await clock.advance(100);
		await events.openedDurably(session.id, stream);
		sessions.end(session.id);
		await events.openedDurably(session.id, stream);
	});
});

describe("the event log on a store that fails", () => {
	const refusing: StoreWriter = {
		add: () => false,
		addDurably: async () => false,
		flush: async () => undefined,
	};

	it("says so of a stream that is told of all the same", async () => {
		await start({}, { writer: refusing });
		session = openSession();
		const { stream } = open();
		await events.openedDurably(session.id, stream);
		assert.equal(await store.repositories.events.stream(session.id, stream), undefined);
	});

	it("delivers live events, and says expired where an event is nowhere", async () => {
		await start({ memory_bytes_max: 600 }, { writer: refusing });
		session = openSession();
		const { stream, heard } = open();
		const ids = append(stream, "one", "two", "three", "four");
		await settle();
		assert.deepEqual(heard.texts, ["one", "two", "three", "four"]);
		assert.equal(await refusal(session.id, ids[0] as string), "expired");
		assert.deepEqual((await resume(ids[2] as string)).heard.texts, ["four"]);
	});

	it("tells of a gap where the store refused one event among others", async () => {
		let writes = 0;
		const { writer } = store;
		const refusing_one: StoreWriter = {
			add: (write, bytes) => writer.add(write, bytes),
			flush: () => writer.flush(),
			addDurably(write, bytes) {
				writes += 1;
				// The stream itself is the first, the event "three" is the fourth.
				return writes === 4 ? Promise.resolve(false) : writer.addDurably(write, bytes);
			},
		};
		await restart();
		await start({ memory_bytes_max: 0 }, { writer: refusing_one });
		const { stream, reader, heard } = open();
		append(stream, "one");
		reader.pause();
		const ids = append(stream, "two", "three", "four");
		await events.flush();
		await settle();
		reader.flow();
		await settle();
		assert.deepEqual([heard.texts, heard.ends], [["one"], ["expired"]]);
		assert.equal(await refusal(session.id, `${stream}-0`), "expired");
		assert.equal(await refusal(session.id, ids[0] as string), "expired");
		assert.deepEqual((await resume(ids[1] as string)).heard.texts, ["four"]);
	});

	it("ends a reader whose page cannot be read, and logs why", async () => {
		const { stream } = open();
		append(stream, "one", "two");
		await events.flush();
		let failing = false;
		const { events: stored } = store.repositories;
		const readAfter: typeof stored.readAfter = async (...args) => {
			if (failing) throw new Error("disk I/O error");
			return stored.readAfter(...args);
		};
		await start({}, { events: { stream: (...args) => stored.stream(...args), readAfter } });
		const heard = new EventRecorder();
		const resumed = await events.resume(session.id, `${stream}-0`, heard);
		assert.ok(resumed.ok);
		failing = true;
		resumed.value.flow();
		await settle();
		assert.deepEqual(heard.ends, ["failed"]);
		assert.deepEqual(log.messages("error"), ["the events of a session could not be read"]);
		assert.equal(log.lines[0]?.fields["session_id"], session.id);
	});
});
