import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isNewEnough, node_version_min } from "../../bin/launcher/version.mjs";
import { repository_root } from "../lib/paths.ts";

test("versions are compared number by number", () => {
	for (const version of ["24.16.0", "v24.16.0", "24.16.1", "24.21.0\n", "25.0.0", "100.0.0"]) {
		assert.equal(isNewEnough(version), true, version);
	}
	for (const version of [
		"24.15.9",
		"v20.20.2",
		"9.99.99",
		"24.9.0",
		"24",
		"",
		"x",
		"24.16.0-rc.1",
	]) {
		assert.equal(isNewEnough(version), false, version);
	}
});

test("every Node that can be fetched is new enough, and exact", () => {
	const file = join(repository_root, "bin", "node24", "package.json");
	const manifest = JSON.parse(readFileSync(file, "utf8")) as {
		optionalDependencies: Record<string, string>;
	};
	const versions = Object.values(manifest.optionalDependencies);
	assert.ok(versions.length > 0);
	for (const version of versions) assert.equal(isNewEnough(version), true, version);
	assert.match(node_version_min, /^24\./);
});
