import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblems } from "./lib/problem.ts";
import { tempTree } from "./lib/temp-tree.ts";
import { checkTidy } from "./tidy.ts";

function problemsOf(t: Parameters<typeof tempTree>[0], files: Record<string, string>): string {
	return formatProblems(checkTidy(tempTree(t, files)));
}

test("a tidy tree is fine", (t) => {
	const files = {
		"README.md": `A long line of prose ${"and more ".repeat(20)}\n`,
		"src/lib/a.ts": `/** Adds. */\nexport function add() {}\n`,
		"src/lib/a.test.ts": "export function helper() {}\n",
		"tools/a.ts": "console.log(process.env)\n",
		"src/lib/picture.png": "\0\0",
		"package-lock.json": `{"a": "https://${["registry", "npm" + "js", "org"].join(".")}/"}`,
		"node_modules/x/Index_X.js": "console.log()",
		"dist/main.js": "console.log()",
		".git/HEAD_X": "",
	};
	assert.equal(problemsOf(t, files), "");
});

test("each habit is held where it applies", (t) => {
	assert.equal(
		problemsOf(t, {
			"src/lib/a.ts": "export function f() { return Date.now(); }\n",
			"src/lib/b.test.ts": "const n = Math.random();\n",
			"src/lib/C.ts": "const url = import.meta.dirname;\n",
			"test/servers/long.mjs": `${"f();".repeat(30)}\n`,
		}),
		[
			'src/lib/C.ts:1 Name "C.ts" in kebab-case.',
			'src/lib/C.ts:1 The bundle follows only new URL("./name.ts", import.meta.url).',
			"src/lib/a.ts:1 Date.now is not used here. Take a Clock (src/lib/clock.ts) as a parameter.",
			"src/lib/a.ts:1 Say in a comment of the form /** */ what this function is.",
			"src/lib/b.test.ts:1 Math.random is not used here. " +
				"Use a seeded Random, so that a failure can be repeated.",
			"test/servers/long.mjs:1 120 columns; the limit is 100.",
		].join("\n"),
	);
});

test("texts that have no place here are found in any file", (t) => {
	const texts = [
		`https://${["registry", "npm" + "js", "org"].join(".")}/hono`,
		`see ${["py" + "pi", "org"].join(".")}`,
		`cd ${"/wo" + "rk/main"}`,
		`ls ${"/ro" + "ot/x"}`,
		`read ${"../sha" + "red/NOTES.md"}`,
		`covers ${"A" + "013"}`,
		`see issue ${"#" + "12"}`,
		`fixes it (${"#" + "12"})`,
		`// ${"TO" + "DO"}: later`,
		`${"Co-auth" + "ored-by"}: somebody`,
	];
	for (const text of texts) {
		const found = problemsOf(t, { "docs/page.md": `# Page\n\n${text}\n` });
		assert.match(found, /^docs\/page\.md:3 .+$/, text);
	}
});

test("texts that only resemble them are left alone", (t) => {
	const text = [
		"/home/someone/work/project and ~/work/.moorage and /usr/local/root/x and ./work/main",
		"AES-256, A1, BA013, an issue of 12 tokens, item #3 is fine, todo list",
		"https://modelcontextprotocol.io and example.org",
	].join("\n");
	assert.equal(problemsOf(t, { "docs/page.md": text }), "");
});
