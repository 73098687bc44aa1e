import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { after, test } from "node:test";
import type { StdioSpec } from "../../src/config/plan.ts";
import { client_running } from "../../src/config/running.ts";
import { askTools } from "../../src/hosting/packages/ask-tools.ts";
import { contentsDigest } from "../../src/hosting/packages/contents.ts";
import { PackageResolver } from "../../src/hosting/packages/resolve.ts";
import { childEnvironment } from "../../src/hosting/process/environment.ts";
import { runOnce } from "../../src/hosting/process/run-once.ts";
import { createSpawner } from "../../src/hosting/process/spawner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";

/*
 * Real packages from the real registries, with the real package managers. Where these cannot
 * be reached the tests are skipped and say so.
 */

const root = await mkdtemp(join(tmpdir(), "moorage-real-"));
const environment = processEnvironment();
const spawner = await createSpawner({
	data_dir: join(root, "data"),
	owner_id: "real",
	clock: systemClock,
	random: systemRandom,
	environment,
});
after(async () => {
	await spawner.close();
	await rm(root, { recursive: true });
});

const quiet = { server: "it", progress: () => {} };

function makeResolver(data_dir: string, path?: string) {
	return new PackageResolver({
		data_dir,
		environment: path === undefined ? environment : { ...environment, PATH: path },
		clock: systemClock,
		random: systemRandom,
		spawner,
	});
}

function stdio(command: string): StdioSpec {
	const [program = "", ...args] = command.split(" ");
	return { driver: "stdio", command: program, args, env: {}, cwd: root };
}

/** The direct command, or undefined after skipping the test because there is no network. */
async function resolveOrSkip(
	t: TestContext,
	resolver: PackageResolver,
	command: string,
): Promise<StdioSpec | undefined> {
	const result = await resolver.resolve(stdio(command), { server: "it", progress: () => {} });
	if (!result.ok && /could not be reached/u.test(result.problem.message)) {
		t.skip("the package registry is not reachable from here");
		return undefined;
	}
	assert(result.ok, result.ok ? "" : result.problem.message);
	return result.value.spec as StdioSpec;
}

async function output(spec: StdioSpec): Promise<string> {
	const outcome = await runOnce(systemClock, {
		program: spec.command,
		args: spec.args,
		env: childEnvironment(environment, spec.env),
		cwd: spec.cwd,
		deadline_ms: 60_000,
	});
	return outcome.stdout;
}

async function failure(resolver: PackageResolver, command: string): Promise<string> {
	const result = await resolver.resolve(stdio(command), { server: "it", progress: () => {} });
	assert(!result.ok);
	assert.equal(result.problem.code, "install_failed");
	return result.problem.message;
}

