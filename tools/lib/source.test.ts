import assert from "node:assert/strict";
import { test } from "node:test";
import { findReferences, parseSource } from "./source.ts";

test("every module that a file refers to is found, with its line", () => {
	const source = parseSource(
		"src/a.ts",
		[
			'import { a } from "./a.ts";',
			'import type { B } from "./b.ts";',
			'export { c } from "./c.ts";',
			'export type { D } from "./d.ts";',
			'export * from "./e.ts";',
			'const f = () => import("./f.ts");',
			'type G = import("./g.ts").G;',
			'new Worker(new URL("./h.ts", import.meta.url));',
			'import "./i.ts";',
		].join("\n"),
	);
	assert.deepEqual(
		findReferences(source).map(({ specifier, line, is_type }) => [specifier, line, is_type]),
		[
			["./a.ts", 1, false],
			["./b.ts", 2, true],
			["./c.ts", 3, false],
			["./d.ts", 4, true],
			["./e.ts", 5, false],
			["./f.ts", 6, false],
			["./g.ts", 7, true],
			["./h.ts", 8, false],
			["./i.ts", 9, false],
		],
	);
});

test("what is no reference is not taken for one", () => {
	const text = '// import "./a.ts"\nconst b = "./b.ts"; new URL("./c.ts", base); import(name);';
	assert.deepEqual(findReferences(parseSource("a.ts", text)), []);
});

test("lines are right where characters take several bytes", () => {
	const source = parseSource("a.ts", '"😀é";\n"日本語";\nimport "./x.ts";\n');
	assert.equal(findReferences(source)[0]?.line, 3);
});

test("a file that does not parse is refused with its name", () => {
	assert.throws(() => parseSource("src/a.ts", "const = 1"), /src\/a\.ts does not parse/);
});
