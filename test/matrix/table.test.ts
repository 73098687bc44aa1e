import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cell } from "./cell.ts";
import { countsOf, markdownTable, markers, textTable, withTable } from "./table.ts";

const cells: readonly Cell[] = [
	{ feature: "tools", client: "SDK 1.x", server: "SSE", status: "pass", why: "" },
	{ feature: "tools", client: "SDK 1.x", server: "stdio modern", status: "fail", why: "broke" },
	{ feature: "tasks", client: "SDK 1.x", server: "SSE", status: "ruled-out", why: "section 4" },
];

test("cells are counted by how they came out", () => {
	assert.deepEqual(countsOf(cells), { passed: 1, failed: 1, ruled_out: 1 });
});

test("the table has a row for each feature and a sign for each pair that was played", () => {
	const [head, tools, tasks, , legend, reason] = textTable(cells).split("\n");
	assert.match(head ?? "", /SDK 1\.x .*HTTP\+SSE .*stdio bridge/);
	assert.equal(tools, "tools    ✗     ✓");
	assert.equal(tasks, "tasks          –");
	assert.match(legend ?? "", /stdio legacy, stdio modern, HTTP legacy, HTTP modern, SSE/);
	assert.equal(reason, "– section 4");
});

test("the page's table counts what works of what a pair can have", () => {
	const rows = markdownTable(cells).split("\n");
	assert.equal(rows[2], "| SDK 1.x | 0 of 0 | 0 of 1 | 0 of 0 | 0 of 0 | 1 of 1 |");
	assert.match(rows.at(-1) ?? "", /tasks.*section 4/);
});

test("only what stands between the markers of a page is replaced", () => {
	const [start, end] = markers;
	const page = `# Title\n${start}\nold\n${end}\nrest\n`;
	const replaced = withTable(page, "new");
	assert.equal(replaced, `# Title\n${start}\nnew\n${end}\nrest\n`);
	assert.equal(withTable(replaced ?? "", "new"), replaced);
	assert.equal(withTable("# Title\n", "new"), undefined);
	assert.equal(withTable(`${end}${start}`, "new"), undefined);
});
