import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { StoredEvent, StoredStream } from "../../src/store/event-repository.ts";
import { type ContractStore, sampleSession } from "./store-samples.ts";

const page = { events_max: 100, bytes_max: 1_000_000 };

function sampleStream(
	session_id: string,
	stream: string,
	change: Partial<StoredStream> = {},
): StoredStream {
	return {
		session_id,
		stream,
		run: 1,
		about: '"7"',
		opened_at_ms: 1_790_000_000_000,
		ended_at_ms: undefined,
		...change,
	};
}

function sampleEvent(
	session_id: string,
	stream: string,
	seq: number,
	change: { at_ms?: number; text?: string } = {},
): StoredEvent {
	return {
		session_id,
		stream,
		seq,
		at_ms: change.at_ms ?? seq,
		data: Buffer.from(change.text ?? `event ${seq}`),
	};
}

/** What every event repository must do. */
export function eventContract(current: () => ContractStore): void {
	readContract(current);
	boundContract(current);
	ageContract(current);
	it("agrees with a simple model after any writes and removals", () => checkModel(current));
}

async function prepare(current: () => ContractStore, ...streams: StoredStream[]) {
	const { events, sessions } = current().repositories;
	for (const id of new Set(streams.map((stream) => stream.session_id))) {
		await sessions.insert(sampleSession(id));
	}
	for (const stream of streams) await events.openStream(stream);
	return events;
}

function readContract(current: () => ContractStore): void {
	it("finds a stream as it was opened, and only in its session", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("t", "b"));
		assert.deepEqual(await events.stream("s", "a"), { ...sampleStream("s", "a"), newest_seq: 0 });
		assert.equal(await events.stream("t", "a"), undefined);
		assert.equal(await events.stream("s", "unknown"), undefined);
	});

	it("refuses a stream without a session and an event without a stream", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		await assert.rejects(events.openStream(sampleStream("unknown", "a")));
		await assert.rejects(events.append([sampleEvent("s", "unknown", 1)]));
		await assert.rejects(events.append([sampleEvent("unknown", "a", 1)]));
	});

	it("reads the events behind a number, of that stream only, byte for byte", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("s", "b"));
		const odd = { ...sampleEvent("s", "a", 9), data: Buffer.from([0, 255, 10, 13, 128]) };
		await events.append([
			sampleEvent("s", "a", 1),
			sampleEvent("s", "b", 2),
			sampleEvent("s", "a", 3, { text: "" }),
			odd,
		]);
		assert.deepEqual(await events.readAfter("s", "a", 0, page), [
			sampleEvent("s", "a", 1),
			sampleEvent("s", "a", 3, { text: "" }),
			odd,
		]);
		assert.deepEqual(await events.readAfter("s", "a", 3, page), [odd]);
		assert.deepEqual(await events.readAfter("s", "a", 9, page), []);
		assert.equal(await events.readAfter("t", "a", 0, page), undefined);
	});

	it("keeps numbers beyond 32 bits exact", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		const far = sampleEvent("s", "a", 2 ** 52 + 1, { at_ms: 1_790_000_000_001 });
		await events.append([far]);
		assert.deepEqual(await events.readAfter("s", "a", 2 ** 52, page), [far]);
	});

	it("reads page by page, and at least one event however large", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		const all = [1, 2, 3].map((seq) => sampleEvent("s", "a", seq, { text: "x".repeat(10) }));
		await events.append(all);
		const read = (seq: number, events_max: number, bytes_max: number) =>
			events.readAfter("s", "a", seq, { events_max, bytes_max });
		assert.deepEqual(await read(0, 2, 1000), all.slice(0, 2));
		assert.deepEqual(await read(0, 100, 29), all.slice(0, 2));
		assert.deepEqual(await read(1, 100, 5), all.slice(1, 2));
	});

	it("appends more events at once than one statement takes", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		const many = Array.from({ length: 333 }, (_, n) => sampleEvent("s", "a", n + 1));
		await events.append(many);
		await events.append([]);
		const read = await events.readAfter("s", "a", 0, { ...page, events_max: 1000 });
		assert.deepEqual(read, many);
	});

	it("notes the end of a stream and how far it goes, without events until it is trimmed", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("s", "b"));
		await events.append([sampleEvent("s", "a", 1)]);
		await events.endStream("s", "a", 77);
		await events.endStream("s", "b", 77);
		const ended = sampleStream("s", "a", { ended_at_ms: 77 });
		assert.deepEqual(await events.stream("s", "a"), { ...ended, newest_seq: 1 });
		const empty = sampleStream("s", "b", { ended_at_ms: 77 });
		assert.deepEqual(await events.stream("s", "b"), { ...empty, newest_seq: 0 });
		await events.trim("s", page);
		assert.equal(await events.stream("s", "b"), undefined);
		assert.equal((await events.stream("s", "a"))?.newest_seq, 1);
	});

	it("removes streams and events with their session", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("t", "a"));
		await events.append([sampleEvent("s", "a", 1), sampleEvent("t", "a", 1)]);
		await current().repositories.sessions.remove("s");
		assert.equal(await events.stream("s", "a"), undefined);
		assert.equal(await events.readAfter("s", "a", 0, page), undefined);
		assert.equal((await events.readAfter("t", "a", 0, page))?.length, 1);
	});
}

