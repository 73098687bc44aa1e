import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { base_audience, Readings } from "./readings.ts";
import { type CatalogItem, type CatalogParts, item_kinds, makeCatalog } from "./server-catalog.ts";
import { fromStored, readingsIn, toStored } from "./stored-body.ts";

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

test("a catalog comes back from its stored form as it was, byte for byte", () => {
	const items = fc
		.uniqueArray(fc.string({ unit: "grapheme" }), { maxLength: 5 })
		.map((names) => names.map((name) => item(name, `,"x":1.0,"y":"\\ud83d \u2028"`)));
	fc.assert(
		fc.property(items, items, items, items, fc.option(fc.string()), (...lists) => {
			const [tools, resources, templates, prompts, instructions] = lists;
			const all = { tools, resources, templates, prompts };
			const catalog = makeCatalog(
				parts({ ...all, instructions: instructions ?? undefined, incomplete: ["tools/list"] }),
			);
			const back = fromStored(toStored(catalog));
			assert.ok(back !== undefined);
			assert.deepEqual(back, catalog);
			for (const kind of item_kinds) {
				for (const [index, { bytes }] of back[kind].entries()) {
					assert.ok(bytes.equals(catalog[kind][index]?.bytes ?? Buffer.alloc(0)));
				}
			}
		}),
	);
});

test("a stored form that is damaged or of another version is no catalog", () => {
	const stored = toStored(makeCatalog(parts()));
	const bodies = [
		"",
		"null",
		"{",
		"[]",
		stored.body.replace('"tools"', '"tulips"'),
		stored.body.replace('"legacy"', '"future"'),
		stored.body.replace('\\"a\\"', '\\"z\\"'),
	];
	for (const body of bodies) {
		assert.notEqual(body, stored.body);
		assert.equal(fromStored({ ...stored, body }), undefined, body);
	}
	assert.equal(fromStored({ ...stored, hash: "0" }), undefined);
	assert.ok(fromStored(stored) !== undefined);
});

test("whom it stands for, and which lists are not whole, is kept beside what it offers", () => {
	const catalog = makeCatalog(parts({ inexact: ["tools/list"] }));
	const readings = new Readings();
	readings.note(base_audience, catalog, catalog);
	const stored = toStored(catalog, readings.lasting);
	assert.deepEqual(fromStored(stored), catalog);
	assert.deepEqual(readingsIn(stored), readings.lasting);
	assert.deepEqual(readingsIn(toStored(catalog)), []);
	assert.deepEqual(readingsIn({ ...stored, body: "{" }), []);
	assert.equal(stored.hash, toStored(catalog).hash, "it is no part of what is offered");
});
