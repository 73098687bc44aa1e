import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLayers, layers } from "./layers.ts";
import { repository_root } from "./lib/paths.ts";
import { formatProblems } from "./lib/problem.ts";
import { tempTree } from "./lib/temp-tree.ts";

test("a room that imports from lower layers is fine, in every form of import", (t) => {
	const root = tempTree(t, {
		"package.json": "{}",
		"src/lib/clock.ts": "export const a = 1;",
		"src/wire/scan.ts": `import { a } from "../lib/clock.ts"; import "./b.ts"; export { a };`,
		"src/wire/b.ts": `import fs from "node:fs"; import hono from "hono"; export { fs, hono };`,
		"src/daemon/daemon.ts": `import manifest from "../../package.json" with { type: "json" };
			export const m = manifest; export const wire = () => import("../wire/scan.ts");`,
		"src/wire/scan.test.ts": `import "../daemon/daemon.ts"; import "../../test/support/x.ts";`,
	});
	assert.equal(formatProblems(checkLayers(root)), "");
});

test("an import that goes up is found, in every form of import", (t) => {
	const root = tempTree(t, {
		"src/lib/a.ts": `import { b } from "../wire/b.ts";\nexport { b };`,
		"src/lib/b.ts": `import type { B } from "../store/b.ts";\nexport type C = B;`,
		"src/lib/c.ts": `\nexport const load = () => import("../cli/main.ts");`,
		"src/lib/d.ts": `export type D = import("../admin/contract.ts").D;`,
		"src/lib/e.ts": `export { e } from "../gateway/e.ts";`,
		"src/lib/f.ts": `export * from "../daemon/f.ts";`,
		"src/lib/g.ts": `export const g = new URL("../hosting/g.ts", import.meta.url);`,
	});
	assert.equal(
		formatProblems(checkLayers(root)),
		[
			"src/lib/a.ts:1 lib/ is below wire/ and does not import from it.",
			"src/lib/b.ts:1 lib/ is below store/ and does not import from it.",
			"src/lib/c.ts:2 lib/ is below cli/ and does not import from it.",
			"src/lib/d.ts:1 lib/ is below admin/ and does not import from it.",
			"src/lib/e.ts:1 lib/ is below gateway/ and does not import from it.",
			"src/lib/f.ts:1 lib/ is below daemon/ and does not import from it.",
			"src/lib/g.ts:1 lib/ is below hosting/ and does not import from it.",
		].join("\n"),
	);
});

test("rooms of one layer that import each other are found", (t) => {
	const root = tempTree(t, {
		"src/catalog/a.ts": `import "../hosting/b.ts";`,
		"src/wire/a.ts": `import "../config/plan.ts";`,
	});
	assert.equal(
		formatProblems(checkLayers(root)),
		[
			"src/catalog/a.ts:1 catalog/ and hosting/ are on the same layer and do not import each other.",
			"src/wire/a.ts:1 wire/ and config/ are on the same layer and do not import each other.",
		].join("\n"),
	);
});

test("source that imports tests or tools is found", (t) => {
	const root = tempTree(t, {
		"src/cli/a.ts": `import "./b.test.ts";`,
		"src/cli/c.ts": `import "../../test/support/clients.ts";`,
		"src/cli/d.ts": `import "../../tools/layers.ts";`,
	});
	assert.equal(
		formatProblems(checkLayers(root)),
		[
			"src/cli/a.ts:1 Source does not import tests (./b.test.ts).",
			"src/cli/c.ts:1 Source does not import tests (../../test/support/clients.ts).",
			"src/cli/d.ts:1 ../../tools/layers.ts is outside src/.",
		].join("\n"),
	);
});

test("a file outside every room, and a room that is not in the table, are found", (t) => {
	const root = tempTree(t, { "src/main.ts": "", "src/helpers/a.ts": "", "src/helpers/x.json": "" });
	assert.equal(
		formatProblems(checkLayers(root)),
		[
			'src/helpers/a.ts:1 There is no room "helpers". Add it to the table in tools/layers.ts, in its layer.',
			'src/helpers/x.json:1 There is no room "helpers". Add it to the table in tools/layers.ts, in its layer.',
			"src/main.ts:1 Put this file into a room; src/ itself holds only folders.",
		].join("\n"),
	);
});

test("the dashboard takes types from the API's contract, and nothing else", (t) => {
	const root = tempTree(t, {
		"src/dashboard/a.ts": `import type { A } from "../admin/contract.ts"; export type B = A;`,
		"src/dashboard/b.ts": `import { a } from "../admin/contract.ts"; export { a };`,
		"src/dashboard/c.ts": `import type { C } from "../lib/clock.ts"; export type D = C;`,
	});
	const problems = checkLayers(root);
	assert.deepEqual(problems.map(({ file }) => file).sort(), [
		"src/dashboard/b.ts",
		"src/dashboard/c.ts",
	]);
});

test("every room is in the table once", () => {
	const rooms = layers.flat();
	assert.equal(new Set(rooms).size, rooms.length);
	assert.deepEqual(layers.at(-1), ["cli"]);
});

test("the layers of this repository hold", () => {
	assert.equal(formatProblems(checkLayers(repository_root)), "");
});
