import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSemantic, versionWarnings } from "./semver.ts";

test("semantic versions are read, with or without what follows them", () => {
	const version = { major: 1, minor: 20, patch: 3 };
	for (const text of ["1.20.3", "v1.20.3", " 1.20.3 ", "1.20.3-rc.1", "1.20.3+build"]) {
		assert.deepEqual(parseSemantic(text), version, text);
	}
	for (const text of ["", "1.2", "one", "1.2.x", "1.2.3.4", "2026-01-01"]) {
		assert.equal(parseSemantic(text), undefined, text);
	}
});

test("a major step is warned of, a minor one is not", () => {
	const warn = (before: string, after: string) =>
		versionWarnings({ before, after, declared: undefined }).length > 0;
	assert.equal(warn("1.2.0", "2.0.0"), true);
	assert.equal(warn("2.0.0", "1.2.0"), true);
	assert.equal(warn("1.2.0", "1.3.0"), false);
	assert.equal(warn("0.2.0", "0.3.0"), true);
	assert.equal(warn("0.2.0", "0.2.1"), false);
	assert.equal(warn("newest", "2.0.0"), false);
});

test("a server that is not the version it is expected to be is warned of", () => {
	const warn = (after: string | undefined) =>
		versionWarnings({ before: undefined, after, declared: "1.2.0" });
	assert.deepEqual(warn("1.2.0"), []);
	assert.match(warn("1.3.0")[0] ?? "", /expected to be version 1\.2\.0 and says version 1\.3\.0/);
	assert.match(warn(undefined)[0] ?? "", /says no version/);
});

test("whatever a server calls its version, it is read or left alone", () => {
	fc.assert(
		fc.property(fc.string(), fc.string(), (before, after) => {
			const warnings = versionWarnings({ before, after, declared: undefined });
			assert.ok(warnings.length <= 1);
		}),
	);
});
