import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Audience, base_audience, Readings, readings_max } from "./readings.ts";
import { type CatalogParts, makeCatalog, type ServerCatalog } from "./server-catalog.ts";

function offering(...tools: string[]): ServerCatalog {
	const parts: CatalogParts = {
		server: "s",
		fingerprint: "f",
		era: "legacy",
		revision: "2025-11-25",
		capabilities: '{"tools":{}}',
		server_info: "{}",
		instructions: undefined,
		tools: tools.map((name) => ({ name, bytes: Buffer.from(`{"name":"${name}"}`) })),
		resources: [],
		templates: [],
		prompts: [],
		incomplete: [],
		fetched_at_ms: 0,
	};
	return makeCatalog(parts);
}

const one = offering("a");
const other = offering("a", "b");

function audience(scope_key: string, capabilities = "{}", lasting = true): Audience {
	return { scope_key, capabilities, lasting };
}

const asks = audience("", '{"elicitation":{}}');
const samples = audience("", '{"sampling":{}}');
const alice = audience("user:alice");
const bob = audience("user:bob");
const carol = audience("user:carol");

describe("whom a catalog stands for", () => {
	test("nobody, as long as nobody was shown anything", () => {
		assert.equal(new Readings().standsFor(base_audience, one), false);
	});

	test("those who were shown it, and not those who can do something else", () => {
		const readings = new Readings();
		readings.note(base_audience, one, one);
		assert.equal(readings.standsFor(base_audience, one), true);
		assert.equal(readings.standsFor(asks, one), false);
	});

	test("everybody, once clients who can do different things were shown the same", () => {
		const readings = new Readings();
		readings.note(base_audience, one, one);
		readings.note(asks, one, one);
		assert.equal(readings.standsFor(samples, one), true);
		assert.equal(readings.standsFor(alice, one), false, "nobody's own instance was looked at");
	});

	test("only those who were shown it, once somebody was shown something else", () => {
		const readings = new Readings();
		readings.note(base_audience, one, one);
		readings.note(asks, one, one);
		readings.note(samples, other, one);
		assert.equal(readings.standsFor(asks, one), true);
		assert.equal(readings.standsFor(samples, one), false);
		assert.equal(readings.standsFor(audience("", '{"roots":{}}'), one), false);
	});

	test("never one person for another, unless both were shown the same", () => {
		const readings = new Readings();
		readings.note(alice, one, one);
		assert.equal(readings.standsFor(bob, one), false);
		readings.note(bob, one, one);
		assert.equal(readings.standsFor(carol, one), true);
		readings.note(carol, other, one);
		assert.equal(readings.standsFor(audience("user:dan"), one), false);
		assert.equal(readings.standsFor(carol, one), false);
		assert.equal(readings.standsFor(alice, one), true);
	});

	test("not those who were shown an older one", () => {
		const readings = new Readings();
		readings.note(asks, one, one);
		readings.note(base_audience, other, other);
		assert.equal(readings.standsFor(asks, other), false);
		readings.note(asks, other, other);
		assert.equal(readings.standsFor(asks, other), true);
	});
});

describe("what is kept", () => {
	test("only news is worth keeping, and nothing of a session", () => {
		const readings = new Readings();
		assert.equal(readings.note(base_audience, one, one), true);
		assert.equal(readings.note(base_audience, one, one), false);
		assert.equal(readings.note(audience("session:1", "{}", false), one, one), false);
		assert.equal(readings.lasting.length, 1);
	});

	test("what was kept says the same after a restart, and names nobody", () => {
		const before = new Readings();
		before.note(alice, one, one);
		before.note(bob, other, one);
		assert.doesNotMatch(JSON.stringify(before.lasting), /alice|bob/);
		const after = new Readings();
		after.restore(before.lasting);
		assert.equal(after.standsFor(alice, one), true);
		assert.equal(after.standsFor(bob, one), false);
		assert.deepEqual(after.of(bob)?.hash, other.hash);
	});

	test("there are never too many, and one who was shown something else is never lost", () => {
		const shown = fc.record({ who: fc.nat({ max: 200 }), differs: fc.boolean() });
		fc.assert(
			fc.property(fc.array(shown, { maxLength: 300 }), (all) => {
				const readings = new Readings();
				for (const { who, differs } of all) {
					const them = audience(`user:${who}`);
					readings.note(them, differs ? other : one, one);
					assert.ok(readings.lasting.length <= readings_max);
					if (differs) assert.equal(readings.standsFor(them, one), false);
				}
			}),
		);
	});
});
