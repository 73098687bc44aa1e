import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { EventRecorder } from "../../test/support/event-recorder.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import { fail } from "../lib/result.ts";
import { createWriter } from "../store/repositories.ts";
import type { EventReader } from "./event-reader.ts";
import { type EventLimits, SessionEvents } from "./events.ts";
import { type Session, Sessions } from "./sessions.ts";

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
async function start(limits: Partial<EventLimits> = {}): Promise<void> {
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
	});
	await events.restore();
}

async function restart(): Promise<void> {
	await events.flush();
	await start();
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

describe("the end of a stream", () => {
	it("is refused as complete once its client has everything, however the stream ended", async () => {
		const finished = open();
		const [before] = append(finished.stream, "one");
		const final = events.finish(session.id, finished.stream, Buffer.from("final"));
		assert.equal(finished.heard.last_id, final);
		assert.deepEqual(finished.heard.ends, ["complete"]);
		const ended = open();
		const [last] = append(ended.stream, "one");
		events.end(session.id, ended.stream);
		const empty = open();
		events.end(session.id, empty.stream);
		await events.flush();
		for (const _ of ["this run", "the next one"]) {
			assert.equal(await refusal(session.id, final as string), "complete");
			assert.equal(await refusal(session.id, last as string), "complete");
			assert.equal(await refusal(session.id, `${empty.stream}-0`), "complete");
			const { heard } = await resume(before as string);
			assert.deepEqual(heard.texts, ["final"]);
			assert.equal(heard.last_id, final);
			assert.deepEqual(heard.ends, ["complete"]);
			await restart();
		}
	});

	it("stays known of a stream of the run before, although the store hears of it later", async () => {
		const { stream } = open();
		await restart();
		await resume(`${stream}-0`);
		events.end(session.id, stream);
		assert.equal(await refusal(session.id, `${stream}-0`), "complete");
	});

	it("is refused as expired with what the stream was for", async () => {
		await start({ session_events_max: 4, memory_bytes_max: 0 });
		session = openSession();
		const { stream } = open("call 7");
		append(stream, "1", "2", "3", "4", "5");
		await events.flush();
		await settle();
		const resumed = await events.resume(session.id, `${stream}-0`, new EventRecorder());
		assert.deepEqual(resumed, fail({ kind: "expired", stream, about: "call 7" }));
	});

	it("does not answer a client again that has the last event, though the store lost it", async () => {
		const { stream, heard } = open();
		await events.flush();
		const final = events.finish(session.id, stream, Buffer.from("final"));
		assert.equal(heard.last_id, final);
		// The process is killed here: what waits is never written.
		const { database } = store;
		const onTrouble = () => assert.fail("a write failed");
		store = { ...store, writer: createWriter({ database, clock: new FakeClock(), onTrouble }) };
		await start();
		assert.equal(await refusal(session.id, final as string), "complete");
		// Its client came back with less: it is told what the next run has to say.
		const { reader } = await resume(`${stream}-0`);
		assert.equal(reader.orphaned, true);
	});
});
