import assert from "node:assert/strict";
import { test } from "node:test";
import { PullReader } from "./pull-reader.ts";

function read(text: string, chunk_chars = text.length) {
	const told: string[] = [];
	const reader = new PullReader((line) => told.push(line));
	for (let at = 0; at < text.length; at += Math.max(1, chunk_chars)) {
		reader.push(Buffer.from(text.slice(at, at + chunk_chars)));
	}
	return { error: reader.end(), told };
}

const lines = (...steps: object[]) => steps.map((step) => `${JSON.stringify(step)}\r\n`).join("");

test("steps are told once, and the counting of bytes not at all", () => {
	const text = lines(
		{ status: "Pulling from app", id: undefined },
		{ status: "Downloading", id: "a1", progressDetail: { current: 1 } },
		{ status: "Pulling from app" },
		{ status: "Digest: sha256:1" },
	);
	const expected = { error: undefined, told: ["Pulling from app", "Digest: sha256:1"] };
	assert.deepEqual(read(text), expected);
	assert.deepEqual(read(text, 3), expected);
});

test("a failure stands in the last line, even without a newline", () => {
	const text = lines({ status: "Pulling" }) + '{"errorDetail":{},"error":"manifest unknown"}';
	assert.equal(read(text).error, "manifest unknown");
});

test("lines that are no JSON, or no steps, are skipped", () => {
	assert.deepEqual(read('x\n[1]\nnull\n{"status":5}\n{"error":{}}\n'), {
		error: undefined,
		told: [],
	});
});

test("an engine that talks without end is cut short", () => {
	const many = Array.from({ length: 500 }, (_, index) => ({ status: `step ${index}` }));
	assert.equal(read(lines(...many)).told.length, 50);
	const [long] = read(lines({ status: "x".repeat(10_000) })).told;
	assert.equal(long?.length, 300);
});

test("as many steps are told as images have, and the failure after them as well", () => {
	// told_max
	const steps = (count: number) =>
		Array.from({ length: count }, (_, index) => ({ status: `step ${index}` }));
	for (const count of [49, 50]) {
		assert.equal(read(lines(...steps(count))).told.at(-1), `step ${count - 1}`);
	}
	const { told, error } = read(lines(...steps(51), { error: "no space left" }));
	assert.deepEqual([told.length, told.at(-1)], [50, "step 49"]);
	assert.equal(error, "no space left");
});
