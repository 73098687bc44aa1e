import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import { followers_max, LineRing, type LogLine, line_bytes_max, lines_max } from "./lines.ts";

const redactor = new SecretRedactor();
redactor.add("the-s3cret-value-of-a-server");

test("a line holds no secret, even where one stands at its cut end", () => {
	const ring = new LineRing(new FakeClock(), redactor);
	ring.push("stderr", 1, "my key is the-s3cret-value-of-a-server");
	for (let before = line_bytes_max - 40; before <= line_bytes_max; before += 1) {
		ring.push("stderr", 1, `${"-".repeat(before)}the-s3cret-value-of-a-server`);
	}
	assert.equal(ring.all()[0]?.text, `my key is ${redacted}`);
	for (const { text } of ring.all()) {
		assert.ok(Buffer.byteLength(text) <= line_bytes_max);
		assert.doesNotMatch(text, /s3c|the/);
	}
});

test("lines are kept in their order, with time and source", async () => {
	const clock = new FakeClock(1_000_000);
	const ring = new LineRing(clock, redactor);
	ring.push("event", 0, "starting");
	await clock.advance(5);
	ring.push("stderr", 1, "listening");
	assert.deepEqual(ring.all(), [
		{ time_ms: 1_000_000, source: "event", instance: 0, text: "starting" },
		{ time_ms: 1_000_005, source: "stderr", instance: 1, text: "listening" },
	]);
});

test("only the last lines are kept, whatever number is written", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 3 * lines_max }), (count) => {
			const ring = new LineRing(new FakeClock(), redactor);
			for (let line = 0; line < count; line++) ring.push("stdout", 1, String(line));
			const first = Math.max(0, count - lines_max);
			assert.deepEqual(
				ring.all().map(({ text }) => Number(text)),
				Array.from({ length: count - first }, (_, index) => first + index),
			);
		}),
		{ numRuns: 20 },
	);
});

test("a long line is shortened to the limit without breaking a character", () => {
	fc.assert(
		fc.property(
			fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
			fc.nat(3),
			(unit, shift) => {
				const ring = new LineRing(new FakeClock(), redactor);
				// One character more than the limit has bytes, so that it is always too long.
				const text = "x".repeat(shift) + unit.repeat(line_bytes_max + 1);
				ring.push("stderr", 1, text);
				const kept = ring.all()[0]?.text ?? "";
				assert.ok(Buffer.byteLength(kept) <= line_bytes_max);
				assert.ok(Buffer.byteLength(kept) > line_bytes_max - 8);
				assert.ok(kept.endsWith("…"));
				assert.ok(text.startsWith(kept.slice(0, -1)));
			},
		),
		{ numRuns: 50 },
	);
});

test("a line of exactly the limit is kept whole", () => {
	const ring = new LineRing(new FakeClock(), redactor);
	const text = `${"y".repeat(line_bytes_max - 2)}é`;
	ring.push("stderr", 1, text);
	assert.equal(ring.all()[0]?.text, text);
});

test("followers hear further lines until they stop following", () => {
	const ring = new LineRing(new FakeClock(), redactor);
	const heard: string[] = [];
	const listener = (line: LogLine) => heard.push(line.text);
	ring.push("stderr", 1, "before");
	const stop = ring.follow(listener);
	const stop_other = ring.follow(listener);
	ring.push("stderr", 1, "both");
	stop_other();
	stop_other();
	ring.push("stderr", 1, "one");
	stop();
	ring.push("stderr", 1, "none");
	assert.deepEqual(heard, ["both", "both", "one"]);
});

test("beyond the limit the oldest follower is dropped", () => {
	const ring = new LineRing(new FakeClock(), redactor);
	const heard: number[] = [];
	for (let follower = 0; follower <= followers_max; follower++) {
		ring.follow(() => heard.push(follower));
	}
	ring.push("event", 0, "x");
	assert.equal(heard.length, followers_max);
	assert.equal(heard[0], 1);
});

test("a key that stands over several lines is in none of them, whoever writes between", () => {
	const ring = new LineRing(new FakeClock(), redactor);
	const [begin, end] = ["BEGIN", "END"].map((word) => `-----${word} PRIVATE KEY` + "-----");
	const body = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7", "VJTUt9Us8cKjMzEf=="];
	for (const line of [begin, ...body, end, "after"]) {
		ring.push("stderr", 1, line ?? "");
		ring.push("stderr", 2, "from another instance");
		ring.push("stdout", 1, "from another stream");
	}
	const texts = ring.all().map(({ text }) => text);
	for (const line of body) assert.ok(!texts.join("\n").includes(line), texts.join("\n"));
	assert.equal(texts.filter((text) => text === redacted).length, 4);
	assert.equal(texts.filter((text) => text.startsWith("from another")).length, 10);
	assert.ok(texts.includes("after"));
});
