import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { settle } from "../../../test/support/fake-clock.ts";
import { toolRequest } from "../../../test/support/upstream-harness.ts";
import { PendingCall } from "../pending.ts";
import { Outbox } from "./outbox.ts";

/** A standard input whose reader takes the next write when it is told to. */
class SlowInput extends Writable {
	readonly writes: string[] = [];
	#taken: (() => void) | undefined;

	override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
		this.writes.push(chunk.toString("utf8"));
		this.#taken = taken;
	}

	async take(): Promise<void> {
		this.#taken?.();
		await settle();
	}
}

const call = (id: number) => new PendingCall(id, toolRequest("x"));

test("what comes in one turn leaves in one write, in order", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	for (const text of ["1", "2", "3"]) outbox.push(Buffer.from(text), undefined);
	await Promise.resolve();
	outbox.push(Buffer.from("4"), undefined);
	assert.deepEqual(stdin.writes, []);
	await settle();
	assert.deepEqual(stdin.writes, ["1\n2\n3\n4\n"]);
});

test("while a write is under way the next one gathers", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	outbox.push(Buffer.from("1"), undefined);
	await settle();
	outbox.push(Buffer.from("2"), undefined);
	await settle();
	outbox.push(Buffer.from("3"), undefined);
	await settle();
	assert.deepEqual(stdin.writes, ["1\n"]);
	await stdin.take();
	assert.deepEqual(stdin.writes, ["1\n", "2\n3\n"]);
	await stdin.take();
	outbox.push(Buffer.from("4"), undefined);
	await settle();
	assert.deepEqual(stdin.writes, ["1\n", "2\n3\n", "4\n"]);
});

test("a call counts as written when its bytes leave, not before", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	const [first, second] = [call(1), call(2)];
	outbox.push(Buffer.from("1"), first);
	assert.equal(first.written, false);
	await settle();
	assert.equal(first.written, true);
	outbox.push(Buffer.from("2"), second);
	await settle();
	assert.equal(second.written, false);
	await stdin.take();
	assert.equal(second.written, true);
});

test("a call that ended while it waited is not written", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	const [first, second] = [call(1), call(2)];
	outbox.push(Buffer.from("1"), first);
	outbox.push(Buffer.from("2"), second);
	first.settled = true;
	await settle();
	assert.deepEqual(stdin.writes, ["2\n"]);
	await stdin.take();
	const third = call(3);
	third.settled = true;
	outbox.push(Buffer.from("3"), third);
	await settle();
	assert.deepEqual(stdin.writes, ["2\n"]);
	outbox.push(Buffer.from("4"), undefined);
	await settle();
	assert.deepEqual(stdin.writes, ["2\n", "4\n"]);
});

test("it is full when too much waits for a server that does not read, and empties again", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	const large = Buffer.alloc(9 * 1024 * 1024, "x");
	outbox.push(large, undefined);
	assert.equal(outbox.is_full, false);
	await settle();
	outbox.push(large, undefined);
	assert.equal(outbox.is_full, true);
	await stdin.take();
	assert.equal(outbox.is_full, false);
	await stdin.take();
	// One message larger than the limit is still accepted when nothing else waits.
	outbox.push(Buffer.concat([large, large]), undefined);
	assert.equal(outbox.is_full, true);
	await settle();
	assert.equal(stdin.writes.at(-1)?.length, 2 * large.length + 1);
});

test("nothing is written once it is closed", async () => {
	const stdin = new SlowInput();
	const outbox = new Outbox(stdin);
	outbox.push(Buffer.from("1"), undefined);
	outbox.close();
	outbox.push(Buffer.from("2"), undefined);
	await settle();
	assert.deepEqual(stdin.writes, []);
	assert.equal(outbox.is_full, false);
});
