import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ToolFilter } from "../config/plan.ts";
import { exposedName, exposedUri } from "../protocol/names.ts";
import { type MergePart, mergeLists } from "./aggregate.ts";
import { type CatalogParts, type ItemKind, makeCatalog } from "./server-catalog.ts";

const all: ToolFilter = { allow: [], deny: [] };

const members: Readonly<Record<ItemKind, string>> = {
	tools: "name",
	prompts: "name",
	resources: "uri",
	templates: "uriTemplate",
};

function part(server: string, kind: ItemKind, texts: readonly string[], tools = all): MergePart {
	const items = texts.map((text) => {
		const parsed = JSON.parse(text) as Record<string, string>;
		return { name: parsed[members[kind]] as string, bytes: Buffer.from(text) };
	});
	const parts: CatalogParts = {
		server,
		fingerprint: "f",
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
		[kind]: items,
	};
	return { catalog: makeCatalog(parts), tools };
}

function named(server: string, names: readonly string[], tools = all): MergePart {
	return part(
		server,
		"tools",
		names.map((name) => JSON.stringify({ name })),
		tools,
	);
}

const merged = (kind: ItemKind, parts: readonly MergePart[], filter = all) =>
	mergeLists(kind, parts, filter);
const textsOf = (kind: ItemKind, parts: readonly MergePart[]) =>
	merged(kind, parts).items.map(({ bytes }) => bytes.toString());

test("tools of several servers stand under their exposed names, sorted, every other byte kept", () => {
	const odd = '{"z":1.0, "name" : "b\\u0062" ,"inputSchema":{"name":"x"},"n":12345678901234567890}';
	const parts = [part("two", "tools", [odd]), part("one", "tools", ['{"name":"a"}'])];
	assert.deepEqual(textsOf("tools", parts), [
		'{"name":"one__a"}',
		odd.replace('"b\\u0062"', '"two__bb"'),
	]);
});

test("resources and templates stand under their exposed addresses", () => {
	const resource = part("s", "resources", ['{"name":"n","uri":"file:///a"}']);
	assert.deepEqual(textsOf("resources", [resource]), [
		`{"name":"n","uri":"${exposedUri("s", "file:///a")}"}`,
	]);
	const template = part("s", "templates", ['{"uriTemplate":"db://{table}/{id}","name":"n"}']);
	const [text] = textsOf("templates", [template]);
	assert.equal(text, `{"uriTemplate":"${exposedUri("s", "db://{table}/{id}")}","name":"n"}`);
	assert.match(text ?? "", /\{table\}\/\{id\}/, "a template stays a template");
});

test("a tool's page is found where its server's resources are", () => {
	const page = exposedUri("s", "ui://page/main");
	const cases: [string, string][] = [
		[
			'{"name":"t","_meta":{"ui":{"resourceUri":"ui://page/main","x":1},"k":0}}',
			`{"name":"s__t","_meta":{"ui":{"resourceUri":"${page}","x":1},"k":0}}`,
		],
		[
			'{"_meta":{"ui/resourceUri":"ui://page/main"},"name":"t"}',
			`{"_meta":{"ui/resourceUri":"${page}"},"name":"s__t"}`,
		],
		['{"name":"t","_meta":{"ui":7}}', '{"name":"s__t","_meta":{"ui":7}}'],
		['{"name":"t","_meta":[]}', '{"name":"s__t","_meta":[]}'],
		[
			'{"name":"t","_meta":{"ui":{"resourceUri":null}}}',
			'{"name":"s__t","_meta":{"ui":{"resourceUri":null}}}',
		],
	];
	for (const kind of ["tools", "prompts"] as const) {
		for (const [before, after] of cases) {
			assert.deepEqual(textsOf(kind, [part("s", kind, [before])]), [after]);
		}
	}
});

test("an item that names itself twice has one name afterwards", () => {
	const [text] = textsOf("tools", [part("s", "tools", ['{"name":"shown","x":1,"name":"meant"}'])]);
	assert.equal(text?.match(/"name"/g)?.length, 1);
	assert.equal((JSON.parse(text ?? "") as { name: string }).name, "s__meant");
});

test("a tool is offered when its server's filter and the address's filter both let it", () => {
	const tools = { allow: ["get_*", "put_*"], deny: ["*_secret"] };
	const parts = [
		named("s", ["get_a", "get_secret", "put_a", "drop"], tools),
		named("t", ["get_a"]),
	];
	const filter = { allow: ["s__*"], deny: ["*__put_*"] };
	const list = merged("tools", parts, filter);
	assert.deepEqual(
		list.items.map(({ name }) => name),
		["s__get_a"],
	);
	assert.equal(list.find("s__put_a"), undefined);
	assert.equal(list.find("t__get_a"), undefined);
	const prompts = part("s", "prompts", ['{"name":"drop"}'], tools);
	assert.equal(merged("prompts", [prompts], filter).items.length, 1, "filters are for tools");
});

test("a name that two things claim is refused to both and listed", () => {
	const parts = [named("a", ["_x", "y"]), named("a_", ["x"])];
	const list = merged("tools", parts);
	assert.deepEqual(list.collisions, ["a___x"]);
	assert.equal(list.find("a___x"), undefined);
	assert.deepEqual(
		list.items.map(({ name }) => name),
		["a__y"],
	);
	const denied = { allow: [], deny: ["_x"] };
	const mended = merged("tools", [named("a", ["_x", "y"], denied), named("a_", ["x"])]);
	assert.deepEqual(mended.collisions, []);
	assert.deepEqual(mended.find("a___x")?.server, "a_");
});

const server_name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const tool_name = fc.oneof(
	fc.stringMatching(/^[A-Za-z0-9_.-]{1,80}$/),
	fc.string({ minLength: 1, unit: "grapheme" }),
);
const servers = fc.uniqueArray(
	fc.record({
		server: server_name,
		names: fc.uniqueArray(tool_name, { maxLength: 6 }),
	}),
	{ maxLength: 4, selector: ({ server }) => server },
);

test("every offered tool is found again, once, in an order that is always the same", () => {
	fc.assert(
		fc.property(servers, fc.boolean(), (chosen, reversed) => {
			const parts = chosen.map(({ server, names }) => named(server, names));
			const list = merged("tools", parts);
			const offered = list.items.map(({ name }) => name);
			assert.deepEqual(
				offered,
				offered.toSorted((a, b) => (a < b ? -1 : 1)),
			);
			assert.equal(new Set(offered).size, offered.length);
			const other = merged("tools", reversed ? parts.toReversed() : parts);
			assert.deepEqual(
				other.items.map(({ name }) => name),
				offered,
			);
			for (const { server, names } of chosen) {
				for (const name of names) {
					const exposed = exposedName(server, name);
					if (list.collisions.includes(exposed)) continue;
					const found = list.find(exposed);
					assert.deepEqual([found?.server, found?.original], [server, name]);
					const text = JSON.parse(found?.bytes.toString() ?? "") as { name: string };
					assert.equal(text.name, exposed);
				}
			}
		}),
	);
});

test("a catalog is renamed once, however often it is merged", () => {
	const parts = [named("s", ["a"])];
	const one = merged("tools", parts).items[0];
	const other = merged("tools", [...parts, named("t", ["b"])]).items[0];
	assert.equal(one, other);
});
