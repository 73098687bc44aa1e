import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { compareInstalled, provideDependencies } from "../../bin/launcher/dependencies.mjs";
import { tempTree } from "../lib/temp-tree.ts";
import { fakeNpm } from "./fake-npm.ts";

const hono = { version: "4.0.0", integrity: "sha512-a" };
const other_platform = { version: "1.0.0", integrity: "sha512-b", optional: true };
const lock = {
	packages: {
		"": { name: "project" },
		"node_modules/hono": hono,
		"node_modules/@x/linux-arm": other_platform,
	},
};

/** Installs what the lock file of the folder says, as npm does. */
const installs = `
	const { packages } = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
	fs.mkdirSync("node_modules/hono", { recursive: true });
	const installed = { "node_modules/hono": packages["node_modules/hono"] };
	fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: installed }));
`;

/** A checkout with a lock file, and what is installed in it. */
function checkout(t: TestContext, installed?: Record<string, unknown>): string {
	return tempTree(t, {
		"package.json": "{}",
		"package-lock.json": JSON.stringify(lock),
		".npmrc": "ignore-scripts=true",
		...(installed && {
			"node_modules/.package-lock.json": JSON.stringify({ packages: installed }),
			"node_modules/hono/index.js": "",
			"node_modules/hono/old.js": "",
		}),
	});
}

/** Runs `provideDependencies` with a fake npm; gives what was said and how often npm ran. */
async function provide(t: TestContext, root: string, script: string) {
	const { folder, calls } = fakeNpm(t, script);
	const said: string[] = [];
	const environment = { PATH: [folder, dirname(process.execPath)].join(delimiter) };
	await provideDependencies({
		root,
		node: process.execPath,
		environment,
		say: (line) => said.push(line),
	});
	const runs = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
	return { said, runs };
}

test("what is installed as the lock file says is left alone, other platforms' packages missing", (t) => {
	assert.equal(compareInstalled(checkout(t, { "node_modules/hono": hono })), undefined);
});

test("every difference from the lock file is told", (t) => {
	assert.equal(compareInstalled(checkout(t)), "node_modules is missing");
	assert.match(compareInstalled(checkout(t, {})) ?? "", /^hono is not installed as/);
	const changed = { "node_modules/hono": { ...hono, integrity: "sha512-c" } };
	assert.match(compareInstalled(checkout(t, changed)) ?? "", /^hono is not installed as/);
	const more = { "node_modules/hono": hono, "node_modules/@y/z": { version: "1.0.0" } };
	assert.equal(compareInstalled(checkout(t, more)), "@y/z is not in package-lock.json");
});

test("missing dependencies are installed without scripts, development ones too, in one line", async (t) => {
	const root = checkout(t);
	const { said, runs } = await provide(t, root, installs);
	assert.equal(compareInstalled(root), undefined);
	assert.deepEqual(said, [
		"installing the dependencies with npm ci, because node_modules is missing",
	]);
	assert.deepEqual(runs.length, 1);
	assert.match(runs[0] ?? "", /^ci --ignore-scripts --include=dev /);
	assert.deepEqual(readdirSync(join(root, ".tools")), []);
	assert.deepEqual(await provide(t, root, installs), { said: [], runs: [] });
});

test("outdated dependencies are replaced as a whole", async (t) => {
	const root = checkout(t, {});
	await provide(t, root, installs);
	assert.equal(compareInstalled(root), undefined);
	assert.equal(existsSync(join(root, "node_modules", "hono", "old.js")), false);
	assert.deepEqual(readdirSync(join(root, ".tools")), []);
});

test("several that install at the same time do not disturb each other", async (t) => {
	const root = checkout(t, {});
	await Promise.all([1, 2, 3].map(() => provide(t, root, installs)));
	assert.equal(compareInstalled(root), undefined);
	assert.deepEqual(readdirSync(join(root, ".tools")), []);
});

test("a failed installation says why and leaves what there was", async (t) => {
	const root = checkout(t, {});
	await assert.rejects(
		provide(t, root, `console.error("npm error code E1\\nnpm error bad lock"); process.exit(1);`),
		/npm ci failed: code E1; bad lock/,
	);
	assert.ok(existsSync(join(root, "node_modules", "hono", "old.js")));
	assert.deepEqual(readdirSync(join(root, ".tools")), []);
});

test("what a killed installation left is swept when it is old enough", async (t) => {
	const root = checkout(t);
	const [old, young] = [join(root, ".tools", ".partial-1-a"), join(root, ".tools", ".partial-2-b")];
	mkdirSync(old, { recursive: true });
	mkdirSync(young);
	utimesSync(old, 1, 1);
	await provide(t, root, installs);
	assert.deepEqual(readdirSync(join(root, ".tools")), [".partial-2-b"]);
});

test("the settings of an outer npm script do not reach npm, where packages come from does", async (t) => {
	const root = checkout(t);
	const names = ["npm_config_prefix", "npm_config_local_prefix", "npm_config_userconfig"];
	const { folder } = fakeNpm(
		t,
		`${installs}
		fs.writeFileSync("node_modules/seen", Object.keys(process.env).sort().join(" "));`,
	);
	await provideDependencies({
		root,
		node: process.execPath,
		environment: {
			PATH: [folder, dirname(process.execPath)].join(delimiter),
			npm_lifecycle_event: "test",
			npm_package_name: "moorage",
			...Object.fromEntries(names.map((name) => [name, "x"])),
		},
		say: () => {},
	});
	const seen = readFileSync(join(root, "node_modules", "seen"), "utf8").split(" ");
	assert.deepEqual(
		seen.filter((name) => name.startsWith("npm_")),
		["npm_config_userconfig"],
	);
});
