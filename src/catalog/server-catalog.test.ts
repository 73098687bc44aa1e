import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	type CatalogItem,
	type CatalogParts,
	changedKinds,
	makeCatalog,
} from "./server-catalog.ts";

function item(name: string, rest = ""): CatalogItem {
	return { name, bytes: Buffer.from(`{"name":${JSON.stringify(name)}${rest}}`) };
}

function parts(change: Partial<CatalogParts> = {}): CatalogParts {
	return {
		server: "s",
		fingerprint: "f1",
		era: "legacy",
		revision: "2025-11-25",
		capabilities: '{"tools":{}}',
		server_info: '{"name":"s","version":"1"}',
		instructions: undefined,
		tools: [item("a"), item("b")],
		resources: [],
		templates: [],
		prompts: [],
		incomplete: [],
		fetched_at_ms: 1,
		...change,
	};
}

const hashOf = (change: Partial<CatalogParts>) => makeCatalog(parts(change)).hash;

test("the hash is over the content, not over when and how it was fetched", () => {
	const same = { fingerprint: "f2", fetched_at_ms: 99, incomplete: ["prompts/list" as const] };
	assert.equal(hashOf(same), hashOf({}));
	const differences: Partial<CatalogParts>[] = [
		{ instructions: "" },
		{ instructions: "be kind" },
		{ revision: "2025-06-18" },
		{ capabilities: '{"tools":{"listChanged":true}}' },
		{ server_info: '{"name":"s","version":"2"}' },
		{ tools: [item("a")] },
		{ tools: [item("a"), item("b", ',"title":"B"')] },
		{ tools: [], prompts: [item("a"), item("b")] },
	];
	const hashes = new Set(differences.map(hashOf));
	hashes.add(hashOf({}));
	assert.equal(hashes.size, differences.length + 1);
});

test("a catalog keeps no memory but that of its items", () => {
	const page = Buffer.alloc(1_000_000, " ");
	const tools = [item("a"), item("b"), { name: "c", bytes: page.subarray(10, 20) }];
	const kept = makeCatalog(parts({ tools, prompts: [item("p")] }));
	const texts = (items: readonly CatalogItem[]) =>
		items.map(({ name, bytes }) => [name, bytes.toString()]);
	assert.deepEqual(texts(kept.tools), texts(tools));
	for (const items of [kept.tools, kept.prompts]) {
		const length = Buffer.concat(items.map(({ bytes }) => bytes)).length;
		for (const { bytes } of items) assert.equal(bytes.buffer.byteLength, length);
	}
});

test("a catalog made of the lists of another one shares their memory", () => {
	const before = makeCatalog(parts());
	assert.equal(makeCatalog({ ...before, instructions: "more" }).tools, before.tools);
});

test("a server that lists in another order each time has not changed", () => {
	const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 });
	fc.assert(
		fc.property(
			names.chain((all) =>
				fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
			),
			([one, other]) => {
				const hash = hashOf({ tools: one.map((name) => item(name)) });
				assert.equal(hashOf({ tools: other.map((name) => item(name)) }), hash);
			},
		),
	);
});

test("changed lists are named in the protocol's words", () => {
	const before = makeCatalog(parts());
	const change = (what: Partial<CatalogParts>) => changedKinds(before, makeCatalog(parts(what)));
	assert.deepEqual(change({}), []);
	assert.deepEqual(change({ instructions: "new" }), []);
	assert.deepEqual(change({ tools: [] }), ["tools"]);
	assert.deepEqual(change({ templates: [item("t")] }), ["resources"]);
	assert.deepEqual(change({ resources: [item("r")], prompts: [item("p")] }), [
		"resources",
		"prompts",
	]);
	assert.deepEqual(changedKinds(undefined, before), ["tools"]);
	assert.deepEqual(changedKinds(before, undefined), ["tools"]);
	assert.deepEqual(changedKinds(undefined, undefined), []);
});