function boundContract(current: () => ContractStore): void {
	it("trims the oldest events of a session down to a count", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("t", "a"));
		await events.append(
			[1, 2, 3, 4].map((seq) => sampleEvent("s", "a", seq, { text: "ten bytes!" })),
		);
		await events.append([sampleEvent("t", "a", 1)]);
		await events.trim("s", { events_max: 2, bytes_max: 1000 });
		assert.equal(await events.readAfter("s", "a", 1, page), undefined);
		const kept = await events.readAfter("s", "a", 2, page);
		assert.deepEqual(
			kept?.map((event) => event.seq),
			[3, 4],
		);
		assert.equal((await events.readAfter("t", "a", 0, page))?.length, 1);
	});

	it("trims to a number of bytes, and to nothing when the newest alone is too large", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		await events.append([1, 2, 3].map((seq) => sampleEvent("s", "a", seq, { text: "ten bytes!" })));
		await events.trim("s", { events_max: 100, bytes_max: 25 });
		assert.equal((await events.readAfter("s", "a", 1, page))?.length, 2);
		await events.trim("s", { events_max: 100, bytes_max: 9 });
		assert.equal(await events.readAfter("s", "a", 2, page), undefined);
		assert.deepEqual(await events.readAfter("s", "a", 3, page), []);
	});

	it("tells a reader of a gap only when its own stream lost something", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("s", "b"));
		await events.append([
			sampleEvent("s", "a", 1),
			sampleEvent("s", "b", 2),
			sampleEvent("s", "b", 3),
		]);
		await events.trim("s", { events_max: 1, bytes_max: 1000 });
		assert.deepEqual(await events.readAfter("s", "a", 1, page), []);
		assert.equal(await events.readAfter("s", "a", 0, page), undefined);
		assert.equal(await events.readAfter("s", "b", 0, page), undefined);
		assert.equal((await events.readAfter("s", "b", 2, page))?.length, 1);
	});

	it("removes an ended stream once its last event is trimmed, and keeps an open one", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("s", "b"));
		await events.append([sampleEvent("s", "a", 1), sampleEvent("s", "b", 2)]);
		await events.endStream("s", "a", 5);
		await events.trim("s", { events_max: 0, bytes_max: 0 });
		assert.equal(await events.stream("s", "a"), undefined);
		assert.deepEqual(await events.stream("s", "b"), { ...sampleStream("s", "b"), newest_seq: 0 });
	});

	it("trims nothing when everything is within the bound", async () => {
		const events = await prepare(current, sampleStream("s", "a"));
		await events.append([sampleEvent("s", "a", 1, { text: "12" })]);
		await events.trim("s", { events_max: 1, bytes_max: 2 });
		await events.trim("unknown", { events_max: 0, bytes_max: 0 });
		assert.equal((await events.readAfter("s", "a", 0, page))?.length, 1);
	});
}

