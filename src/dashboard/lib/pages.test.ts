import assert from "node:assert/strict";
import { test } from "node:test";
import { eachOnce, readOn } from "./pages.ts";

const pages: Readonly<Record<string, { rows: string[]; next?: string }>> = {
	b: { rows: ["b"], next: "c" },
	c: { rows: ["c"] },
};
const read = (cursor: string) => Promise.resolve(pages[cursor] ?? assert.fail(cursor));
const first = { rows: ["a"], next: "b" };

test("pages are read one behind the other, as many as are wanted and as there are", async () => {
	const rows = async (pages_max: number) =>
		(await readOn(first, pages_max, read)).flatMap((page) => page.rows);
	assert.deepEqual(await rows(0), []);
	assert.deepEqual(await rows(1), ["b"]);
	assert.deepEqual(await rows(9), ["b", "c"]);
	assert.deepEqual(await readOn({ rows: ["a"] }, 9, read), []);
});

test("a row that stands on two pages is shown once, as it came first", () => {
	const rows = [
		{ id: "x", at: 2 },
		{ id: "y", at: 1 },
		{ id: "x", at: 1 },
	];
	assert.deepEqual(
		eachOnce(rows, ({ id }) => id),
		rows.slice(0, 2),
	);
});