test("a real npm package is installed and run directly", async (t) => {
	const resolver = makeResolver(join(root, "npm"));
	const spec = await resolveOrSkip(t, resolver, "npx -y semver@7.6.3 -i minor 1.2.3");
	if (spec === undefined) {
		return;
	}
	assert.equal(spec.command, process.execPath);
	assert.equal(await output(spec), "1.3.0\n");
	assert.match(
		await failure(resolver, "npx -y semver@999.0.0"),
		/No matching version found for semver@999\.0\.0\. There is no such version/u,
	);
	assert.match(
		await failure(resolver, "npx -y moorage-test-no-such-package-at-all"),
		/There is no such package/u,
	);
	const offline = stdio("npx -y semver@7.6.3");
	const result = await resolver.resolve(
		{
			...offline,
			env: { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" },
		},
		{ server: "it", progress: () => {} },
	);
	assert(!result.ok);
	assert.match(result.problem.message, /could not be reached/u);
});

test("a real npm package that is named without a version is found anew and kept", async (t) => {
	const resolver = makeResolver(join(root, "floating"));
	const first = await resolveOrSkip(t, resolver, "npx -y semver@7.6.3 1.2.3");
	if (first === undefined) return;
	const exact = await resolver.resolve(stdio("npx -y semver@7.6.3"), quiet);
	assert(exact.ok && exact.value.locked !== undefined);
	// As if it had been the newest once.
	assert((await resolver.keepLocked({ ...exact.value.locked, key: "npm:semver" })).ok);
	const old = await resolver.resolve(stdio("npx -y semver 1.2.3"), quiet);
	assert.equal(old.ok && old.value.identity?.version, "7.6.3");
	const found = await resolver.resolve(stdio("npx -y semver 1.2.3"), { ...quiet, update: true });
	assert(found.ok && found.value.locked !== undefined);
	assert.notEqual(found.value.identity?.version, "7.6.3");
	const still = await resolver.resolve(stdio("npx -y semver 1.2.3"), quiet);
	assert.equal(still.ok && still.value.identity?.version, "7.6.3");
	assert((await resolver.keepLocked(found.value.locked)).ok);
	const now = await resolver.resolve(stdio("npx -y semver 1.2.3"), quiet);
	assert.deepEqual(now.ok && now.value.identity, found.value.identity);
	assert.equal(await output(found.value.spec as StdioSpec), "1.2.3\n");
});

test("a real tree is installed from its lock alone, byte for byte the same", async (t) => {
	const resolver = makeResolver(join(root, "first"));
	const spec = await resolveOrSkip(t, resolver, "npx -y semver@7.6.3 1.2.3");
	if (spec === undefined) {
		return;
	}
	await mkdir(join(root, "second"));
	await copyFile(join(root, "first", "moorage.lock"), join(root, "second", "moorage.lock"));
	const other = await makeResolver(join(root, "second")).resolve(
		stdio("npx -y semver@7.6.3 1.2.3"),
		quiet,
	);
	assert(other.ok);
	const again = other.value.spec as StdioSpec;
	assert.equal(await output(again), "1.2.3\n");
	const trees = [spec, again].map(({ args: [file = ""] }) => join(dirname(file), ".."));
	assert.deepEqual(await contentsDigest(trees[1] ?? ""), await contentsDigest(trees[0] ?? ""));
});

test("a real server is bundled with a real bundler, and starts with what was prepared", async (t) => {
	const resolver = makeResolver(join(root, "bundled"));
	const command = "npx -y @modelcontextprotocol/server-memory@2026.8.31";
	const plan = { ...client_running, packages: { scripts: [], bundle: true } };
	const result = await resolver.resolve(stdio(command), { ...quiet, plan });
	if (!result.ok && result.problem.why === "offline") {
		t.skip("the package registry is not reachable from here");
		return;
	}
	assert(result.ok, result.ok ? "" : result.problem.message);
	const { spec, notes, needs, identity } = result.value;
	assert(spec.driver === "stdio");
	assert.deepEqual(notes, []);
	assert.equal(identity?.version, "2026.8.31");
	assert.match(spec.args[0] ?? "", /\.moorage-bundle-[0-9a-f]+\.mjs$/u);
	const cache = spec.env["NODE_COMPILE_CACHE"] ?? "";
	assert(needs.includes(cache));
	assert.equal((await readdir(cache)).length, 1);
	const tools = await askTools(spawner, systemClock, { ...spec, server: "it" }, 60_000);
	assert.match(tools ?? "", /create_entities/u);
});

test("a real Python package is installed and run directly, and may be moved", async (t) => {
	const venv = join(root, "venv");
	const env = Object.fromEntries(
		Object.entries(environment).flatMap(([name, value]) =>
			value === undefined ? [] : [[name, value]],
		),
	);
	const made = await runOnce(systemClock, {
		program: "python3",
		args: ["-m", "venv", venv],
		env,
		deadline_ms: 60_000,
	});
	if (made.code !== 0) {
		t.skip("there is no python3 with venv on this machine");
		return;
	}
	const pip = await runOnce(systemClock, {
		program: join(venv, "bin", "pip"),
		args: ["install", "--quiet", "uv"],
		env,
		deadline_ms: 120_000,
	});
	if (pip.code !== 0) {
		t.skip("uv cannot be installed: the Python package index is not reachable from here");
		return;
	}
	const path = `${join(venv, "bin")}:${environment["PATH"]}`;
	const resolver = makeResolver(join(root, "pypi"), path);
	const spec = await resolveOrSkip(t, resolver, "uvx pycowsay@0.0.0.2 ahoy");
	if (spec === undefined) {
		return;
	}
	assert.match(spec.command, /\/python$/u);
	assert.match(await output(spec), /ahoy/u);
	// Nothing inside names the folder, so a data folder can be moved or restored elsewhere.
	await rename(join(root, "pypi"), join(root, "moved"));
	const moved = makeResolver(join(root, "moved"), "/usr/bin:/bin");
	const found = await moved.resolve(stdio("uvx pycowsay@0.0.0.2 ahoy"), {
		server: "it",
		progress: () => {},
	});
	assert(found.ok);
	assert.match(await output(found.value.spec as StdioSpec), /ahoy/u);
	assert.match(await failure(resolver, "uvx pycowsay==99"), /There is no such version/u);
	assert.match(
		await failure(resolver, "uvx moorage-test-no-such-package-at-all"),
		/There is no such package/u,
	);
	assert.match(
		await failure(resolver, "uvx pywin32==311"),
		process.platform === "win32" ? /no program/u : /does not run on this machine/u,
	);
	assert.match(await failure(resolver, "uvx docopt==0.6.2"), /has to be built here/u);
	const exact = await resolver.resolve(stdio("uvx pycowsay@0.0.0.1 ahoy"), quiet);
	assert(exact.ok && exact.value.locked !== undefined);
	assert((await resolver.keepLocked({ ...exact.value.locked, key: "pypi:pycowsay" })).ok);
	const floating = stdio("uvx pycowsay ahoy");
	const newer = await resolver.resolve(floating, { ...quiet, update: true });
	assert(newer.ok && newer.value.locked !== undefined);
	assert.equal(newer.value.identity?.version, "0.0.0.2");
	assert.match(await output(newer.value.spec as StdioSpec), /ahoy/u);
	const before = await resolver.resolve(floating, quiet);
	assert.equal(before.ok && before.value.identity?.version, "0.0.0.1");
	assert((await resolver.keepLocked(newer.value.locked)).ok);
	const after_keeping = await resolver.resolve(floating, quiet);
	assert.equal(after_keeping.ok && after_keeping.value.identity?.version, "0.0.0.2");
	const lock_path = join(root, "moved", "moorage.lock");
	const lock = await readFile(lock_path, "utf8");
	assert.match(lock, /"pycowsay==0\.0\.0\.2": \["sha256:/u);
	assert.match(
		await failure(resolver, "uvx --from pycowsay nosuch"),
		/no program nosuch; it offers pycowsay/u,
	);
});
