import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Turns } from "./turns.ts";

/** Takes so many, each in its turn. */
function take(turns: Turns<string>, paths: ReadonlyMap<string, readonly string[]>, count: number) {
	const taken: string[] = [];
	while (taken.length < count) {
		const item = turns.next();
		if (item === undefined) return taken;
		const path = paths.get(item) ?? [];
		turns.turn(path);
		assert.ok(turns.leave(path, item));
		taken.push(item);
	}
	return taken;
}

function build(entries: readonly (readonly [string, ...string[]])[]) {
	const turns = new Turns<string>();
	const paths = new Map<string, readonly string[]>();
	for (const [item, ...path] of entries) {
		turns.join(path, item);
		paths.set(item, path);
	}
	return { turns, paths };
}

test("tenants take turns, then the people of each, then what each has of them", () => {
	const { turns, paths } = build([
		["a1", "acme", "ana"],
		["a2", "acme", "ana"],
		["a3", "acme", "ana"],
		["b1", "acme", "bob"],
		["e1", "evil", "eve"],
		["e2", "evil", "eve"],
	]);
	assert.deepEqual(take(turns, paths, 9), ["a1", "e1", "b1", "e2", "a2", "a3"]);
	assert.equal(turns.size, 0);
});

test("the latest of whoever has the most is found", () => {
	const { turns } = build([
		["a1", "acme", "ana"],
		["b1", "acme", "bob"],
		["b2", "acme", "bob"],
		["e1", "evil", "eve"],
	]);
	assert.deepEqual(turns.latestOfMost(), { name: "acme", item: "b2" });
	assert.equal(new Turns().latestOfMost(), undefined);
});

test("what does not wait cannot leave, and nothing is kept of who has left", () => {
	const { turns } = build([["a1", "acme", "ana"]]);
	assert.ok(!turns.leave(["acme", "bob"], "a1"));
	assert.ok(!turns.leave(["evil", "ana"], "a1"));
	assert.ok(turns.leave(["acme", "ana"], "a1"));
	assert.ok(!turns.leave(["acme", "ana"], "a1"));
	assert.deepEqual([...turns.all()], []);
	assert.equal(turns.next(), undefined);
});

const path = fc.tuple(fc.constantFrom("t1", "t2", "t3"), fc.constantFrom("u1", "u2"));

test("while several tenants wait, none is served twice before each of the others was", () => {
	fc.assert(
		fc.property(fc.array(path, { maxLength: 60 }), (waiting) => {
			const { turns, paths } = build(
				waiting.map((one, at) => [`${one[0]} ${one[1]} ${at}`, ...one] as const),
			);
			const left = new Map<string, number>();
			for (const [tenant] of waiting) left.set(tenant, (left.get(tenant) ?? 0) + 1);
			let since = new Set<string>();
			for (const item of take(turns, paths, waiting.length)) {
				const tenant = item.split(" ")[0] as string;
				const others = [...left].filter(([one, count]) => count > 0 && one !== tenant);
				if (since.has(tenant)) {
					assert.ok(others.every(([one]) => since.has(one)));
					since = new Set();
				}
				since.add(tenant);
				left.set(tenant, (left.get(tenant) as number) - 1);
			}
			assert.equal(turns.size, 0);
		}),
	);
});
