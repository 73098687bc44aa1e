import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseNpmSpec } from "./npm-spec.ts";

test("packages of a registry are taken apart", () => {
	const table: [string, string, string | undefined][] = [
		["left-pad", "left-pad", undefined],
		["left-pad@", "left-pad", undefined],
		["left-pad@1.3.0", "left-pad", "1.3.0"],
		["left-pad@^1", "left-pad", "^1"],
		["left-pad@>=1.0.0 <2", "left-pad", ">=1.0.0 <2"],
		["left-pad@latest", "left-pad", "latest"],
		["@scope/name", "@scope/name", undefined],
		["@scope/name@2026.8.31", "@scope/name", "2026.8.31"],
		["@scope/name@next", "@scope/name", "next"],
		["alias@npm:@scope/name@1", "alias", "npm:@scope/name@1"],
		["JSONStream", "JSONStream", undefined],
		["lodash.merge@4.x || 5.x", "lodash.merge", "4.x || 5.x"],
	];
	for (const [text, name, range] of table) {
		assert.deepEqual(parseNpmSpec(text), { kind: "registry", spec: { name, range } }, text);
	}
});

test("addresses are told from packages", () => {
	const git = [
		"github:user/repo",
		"user/repo",
		"user/repo#main",
		"git+https://example.com/a.git",
		"git+ssh://git@example.com/a.git#v1",
		"git@example.com:user/repo.git",
		"git://example.com/a",
		"https://example.com/a.git",
		"gist:abc",
		"name@github:user/repo",
		"name@user/repo",
		"@scope/name@git+ssh://git@example.com/a",
		"alias@npm:user/repo",
	];
	for (const text of git) {
		assert.deepEqual(parseNpmSpec(text), { kind: "remote", what: "a git address" }, text);
	}
	for (const text of ["https://example.com/a.tgz", "http://example.com/a", "a@https://b.c/d.tgz"]) {
		assert.deepEqual(parseNpmSpec(text), { kind: "remote", what: "a web address" }, text);
	}
});

test("folders and files of this machine are told from packages", () => {
	const local = [".", "./server", "../server", "/opt/server", "~/server", "file:../x", "a.tgz"];
	for (const text of [...local, "name@file:../x", "name@./x", "C:\\server", "dir/a.tar.gz"]) {
		assert.deepEqual(parseNpmSpec(text), { kind: "local" }, text);
	}
});

test("what nobody could install is invalid", () => {
	for (const text of [
		"",
		"-flag",
		"a b",
		"a@ b",
		"a@-1",
		"a@\n",
		"@scope",
		"a\0",
		"x".repeat(301),
	]) {
		assert.deepEqual(parseNpmSpec(text), { kind: "invalid" }, JSON.stringify(text));
	}
});

test("no text is taken for a package whose name could leave its folder or be a flag", () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
			const parsed = parseNpmSpec(text);
			if (parsed.kind === "registry") {
				assert.match(parsed.spec.name, /^(?:@[^/]+\/)?[^/]+$/u);
				assert.doesNotMatch(parsed.spec.name, /^[.-]|\/[.]|\p{Cc}/u);
				assert.doesNotMatch(parsed.spec.range ?? "", /^-|\p{Cc}/u);
			}
		}),
	);
});
