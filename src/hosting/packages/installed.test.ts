import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import type { StdioSpec } from "../../config/plan.ts";
import { installEnvironment, installSource } from "./install-environment.ts";
import type { Installed } from "./installed.ts";
import { folderName, installedSpec, readInstalled, writeInstalled } from "./installed.ts";
import type { PackageRequest } from "./request.ts";

let folder = "";
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-installed-"));
	await writeFile(join(folder, "main.js"), "");
});
afterEach(() => rm(folder, { recursive: true }));

const installed: Installed = {
	format: 1,
	request: "[]",
	version: "1.0.0",
	entry: "{node}",
	args_prefix: ["--no-warnings", "{folder}/main.js"],
	scripts_skipped: [],
};
const spec: StdioSpec = {
	driver: "stdio",
	command: "npx",
	args: ["a"],
	env: { A: "1" },
	cwd: "/w",
};
const request: PackageRequest = {
	ecosystem: "npm",
	launcher: "npx",
	packages: ["@a/b@1"],
	program: undefined,
	options: [],
	adds_path: false,
	args: [],
};

test("an installation is read back as it was written", async () => {
	await writeInstalled(folder, installed);
	assert.deepEqual(await readInstalled(folder), installed);
});

test("what is damaged, of another form, or tidied away counts as not installed", async () => {
	assert.equal(await readInstalled(folder), undefined);
	const path = join(folder, "resolved.json");
	const { version: _, ...without_version } = installed;
	const odd = ["", "{", "null", "[]", "{}", JSON.stringify({ ...installed, format: 2 })];
	for (const text of [...odd, JSON.stringify(without_version)]) {
		await writeFile(path, text);
		assert.equal(await readInstalled(folder), undefined, text);
	}
	await writeInstalled(folder, installed);
	await rm(join(folder, "main.js"));
	assert.equal(await readInstalled(folder), undefined);
});

test("the program is run in place of its launcher, wherever folder and Node are now", () => {
	const place = { folder: "/data/p", node_path: "/n/node", path: "/bin" };
	assert.deepEqual(installedSpec(installed, place, spec, ["x"]), {
		driver: "stdio",
		command: "/n/node",
		args: ["--no-warnings", "/data/p/main.js", "x"],
		env: { A: "1" },
		cwd: "/w",
	});
	const own = { ...installed, entry: "{folder}/run", args_prefix: [], path_prefix: "{folder}/b" };
	assert.deepEqual(installedSpec(own, place, spec, []), {
		driver: "stdio",
		command: "/data/p/run",
		args: [],
		env: { A: "1", PATH: "/data/p/b:/bin" },
		cwd: "/w",
	});
});

test("a folder's name is readable, safe, and different for different requests", () => {
	assert.match(folderName(request, ""), /^a\+b@1-[0-9a-f]{10}$/u);
	const same = folderName({ ...request, args: ["x"], launcher: "bunx" }, "");
	assert.equal(same, folderName(request, ""));
	const others = [
		folderName({ ...request, packages: ["@a/b@2"] }, ""),
		folderName({ ...request, packages: ["@a/b@1", "c"] }, ""),
		folderName({ ...request, program: "b" }, ""),
		folderName({ ...request, options: ["--offline"] }, ""),
		folderName(request, "registry"),
	];
	assert.equal(new Set([folderName(request, ""), ...others]).size, 6);
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			const name = folderName({ ...request, packages: [text] }, "");
			assert.match(name, /^[A-Za-z0-9._@+-]{11,120}$/u);
			assert.doesNotMatch(name, /^\.\.?$/u);
		}),
	);
});

test("an installer gets the machine's settings, and of a server only those for installing", () => {
	const environment = {
		PATH: "/bin",
		NODE_OPTIONS: "--inspect",
		NODE_EXTRA_CA_CERTS: "/ca",
		npm_config_registry: "http://machine",
		npm_config_save_exact: "true",
	};
	const spec_env = { TOKEN: "secret", UV_INDEX_URL: "http://i", npm_config_registry: "http://s" };
	assert.deepEqual(installEnvironment(environment, spec_env), {
		PATH: "/bin",
		NODE_EXTRA_CA_CERTS: "/ca",
		npm_config_registry: "http://s",
		npm_config_save_exact: "true",
		UV_INDEX_URL: "http://i",
		NO_COLOR: "1",
	});
});

test("settings that an npm script around the gateway brings along are left out", () => {
	const environment = {
		PATH: "/bin",
		npm_lifecycle_event: "start",
		npm_package_name: "x",
		npm_config_ignore_scripts: "true",
		npm_config_registry: "http://machine",
	};
	assert.deepEqual(installEnvironment(environment, {}), {
		PATH: "/bin",
		npm_config_registry: "http://machine",
		NO_COLOR: "1",
	});
});

test("another registry is another source, another token is not", () => {
	const source = (env: Record<string, string>) => installSource(env);
	assert.equal(source({ PATH: "/a" }), source({ PATH: "/b", npm_config_token: "x" }));
	assert.notEqual(source({}), source({ npm_config_registry: "http://r" }));
	assert.equal(
		source({ UV_INDEX: "a", UV_PYTHON: "3" }),
		source({ UV_PYTHON: "3", UV_INDEX: "a" }),
	);
});