function ageContract(current: () => ContractStore): void {
	it("removes the events of all sessions of before a time", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("t", "b"));
		await events.append([
			sampleEvent("s", "a", 1, { at_ms: 10, text: "123" }),
			sampleEvent("s", "a", 2, { at_ms: 20 }),
			sampleEvent("t", "b", 1, { at_ms: 19, text: "12" }),
		]);
		await events.removeBefore(20, 1);
		assert.equal(await events.readAfter("s", "a", 0, page), undefined);
		assert.equal((await events.readAfter("s", "a", 1, page))?.length, 1);
		assert.equal(await events.readAfter("t", "b", 0, page), undefined);
	});

	it("removes old streams that ended or were left open, and none that is still written to", async () => {
		const events = await prepare(
			current,
			sampleStream("s", "ended", { run: 2, opened_at_ms: 1 }),
			sampleStream("s", "left", { run: 1, opened_at_ms: 1 }),
			sampleStream("s", "left later", { run: 1, opened_at_ms: 50 }),
			sampleStream("s", "left with news", { run: 1, opened_at_ms: 1 }),
			sampleStream("s", "open", { run: 2, opened_at_ms: 1 }),
		);
		await events.append([
			sampleEvent("s", "ended", 1, { at_ms: 5 }),
			sampleEvent("s", "left with news", 2, { at_ms: 50 }),
		]);
		await events.endStream("s", "ended", 6);
		await events.removeBefore(20, 2);
		const there = async (stream: string) => (await events.stream("s", stream)) !== undefined;
		assert.equal(await there("ended"), false);
		assert.equal(await there("left"), false);
		assert.equal(await there("left later"), true);
		assert.equal(await there("left with news"), true);
		assert.equal(await there("open"), true);
	});

	it("keeps the newest events of all sessions within a number of bytes", async () => {
		const events = await prepare(current, sampleStream("s", "a"), sampleStream("t", "b"));
		await events.append([
			sampleEvent("s", "a", 1, { at_ms: 30, text: "ten bytes!" }),
			sampleEvent("t", "b", 1, { at_ms: 10, text: "ten bytes!" }),
			sampleEvent("t", "b", 2, { at_ms: 20, text: "ten bytes!" }),
		]);
		await events.trimAll(30);
		assert.equal((await events.readAfter("t", "b", 0, page))?.length, 2);
		await events.trimAll(29);
		assert.equal(await events.readAfter("t", "b", 0, page), undefined);
		assert.equal((await events.readAfter("t", "b", 1, page))?.length, 1);
		await events.trimAll(19);
		assert.equal(await events.readAfter("t", "b", 1, page), undefined);
		assert.equal((await events.readAfter("s", "a", 0, page))?.length, 1);
		await events.trimAll(0);
		assert.equal(await events.readAfter("s", "a", 0, page), undefined);
		await events.trimAll(0);
	});
}

/** One step of the model test: times only ever grow, as they do for a gateway. */
type Step =
	| { readonly kind: "append"; readonly stream: string; readonly size: number }
	| { readonly kind: "trim"; readonly events_max: number; readonly bytes_max: number }
	| { readonly kind: "remove"; readonly age: number };

const streams = ["a", "b", "c"];

const anyStep: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant("append" as const),
			stream: fc.constantFrom(...streams),
			size: fc.integer({ min: 0, max: 20 }),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("trim" as const),
			events_max: fc.integer({ min: 0, max: 12 }),
			bytes_max: fc.integer({ min: 0, max: 120 }),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant("remove" as const),
			age: fc.integer({ min: 0, max: 10 }),
		}),
	},
);

async function checkModel(current: () => ContractStore): Promise<void> {
	let runs = 0;
	const steps = fc.array(anyStep, { maxLength: 40, size: "max" });
	const property = fc.asyncProperty(steps, async (list) => {
		runs += 1;
		const session_id = `model ${runs}`;
		const events = await prepare(
			current,
			...streams.map((stream) => sampleStream(session_id, stream)),
		);
		let kept: StoredEvent[] = [];
		const dropped = new Map<string, number>();
		const drop = (goes: (event: StoredEvent) => boolean) => {
			for (const event of kept.filter(goes)) dropped.set(event.stream, event.seq);
			kept = kept.filter((event) => !goes(event));
		};
		let seq = 0;
		for (const step of list) {
			seq += 1;
			if (step.kind === "append") {
				const event = sampleEvent(session_id, step.stream, seq, { text: "x".repeat(step.size) });
				kept.push(event);
				await events.append([event]);
			} else if (step.kind === "trim") {
				while (
					kept.length > step.events_max ||
					kept.reduce((sum, event) => sum + event.data.length, 0) > step.bytes_max
				) {
					const [oldest] = kept;
					drop((event) => event === oldest);
				}
				await events.trim(session_id, step);
			} else {
				drop((event) => event.at_ms < seq - step.age);
				await events.removeBefore(seq - step.age, 1);
			}
		}
		for (const stream of streams) {
			for (let after = 0; after <= seq; after += 1) {
				const lost = (dropped.get(stream) ?? 0) > after;
				const rest = kept.filter((event) => event.stream === stream && event.seq > after);
				const read = await events.readAfter(session_id, stream, after, page);
				assert.deepEqual(read, lost ? undefined : rest);
			}
		}
		await current().repositories.sessions.remove(session_id);
	});
	await fc.assert(property, { numRuns: 40 });
}
