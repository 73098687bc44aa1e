import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlockMatcher, type WindowBytes } from "./block-matcher.ts";

function find(patterns: readonly Buffer[], text: Buffer, window: WindowBytes): string[] {
	const found: string[] = [];
	new BlockMatcher(patterns, window).find(text, text.length, (start, end, index) =>
		found.push(`${start}-${end}:${index}`),
	);
	return found.sort();
}

function findSlowly(patterns: readonly Buffer[], text: Buffer): string[] {
	return patterns
		.flatMap((pattern, index) => {
			const starts = Array.from({ length: text.length + 1 }, (_, start) => start).filter(
				(start) =>
					start + pattern.length <= text.length &&
					text.subarray(start, start + pattern.length).equals(pattern),
			);
			return starts.map((start) => `${start}-${start + pattern.length}:${index}`);
		})
		.sort();
}

for (const window of [4, 8] as const) {
	test(`with a window of ${window} bytes, all that a slow search finds is found`, () => {
		// Few letters, so that patterns overlap, repeat, and begin within each other.
		const letters = fc.stringMatching(/^[ab\u00ff]*$/).map((text) => Buffer.from(text, "latin1"));
		const patterns = fc.array(
			fc
				.string({ unit: fc.constantFrom("a", "b", "\u00ff"), minLength: window, maxLength: 24 })
				.map((text) => Buffer.from(text, "latin1")),
			{ maxLength: 12 },
		);
		const property = fc.property(
			patterns,
			fc.array(letters, { maxLength: 8 }),
			fc.array(fc.nat(11), { maxLength: 6 }),
			(patterns, parts, picks) => {
				const planted = picks.map((pick) => patterns[pick] ?? Buffer.from("ab"));
				const text = Buffer.concat([...parts, ...planted, ...parts]);
				assert.deepEqual(find(patterns, text, window), findSlowly(patterns, text));
			},
		);
		fc.assert(property, { numRuns: 300 });
	});
}

test("patterns that come and go are found while they are there", () => {
	const names = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 8, maxLength: 14 });
	const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(30), names), { maxLength: 60 });
	const property = fc.property(steps, fc.stringMatching(/^[ab]{0,80}$/), (steps, text) => {
		const matcher = new BlockMatcher([], 8);
		const there = new Map<number, Buffer>();
		for (const [comes, which, name] of steps) {
			const index = [...there.keys()][which % Math.max(1, there.size)];
			if (comes) there.set(matcher.add(Buffer.from(name)), Buffer.from(name));
			else if (index !== undefined && there.delete(index)) matcher.remove(index);
		}
		const found: string[] = [];
		matcher.find(Buffer.from(text), text.length, (start, end, index) => {
			assert.deepEqual(there.get(index), Buffer.from(text.slice(start, end)));
			found.push(`${start}-${end}`);
		});
		const slowly = findSlowly([...there.values()], Buffer.from(text));
		assert.deepEqual(found.sort(), slowly.map((place) => place.split(":")[0]).sort());
	});
	fc.assert(property, { numRuns: 300 });
});

test("nothing beyond the given length is looked at", () => {
	const matcher = new BlockMatcher([Buffer.from("abcdefgh")], 8);
	const found: number[] = [];
	matcher.find(Buffer.from("abcdefgh"), 7, (start) => found.push(start));
	assert.deepEqual(found, []);
});

test("a pattern that is shorter than the window is a defect", () => {
	assert.throws(() => new BlockMatcher([Buffer.from("abc")], 4));
});

test("without patterns nothing is found", () => {
	assert.deepEqual(find([], Buffer.from("anything at all"), 8), []);
});
