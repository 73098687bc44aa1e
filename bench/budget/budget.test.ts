import assert from "node:assert/strict";
import { test } from "node:test";
import { type Budget, judgeBudget, type Rounds, readBudget } from "./budget.ts";

const budget: Budget = {
	set: "2026-01-01",
	tolerance: 1.12,
	stages: {
		plain: { what: "little", of_ceiling: 2 },
		full: { what: "everything", of_ceiling: 4 },
	},
};

/** The same numbers in every run (mulberry32), so that what a test says is true of every run. */
function randomOf(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
 * Rounds on a busy machine: every one is up to 4% dearer than the truth, and in half of them others
 * make it up to twice as dear.
 */
function roundsOf(random: () => number, regression: number, count = 7): Rounds {
	const round = (truth_us: number) => {
		const others = random() < 0.5 ? 1 + random() : 1;
		return truth_us * (1 + 0.04 * random()) * others;
	};
	const of = (truth_us: number) => Array.from({ length: count }, () => round(truth_us));
	return { ceiling: of(30), plain: of(60), full: of(120 * regression) };
}

const passed = (rounds: Rounds) => judgeBudget(budget, rounds).every((verdict) => verdict.passed);

/** Runs of a thousand that fail, where those that fail are measured so many times in all. */
function failuresOf(regression: number, attempts: number): number {
	let failures = 0;
	for (let seed = 1; seed <= 1_000; seed += 1) {
		const random = randomOf(seed);
		let rounds = roundsOf(random, regression);
		for (let attempt = 1; attempt < attempts && !passed(rounds); attempt += 1) {
			const more = roundsOf(random, regression);
			rounds = Object.fromEntries(
				Object.entries(rounds).map(([side, values]) => [side, [...values, ...(more[side] ?? [])]]),
			);
		}
		if (!passed(rounds)) failures += 1;
	}
	return failures;
}

test("a regression of a fifth fails, in a stage alone and however noisy the machine is", () => {
	const verdicts = judgeBudget(budget, { ceiling: [30], plain: [60], full: [144] });
	assert.deepEqual(
		verdicts.map((verdict) => verdict.passed),
		[true, false],
	);
	assert.ok(failuresOf(1.2, 3) >= 990, `${failuresOf(1.2, 3)} of 1000`);
});

test("noise does not fail, once what failed was measured again", () => {
	assert.ok(failuresOf(1, 1) <= 30, `${failuresOf(1, 1)} of 1000`);
	assert.equal(failuresOf(1, 3), 0);
});

test("what was not measured keeps no budget", () => {
	const of = (rounds: Rounds) => judgeBudget(budget, rounds).map((verdict) => verdict.passed);
	assert.deepEqual(of({ ceiling: [30], plain: [60] }), [true, false]);
	assert.deepEqual(of({ plain: [60], full: [120] }), [false, false]);
	assert.deepEqual(of({ ceiling: [], plain: [60], full: [120] }), [false, false]);
});

test("what is dearer than with the earlier gateway fails, though it is far below its budget", () => {
	const cheap = { ceiling: [30], plain: [36], full: [60] };
	const beside = (factor: number): Rounds => ({
		...cheap,
		"earlier plain": [36 / factor, 90],
		"earlier full": [60],
	});
	const of = (rounds: Rounds) => judgeBudget(budget, rounds).map((verdict) => verdict.passed);
	assert.deepEqual(of(cheap), [true, true]);
	assert.deepEqual(of(beside(1.05)), [true, true]);
	assert.deepEqual(of(beside(1.2)), [false, true]);
});

test("the best round counts, so that one quiet moment of each is enough", () => {
	const rounds = { ceiling: [90, 30, 80], plain: [60, 200, 300], full: [500, 400, 121] };
	assert.ok(passed(rounds));
});

test("the budget that holds finds a regression of a fifth, and its stages grow", () => {
	const { tolerance, stages } = readBudget();
	assert.ok(tolerance > 1 && tolerance < 1.2);
	const limits = Object.values(stages).map(({ of_ceiling }) => of_ceiling);
	assert.deepEqual(
		limits,
		limits.toSorted((one, other) => one - other),
	);
	const rounds = (factor: number): Rounds =>
		Object.fromEntries([
			["ceiling", [30]],
			...Object.entries(stages).map(([name, { of_ceiling }]) => [name, [30 * of_ceiling * factor]]),
		]) as Rounds;
	assert.ok(judgeBudget(readBudget(), rounds(1)).every((verdict) => verdict.passed));
	assert.ok(judgeBudget(readBudget(), rounds(1.2)).every((verdict) => !verdict.passed));
});
