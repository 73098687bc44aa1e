import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCatalogs, describeDifference, isBreaking } from "./compare.ts";
import { type CatalogItem, makeCatalog, type ServerCatalog } from "./server-catalog.ts";

function item(name: string, more: object = {}): CatalogItem {
	return { name, bytes: Buffer.from(JSON.stringify({ name, ...more })) };
}

function catalog(parts: Partial<ServerCatalog>): ServerCatalog {
	return makeCatalog({
		server: "files",
		fingerprint: "one",
		era: "legacy",
		revision: "2025-11-25",
		capabilities: "{}",
		server_info: "{}",
		instructions: undefined,
		tools: [],
		resources: [],
		templates: [],
		prompts: [],
		incomplete: [],
		fetched_at_ms: 0,
		...parts,
	});
}

const read_v1 = { inputSchema: { type: "object", properties: { path: { type: "string" } } } };
const read_v2 = { inputSchema: { ...read_v1.inputSchema, required: ["path"] } };

test("equal offers have no differences, whatever their order", () => {
	const [a, b] = [item("a"), item("b")];
	assert.deepEqual(compareCatalogs(catalog({ tools: [a, b] }), catalog({ tools: [b, a] })), []);
});

test("what breaks comes first: removals, then schemas, then the rest", () => {
	const before = catalog({
		tools: [item("read", read_v1), item("stat", { description: "old" }), item("write")],
	});
	const after = catalog({
		tools: [item("append"), item("read", read_v2), item("stat", { description: "new" })],
		prompts: [item("greet")],
	});
	const lines = compareCatalogs(before, after).map(describeDifference);
	assert.deepEqual(lines, [
		'tool "write" was removed',
		'tool "read" was changed: `path` is required now',
		'tool "stat" was changed',
		'tool "append" was added',
		'prompt "greet" was added',
	]);
	assert.equal(isBreaking(compareCatalogs(before, after)), true);
});

test("additions and changed words break nobody", () => {
	const before = catalog({ tools: [item("stat", { description: "old" })] });
	const after = catalog({ tools: [item("stat", { description: "new" }), item("more")] });
	assert.equal(isBreaking(compareCatalogs(before, after)), false);
});

test("an argument that a prompt needs now breaks those who use it", () => {
	const before = catalog({ prompts: [item("greet", { arguments: [{ name: "who" }] })] });
	const after = catalog({
		prompts: [item("greet", { arguments: [{ name: "who", required: true }, { name: "how" }] })],
	});
	const lines = compareCatalogs(before, after).map(describeDifference);
	assert.deepEqual(lines, ['prompt "greet" was changed: `who` is required now']);
});

test("resources and templates are compared by their addresses", () => {
	const before = catalog({ resources: [item("file:///a")], templates: [item("file:///{x}")] });
	const lines = compareCatalogs(before, catalog({})).map(describeDifference);
	assert.deepEqual(lines, [
		'resource "file:///a" was removed',
		'resource template "file:///{x}" was removed',
	]);
});
