import assert from "node:assert/strict";
import { test } from "node:test";
import { type CaseResult, judge } from "../targets.ts";
import { hosting_cases } from "./cases.ts";
import { checked_hosting_cases, hosting_targets } from "./targets.ts";

const result = (name: string, values: Record<string, number>): CaseResult => ({
	name,
	title: name,
	sides: {},
	values,
});

const passed = (one: CaseResult) => judge([one], hosting_targets).map((verdict) => verdict.passed);

test("every promise is about a case that there is, and every case has one or is a plain figure", () => {
	const names = new Set(hosting_cases.map(({ name }) => name));
	for (const { name } of hosting_targets) assert.ok(names.has(name), name);
	for (const name of checked_hosting_cases) assert.ok(names.has(name), name);
	for (const name of names) assert.match(name, /^hosting-/);
});

test("what a check runs has promises", () => {
	const promised = new Set(hosting_targets.map(({ name }) => name));
	for (const name of checked_hosting_cases) assert.ok(promised.has(name), name);
});

test("a check is never stricter than the promise", () => {
	for (const { what, limit, check } of hosting_targets) assert.ok(check >= limit, what);
});

test("one server that a list has woken is one too many", () => {
	const list = (woken: number) => result("hosting-list-asleep", { list_p50_ms: 1, woken });
	assert.deepEqual(passed(list(0)), [true, true]);
	assert.deepEqual(passed(list(1)), [true, false]);
});

test("a wake that takes as long as a start is not passed, whatever the machine", () => {
	const values = { warm_p50_ms: 0.6, frozen_p50_ms: 90, frozen_p99_ms: 120 };
	assert.deepEqual(passed(result("hosting-frozen", values)), [false, true, false]);
	const quick = { warm_p50_ms: 0.6, frozen_p50_ms: 1.2, frozen_p99_ms: 4 };
	assert.deepEqual(passed(result("hosting-frozen", quick)), [true, true, true]);
});

test("a value that was not measured keeps no promise", () => {
	assert.deepEqual(passed(result("hosting-300-asleep", { rss_mb: 100 })), [true, false]);
});
