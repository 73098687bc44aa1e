import assert from "node:assert/strict";
import { test } from "node:test";
import { type CaseResult, judge } from "../targets.ts";
import { evidence_cases } from "./cases.ts";
import { checked_evidence_cases, evidence_targets } from "./targets.ts";

const result = (name: string, values: Record<string, number>): CaseResult => ({
	name,
	title: name,
	sides: {},
	values,
});

const outcomes = (one: CaseResult) =>
	judge([one], evidence_targets).map(({ met, passed }) => [met, passed]);

test("every promise is about a case that there is, and what a check runs has promises", () => {
	const names = new Set(evidence_cases.map(({ name }) => name));
	for (const { name } of evidence_targets) assert.ok(names.has(name), name);
	const promised = new Set(evidence_targets.map(({ name }) => name));
	for (const name of checked_evidence_cases) assert.ok(promised.has(name), name);
});

test("a check is never stricter than the promise", () => {
	for (const { what, limit, check } of evidence_targets) assert.ok(check >= limit, what);
});

test("a busy machine may miss the promise of a read, twice the work may not", () => {
	const read = (main_cpu_us: number, times_json: number) =>
		outcomes(result("evidence-read", { main_cpu_us, times_json }));
	assert.deepEqual(read(4.5, 0.8), [
		[true, true],
		[true, true],
	]);
	assert.deepEqual(read(11, 0.9), [
		[false, true],
		[true, true],
	]);
	assert.deepEqual(read(31, 5.7), [
		[false, true],
		[false, false],
	]);
});

test("a p99 within those of the rounds without evidence is unchanged", () => {
	const load = (on_p99_ms: number) =>
		outcomes(result("evidence-load", { on_p99_ms, off_p99_most_ms: 12 }));
	assert.deepEqual(load(11), [[true, true]]);
	assert.deepEqual(load(14), [[false, true]]);
	assert.deepEqual(load(500), [[false, false]]);
});

test("a history whose searches take too long, or whose calls take too much, is told", () => {
	const history = (bytes_per_call: number, slowest_ms: number, slowest_cpu_ms: number) =>
		outcomes(result("history", { bytes_per_call, slowest_ms, slowest_cpu_ms }));
	assert.deepEqual(history(310, 70, 68), [
		[true, true],
		[true, true],
	]);
	// Somebody else had the processor.
	assert.deepEqual(history(310, 400, 68), [
		[true, true],
		[false, true],
	]);
	assert.deepEqual(history(410, 2_000, 1_900), [
		[false, false],
		[false, false],
	]);
});
