import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
	checkServerName,
	reserved_names,
	safeServerName,
	server_name_pattern,
	withEnding,
} from "./server-names.ts";

test("ordinary names are fine", () => {
	for (const name of [
		"a",
		"GitHub",
		"my-server",
		"a.b_c-1",
		"0day",
		"x".repeat(40),
		"mcp2",
		"constructor",
	]) {
		assert.equal(checkServerName(name), undefined, name);
	}
});

test("every reserved name is refused, in any case", () => {
	for (const name of reserved_names) {
		assert.equal(checkServerName(name)?.kind, "reserved", name);
		assert.equal(checkServerName(name.toUpperCase())?.kind, "reserved", name);
	}
});

test("the separator of server and tool is refused anywhere", () => {
	for (const name of ["a__b", "__a", "a__", "a___b"]) {
		assert.equal(checkServerName(name)?.kind, "separator", name);
	}
});

test("names that no address can hold are refused with one that can", () => {
	for (const name of [
		"",
		" ",
		"a b",
		"a/b",
		"../x",
		"é",
		"-a",
		".a",
		"_a",
		"a_",
		"x".repeat(41),
		"a\nb",
	]) {
		assert.equal(checkServerName(name)?.kind, "form", JSON.stringify(name));
	}
	assert.match(checkServerName("my server")?.next ?? "", /`my-server`/);
});

test("names are made safe by one rule", () => {
	assert.equal(safeServerName("My Server"), "My-Server");
	assert.equal(safeServerName("@scope/pkg@1.0"), "scope-pkg-1.0");
	assert.equal(safeServerName("Crème brûlée"), "Creme-brulee");
	assert.equal(safeServerName("  -_x_- "), "x");
	assert.match(safeServerName("時間"), /^server-[0-9a-f]{8}$/);
	assert.notEqual(safeServerName("時間"), safeServerName("日本"));
});

test("long names that begin alike stay apart", () => {
	const [one, two] = ["fetch", "time"].map((last) =>
		safeServerName(`${"long/".repeat(12)}${last}`),
	);
	assert.notEqual(one, two);
	assert.ok(one !== undefined && one.length <= 40);
});

test("a safe name has the form of one, and is its own safe name", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), (name) => {
			const safe = safeServerName(name);
			assert.match(safe, server_name_pattern);
			assert.equal(safeServerName(safe), safe);
			assert.equal(safeServerName(name), safe);
			const left = checkServerName(safe)?.kind;
			assert.ok(left === undefined || left === "reserved" || left === "separator");
		}),
	);
});

test("a name with an ending is no longer than a name may be, and still ends in it", () => {
	assert.equal(withEnding("files", "-fork"), "files-fork");
	assert.equal(withEnding("x".repeat(35), "-fork"), `${"x".repeat(35)}-fork`);
	assert.equal(withEnding("x".repeat(40), "-fork"), `${"x".repeat(35)}-fork`);
	assert.equal(withEnding(`${"x".repeat(33)}__yyyyy`, "-fork-2"), `${"x".repeat(33)}-fork-2`);
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 9_999 }), (text, number) => {
			const name = withEnding(safeServerName(text), `-fork-${number}`);
			assert.match(name, server_name_pattern);
			assert.ok(name.endsWith(`-fork-${number}`));
		}),
	);
});
