import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import type { StdioSpec } from "../../config/plan.ts";
import { contentsDigest } from "./contents.ts";
import { directSpec, neededFolders } from "./direct-spec.ts";
import { installEnvironment, sourceSettings } from "./install-environment.ts";
import type { Installed } from "./installed.ts";
import { folderName, readInstalled, writeInstalled } from "./installed.ts";
import type { LockEntry } from "./lock-entry.ts";
import { treeDigest } from "./lock-entry.ts";
import { platformName } from "./platform.ts";

const folder = await mkdtemp(join(tmpdir(), "moorage-installed-"));
after(() => rm(folder, { recursive: true }));

const tree = {
	"node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
	"node_modules/b": { version: "2.0.0", integrity: "sha512-b", optional: true },
};
const entry: LockEntry = {
	ecosystem: "npm",
	name: "@s/a",
	version: "1.0.0",
	integrity: "sha512-a",
	digest: treeDigest("npm", tree),
	platform: "linux-x64",
	tree,
};
const installed: Installed = {
	format: 2,
	name: "@s/a",
	version: "1.0.0",
	digest: entry.digest,
	platform: platformName(),
	scripts_run: [],
	scripts_skipped: [],
	contents: "sha256-0",
};
const spec: StdioSpec = {
	driver: "stdio",
	command: "npx",
	args: ["a"],
	env: { A: "1" },
	cwd: "/w",
};

async function writePackage(name: string, text: string): Promise<void> {
	await mkdir(join(folder, "node_modules", name), { recursive: true });
	await writeFile(join(folder, "node_modules", name, "package.json"), text);
}

test("an installation is read back as it was written", async () => {
	await writePackage("a", "{}");
	await writeInstalled(folder, installed);
	assert.deepEqual(await readInstalled(folder, entry), installed);
});

test("what is damaged, of another form, or tidied away counts as not installed", async () => {
	assert.equal(await readInstalled(join(folder, "nowhere"), entry), undefined);
	const path = join(folder, ".moorage.json");
	const { version: _, ...without_version } = installed;
	const others = [
		without_version,
		{ ...installed, format: 1 },
		{ ...installed, digest: "sha256-other" },
		{ ...installed, platform: "plan9-vax" },
	];
	for (const text of ["", "{", "null", "[]", ...others.map((other) => JSON.stringify(other))]) {
		await writeFile(path, text);
		assert.equal(await readInstalled(folder, entry), undefined, text);
	}
	await writeInstalled(folder, installed);
	assert.notEqual(await readInstalled(folder, entry), undefined);
	await writePackage("a", "");
	assert.equal(await readInstalled(folder, entry), undefined, "cut off");
	await rm(join(folder, "node_modules"), { recursive: true });
	assert.equal(await readInstalled(folder, entry), undefined, "removed");
});

test("the program is run in place of its launcher by whatever runs it", () => {
	const place = { folder: "/data/p", node_path: "/n/node", path: "/bin" };
	const file = "/data/p/main.js";
	const program = {
		file,
		by: "node",
		node_args: ["--no-warnings"],
		path_prefix: undefined,
	} as const;
	assert.deepEqual(directSpec(program, place, spec, ["x"]), {
		driver: "stdio",
		command: "/n/node",
		args: ["--no-warnings", "/data/p/main.js", "x"],
		env: { A: "1" },
		cwd: "/w",
	});
	const own = {
		file: "/data/p/run",
		by: "itself",
		node_args: [],
		path_prefix: "/data/p/b",
	} as const;
	assert.deepEqual(directSpec(own, place, spec, []), {
		driver: "stdio",
		command: "/data/p/run",
		args: [],
		env: { A: "1", PATH: "/data/p/b:/bin" },
		cwd: "/w",
	});
	const python = directSpec({ ...program, by: "python", node_args: [] }, place, spec, []);
	assert.match(python.command, /^\/data\/p\/venv\/.*python/u);
	assert.deepEqual(python.args, [file]);
});

test("a program needs its package's folder and that of what runs it", async () => {
	assert.deepEqual(await neededFolders("/data/p/run", "/data/p"), ["/data/p"]);
	assert.deepEqual(await neededFolders("/opt/n/bin/node", "/data/p"), ["/data/p", "/opt/n"]);
	assert.deepEqual(await neededFolders("/opt/n/bin/python3.12", undefined), ["/opt/n"]);
	assert.deepEqual(await neededFolders("/opt/n/bin/tool", undefined), ["/opt/n/bin"]);
});

test("a folder's name is readable, safe, and different for different trees", () => {
	assert.match(folderName(entry, []), /^s\+a@1\.0\.0-[0-9a-f]{16}$/u);
	assert.equal(folderName(entry, ["x", "y"]), folderName(entry, ["y", "x"]));
	const others = [
		folderName({ ...entry, digest: "sha256-other" }, []),
		folderName(entry, ["native"]),
		folderName(entry, ["native", "other"]),
	];
	assert.equal(new Set([folderName(entry, []), ...others]).size, 4);
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (name, version) => {
			const made = folderName({ ...entry, name, version }, []);
			assert.match(made, /^[A-Za-z0-9._@+-]{17,120}$/u);
			assert.doesNotMatch(made, /^\./u);
		}),
	);
});

test("the contents of an installation are every byte of it, but for what is added later", async () => {
	const place = join(folder, "contents");
	await mkdir(join(place, "deep", "__pycache__"), { recursive: true });
	await writeFile(join(place, "deep", "a.js"), "1");
	await writeFile(join(place, "b.js"), "2");
	await symlink("b.js", join(place, "link"));
	const first = await contentsDigest(place);
	await writeFile(join(place, ".moorage-bundle.mjs"), "ours");
	await writeFile(join(place, "deep", "__pycache__", "a.pyc"), "python's");
	assert.equal(await contentsDigest(place), first);
	await writeFile(join(place, "deep", "a.js"), "3");
	const second = await contentsDigest(place);
	assert.notEqual(second, first);
	await rm(join(place, "link"));
	assert.notEqual(await contentsDigest(place), second);
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

test("where packages come from is what the server's settings say, but for its secrets", () => {
	assert.deepEqual(sourceSettings({ PATH: "/a", npm_config_token: "x" }), []);
	assert.deepEqual(sourceSettings({ UV_PYTHON: "3", NPM_CONFIG_REGISTRY: "http://r" }), [
		"npm_config_registry=http://r",
		"uv_python=3",
	]);
});
