import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Demand, isStricter, joinDemands } from "./demand.ts";

const plain: Demand = {
	approvers: [],
	count: 1,
	other_than_caller: false,
	edit: true,
	expires_ms: 60_000,
};

const demands = fc.record({
	approvers: fc.uniqueArray(fc.constantFrom("role:a", "role:b", "acme/bob"), { maxLength: 2 }),
	count: fc.integer({ min: 1, max: 3 }),
	other_than_caller: fc.boolean(),
	edit: fc.boolean(),
	expires_ms: fc.integer({ min: 1, max: 1_000 }),
});

test("of two demands everything holds as the stricter has it", () => {
	const lead = { ...plain, approvers: ["role:lead"], count: 2 };
	const other = { ...plain, other_than_caller: true, edit: false, expires_ms: 1_000 };
	const joined = { ...other, approvers: ["role:lead"], count: 2 };
	assert.deepEqual(joinDemands(lead, other), joined);
	assert.deepEqual(joinDemands(other, lead), joined);
	assert.deepEqual(joinDemands(undefined, lead), lead);
});

test("where both name people, whoever decides has to be among each", () => {
	const one = { ...plain, approvers: ["role:lead", "acme/bob"] };
	const other = { ...plain, approvers: ["role:security"] };
	const joined = joinDemands(one, other);
	assert.deepEqual(joined.approvers, ["role:lead", "acme/bob"]);
	assert.deepEqual(joined.also_among, [["role:security"]]);
	const same = joinDemands(joined, { ...plain, approvers: ["acme/bob", "role:lead"] });
	assert.deepEqual(same, joined, "the same people in another order are not asked for twice");
});

test("nothing that either demands is lost, whatever comes first and however often", () => {
	fc.assert(
		fc.property(demands, demands, demands, (one, other, third) => {
			const joined = joinDemands(joinDemands(one, other), third);
			for (const part of [one, other, third]) {
				assert.ok(!isStricter(part, joined));
				assert.deepEqual(joinDemands(joined, part), joined);
				const lists = [joined.approvers, ...(joined.also_among ?? [])];
				const texts = lists.map((names) => [...names].sort().join());
				if (part.approvers.length > 0) assert.ok(texts.includes([...part.approvers].sort().join()));
			}
		}),
	);
});

test("more is demanded where less would have been enough before", () => {
	const stricter: Partial<Demand>[] = [
		{ approvers: ["role:lead"] },
		{ count: 2 },
		{ other_than_caller: true },
		{ edit: false },
	];
	for (const change of stricter) {
		assert.ok(isStricter({ ...plain, ...change }, plain), JSON.stringify(change));
		assert.ok(!isStricter(plain, { ...plain, ...change }), JSON.stringify(change));
	}
	const [lead, security] = [["role:lead"], ["role:security"]];
	assert.ok(isStricter({ ...plain, approvers: security }, { ...plain, approvers: lead }));
	assert.ok(!isStricter({ ...plain, expires_ms: 1 }, plain), "a shorter time asks nobody anew");
});
