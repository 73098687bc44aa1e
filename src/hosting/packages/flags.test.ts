import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasFlag, scanFlags, valuesOf } from "./flags.ts";

const table = { switches: new Set(["y", "yes"]), valued: new Set(["p", "package"]) };

test("flags are read in every spelling until the first word or a double dash", () => {
	const p = { name: "p", value: "a" };
	const y = { name: "y", value: undefined };
	const cases: [string[], object[], string[]][] = [
		[[], [], []],
		[["x", "-y"], [], ["x", "-y"]],
		[["-y", "x"], [y], ["x"]],
		[["--y", "x"], [y], ["x"]],
		[["-p", "a", "x"], [p], ["x"]],
		[["-p=a", "x"], [p], ["x"]],
		[["-pa", "x"], [p], ["x"]],
		[["--package", "a", "-y", "x"], [{ name: "package", value: "a" }, y], ["x"]],
		[["--package=a=b", "x"], [{ name: "package", value: "a=b" }], ["x"]],
		[["-y", "--", "-p", "x"], [y], ["-p", "x"]],
		[["-p", "-y", "x"], [{ name: "p", value: "-y" }], ["x"]],
		[["-", "x"], [], ["-", "x"]],
	];
	for (const [args, flags, rest] of cases) {
		assert.deepEqual(scanFlags(args, table), { flags, rest }, args.join(" "));
	}
});

test("a flag that is not known, or lacks its value, is not guessed at", () => {
	for (const args of [["-z", "x"], ["--yes=1", "x"], ["--packages", "a"], ["-p"], ["--ya"]]) {
		assert.equal(scanFlags(args, table), undefined, args.join(" "));
	}
});

test("values and switches are found by any of their names", () => {
	const flags = scanFlags(["-p", "a", "--package=b", "-y", "x"], table)?.flags ?? [];
	assert.deepEqual(valuesOf(flags, "p", "package"), ["a", "b"]);
	assert.equal(hasFlag(flags, "y", "yes"), true);
	assert.equal(hasFlag(flags, "yes"), false);
});

test("what follows the flags is never changed", () => {
	const words = fc.array(fc.string());
	fc.assert(
		fc.property(words, (rest) => {
			assert.deepEqual(scanFlags(["-y", "--", ...rest], table)?.rest, rest);
		}),
	);
});
