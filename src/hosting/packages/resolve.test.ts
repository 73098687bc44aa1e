import assert from "node:assert/strict";
import {
	copyFile,
	mkdir,
	readFile,
	realpath,
	rm,
	symlink,
	utimes,
	writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { packageScene } from "../../../test/support/package-scene.ts";
import { eventually, markedProcesses, sees_environments } from "../../../test/support/processes.ts";
import type { StdioSpec } from "../../config/plan.ts";
import { client_running } from "../../config/running.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import { runOnce } from "../process/run-once.ts";
import type { Locked, PackageIdentity } from "../resolved.ts";
import type { PackageFault, PackageResolver, ResolveContext } from "./resolve.ts";

/*
 * All offline: npm is replaced by a program that makes packages out of thin air. The real ones
 * are in test/long/real-install.test.ts.
 */

const scene = await packageScene("resolve");
const { root, PATH, node_path, spawner, makeResolver, stdio } = scene;
after(() => scene.close());

interface Asked {
	readonly signal?: AbortSignal;
	readonly lines?: string[];
	readonly update?: boolean;
	readonly locked?: Locked | undefined;
	readonly scripts?: readonly string[];
	readonly verify?: boolean;
}

const quiet: ResolveContext = { server: "it", progress: () => {} };

function asked({
	signal,
	lines,
	update = false,
	locked,
	scripts = [],
	verify,
}: Asked): ResolveContext {
	return {
		server: "it",
		...(scripts.length > 0 && {
			plan: { ...client_running, packages: { scripts, bundle: false } },
		}),
		update,
		locked,
		verify,
		progress: (line) => lines?.push(line),
		...(signal && { signal }),
	};
}

async function identity(
	resolver: PackageResolver,
	command: string,
	context: Asked = {},
): Promise<PackageIdentity> {
	const result = await resolver.resolve(stdio(command), asked(context));
	assert(result.ok, result.ok ? "" : result.problem.message);
	assert(result.value.identity !== undefined);
	return result.value.identity;
}

async function resolve(
	resolver: PackageResolver,
	command: string | StdioSpec,
	context: Asked = {},
): Promise<Result<StdioSpec, PackageFault>> {
	const spec = typeof command === "string" ? stdio(command) : command;
	const result = await resolver.resolve(spec, asked(context));
	return result.ok ? { ok: true, value: result.value.spec as StdioSpec } : result;
}

async function direct(resolver: PackageResolver, command: string): Promise<StdioSpec> {
	const result = await resolve(resolver, command);
	assert(result.ok, result.ok ? "" : result.problem.message);
	return result.value;
}

async function fault(
	resolver: PackageResolver,
	command: string,
	context: Asked = {},
): Promise<PackageFault> {
	const result = await resolve(resolver, command, context);
	assert(!result.ok, "it was resolved");
	assert.equal(result.problem.server, "it");
	assert.equal(result.problem.retry_safe, true);
	return result.problem;
}

/** Runs what a command was resolved to and gives back what it printed. */
async function output(spec: StdioSpec): Promise<string> {
	const { command: program, args, env, cwd } = spec;
	const outcome = await runOnce(systemClock, {
		program,
		args,
		env: { PATH, ...env },
		cwd,
		deadline_ms: 60_000,
	});
	return outcome.stdout.trim();
}

/** A spawner that must not be needed. */
const no_spawner: Spawner = {
	spawn: () => Promise.reject(new Error("something was started")),
};

test("commands that fetch no package come back unchanged", async () => {
	const { resolver } = makeResolver({ spawner: no_spawner });
	const spec = stdio("node server.js");
	const context = { server: "it", progress: () => {} };
	const remote = { driver: "http", url: "https://a", headers: {} } as const;
	for (const as_written of [spec, remote]) {
		const result = await resolver.resolve(as_written, context);
		assert(result.ok);
		assert.deepEqual(result.value.spec, as_written);
	}
});

test("a package is installed once and from then on found without starting anything", async () => {
	const { resolver, data_dir, done, kept } = makeResolver();
	const lines: string[] = [];
	const first = await resolve(resolver, "npx -y tiny@2.0.0 --port 1", { lines });
	assert(first.ok);
	assert.equal(first.value.command, node_path);
	assert.match(first.value.args[0] ?? "", /packages\/npm\/tiny@2\.0\.0-[0-9a-f]+\/.*cli\.js$/u);
	assert.deepEqual(first.value.args.slice(1), ["--port", "1"]);
	assert.equal(await output(first.value), "cli --port 1");
	assert.deepEqual(lines, [
		"installing tiny@2.0.0 with npm",
		"installed tiny@2.0.0, version 2.0.0",
		"install scripts were not run, for safety: native",
	]);
	const [folder = ""] = await kept();
	const record = JSON.parse(
		await readFile(join(data_dir, "packages", "npm", folder, ".moorage.json"), "utf8"),
	);
	assert.equal(record.version, "2.0.0");
	assert.deepEqual(record.scripts_skipped, ["native"]);

	const later = makeResolver({ data_dir, spawner: no_spawner }).resolver;
	assert.deepEqual(await direct(later, "npx -y tiny@2.0.0 --port 1"), first.value);
	assert.deepEqual(await direct(later, "bunx tiny@2.0.0 --port 1"), first.value);
	assert.deepEqual(await done(), ["begin tiny@2.0.0", "end tiny@2.0.0"]);
});

test("the program is chosen as npx chooses it", async () => {
	const { resolver } = makeResolver();
	assert.equal(await output(await direct(resolver, "npx @scope/pair a")), "cli a");
	assert.equal(await output(await direct(resolver, "npx -p @scope/pair other a")), "other a");
	assert.equal(await output(await direct(resolver, "npx twins")), "cli");
	assert.equal(await output(await direct(resolver, "npx -p tiny -p choice two x")), "other x");
	const several = await fault(resolver, "npx choice");
	assert.equal(several.code, "install_failed");
	assert.match(several.message, /several programs \(one, two\); choose one: npx -p choice one/u);
	assert.match((await fault(resolver, "npx none")).message, /holds no program/u);
});

test("a script for another interpreter runs itself, and flags of a script's Node are kept", async () => {
	const { resolver } = makeResolver();
	const shell = await direct(resolver, "npx shell x");
	assert.match(shell.command, /run\.sh$/u);
	assert.equal(await output(shell), "shell x");
	assert.equal(await output(await direct(resolver, "npx flags")), "--no-warnings");
});

test("with -p the packages' programs are on PATH, and the command may be the machine's", async () => {
	const { resolver } = makeResolver();
	const spec = await resolve(resolver, {
		...stdio("npx -p tiny -p shell sh"),
		args: ["-p", "tiny", "-p", "shell", "sh", "-c", "shell $0", "x"],
	});
	assert(spec.ok);
	assert.equal(spec.value.command, "sh");
	assert.match(spec.value.env["PATH"] ?? "", /node_modules\/\.bin:/u);
	assert.equal(await output(spec.value), "shell x");
});

test("a failed installation says why and what to do, leaves nothing, and is tried again", async () => {
	const { resolver, done, kept } = makeResolver();
	const table: [string, RegExp][] = [
		["broken-e404", /it went wrong with broken-e404\. There is no such package/u],
		["broken-etarget", /There is no such version/u],
		["broken-enotfound", /could not be reached/u],
		["broken-eintegrity", /does not match its checksum/u],
		["broken-enospc", /The disk is full/u],
		["broken-ebadplatform", /does not run on this machine/u],
		["broken-eacces", /may not be written/u],
	];
	for (const [name, message] of table) {
		const problem = await fault(resolver, `npx ${name}`);
		assert.equal(problem.code, "install_failed");
		assert.match(problem.message, message);
	}
	assert.deepEqual(await kept(), []);
	await fault(resolver, "npx broken-e404");
	assert.equal((await done()).filter((line) => line === "begin broken-e404").length, 2);
});

test("an address is refused before anything is started", async () => {
	const { resolver } = makeResolver({ spawner: no_spawner });
	const problem = await fault(resolver, "npx github:user/repo");
	assert.equal(problem.code, "install_failed");
	assert.match(problem.message, /is a git address/u);
});

test("without its installer a command is left to its launcher, and without both it is missing", async () => {
	const tools = join(root, "tools");
	await mkdir(tools);
	const environment = { PATH: tools, HOME: root };
	const { resolver } = makeResolver({ environment, spawner: no_spawner });
	const npm = await fault(resolver, "npx tiny");
	assert.equal(npm.code, "command_missing");
	assert.match(
		npm.message,
		/^npx is not installed; install Node\.js with npm\. The server starts/u,
	);
	const uv = await fault(resolver, "uvx tiny");
	assert.equal(uv.code, "command_missing");
	assert.match(uv.message, /^uvx is not installed; install uv .*The server starts by itself/u);
	await writeFile(join(tools, "uvx"), "#!/bin/sh\n", { mode: 0o755 });
	assert.deepEqual(await direct(resolver, "uvx tiny"), stdio("uvx tiny"));
});

test("who asks for the same at the same time shares one installation", async () => {
	const { resolver, openGate, done, kept } = makeResolver();
	const asked = Array.from({ length: 5 }, () => direct(resolver, "npx gated-a"));
	await eventually(done, (lines) => lines.length === 1);
	asked.push(direct(resolver, "npx gated-a"));
	await openGate();
	const specs = await Promise.all(asked);
	assert.equal(new Set(specs.map((spec) => spec.args[0])).size, 1);
	assert.deepEqual(await done(), ["begin gated-a", "end gated-a"]);
	assert.equal((await kept()).length, 1);
});

test("no more than two installations run at once", async () => {
	const { resolver, openGate, done } = makeResolver();
	const lines: string[] = [];
	const asked = ["a", "b", "c", "d"].map((name) =>
		resolve(resolver, `npx gated-${name}`, { lines }),
	);
	await eventually(done, (begun) => begun.length === 2);
	assert.equal(lines.filter((line) => line.startsWith("waiting to install")).length, 2);
	await openGate();
	assert.equal((await Promise.all(asked)).filter((result) => result.ok).length, 4);
	// Never three beginnings without an end between them.
	let running = 0;
	for (const line of await done()) {
		running += line.startsWith("begin") ? 1 : -1;
		assert(running <= 2);
	}
});

test("two gateways' installations of the same package do not disturb each other", async () => {
	const one = makeResolver();
	const other = makeResolver({ data_dir: one.data_dir });
	const asked = [direct(one.resolver, "npx gated-a"), direct(other.resolver, "npx gated-a")];
	await eventually(
		async () => [...(await one.done()), ...(await other.done())],
		(all) => all.length === 2,
	);
	await Promise.all([one.openGate(), other.openGate()]);
	const [first, second] = await Promise.all(asked);
	assert.deepEqual(first, second);
	assert.equal((await one.kept()).length, 1);
	assert(first !== undefined);
	assert.equal(await output(first), "cli");
});

test("an installation that takes too long is ended and leaves nothing", async () => {
	const { resolver, kept } = makeResolver({ install_ms: 300 });
	const problem = await fault(resolver, "npx hanging");
	assert.equal(problem.code, "install_failed");
	assert.match(problem.message, /took longer than/u);
	assert.deepEqual(await kept(), []);
	if (sees_environments) {
		assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
	}
});

test("an installation that nobody waits for any more is ended", async () => {
	const { resolver, done, kept } = makeResolver();
	const controller = new AbortController();
	const asked = resolve(resolver, "npx hanging", { signal: controller.signal });
	await eventually(done, (lines) => lines.length === 1);
	controller.abort();
	const result = await asked;
	assert(!result.ok);
	assert.match(result.problem.message, /given up/u);
	assert.deepEqual(await kept(), []);
});

test("a damaged installation is made anew", async () => {
	const { resolver, data_dir, done, kept } = makeResolver();
	const spec = await direct(resolver, "npx tiny");
	const [folder = ""] = await kept();
	await rm(spec.args[0] ?? "");
	assert.equal(await output(await direct(resolver, "npx tiny")), "cli");
	await writeFile(join(data_dir, "packages", "npm", folder, ".moorage.json"), "{");
	assert.equal(await output(await direct(resolver, "npx tiny")), "cli");
	assert.equal((await done()).filter((line) => line.startsWith("begin")).length, 3);
	assert.deepEqual(await kept(), [folder]);
});

test("an installation that was altered is made anew when a person asks for a look at it", async () => {
	const { resolver, done, kept } = makeResolver();
	const spec = await direct(resolver, "npx tiny");
	const [folder] = await kept();
	await writeFile(spec.args[0] ?? "", "console.log('altered')");
	assert.equal(
		await output(await direct(resolver, "npx tiny")),
		"altered",
		"too much to read each time",
	);
	const lines: string[] = [];
	const again = await resolve(resolver, "npx tiny", { verify: true, lines });
	assert(again.ok);
	assert.equal(await output(again.value), "cli");
	assert.equal(lines[0], "files of tiny, version 1.0.0, were altered since it was installed");
	const unaltered = await resolve(resolver, "npx tiny", { verify: true, lines: [] });
	assert(unaltered.ok);
	assert.deepEqual(
		(await done()).filter((line) => line.startsWith("begin")),
		["begin tiny", "begin tiny@1.0.0"],
	);
	assert.deepEqual(await kept(), [folder]);
});

function lockOf(data_dir: string): Promise<string> {
	return readFile(join(data_dir, "moorage.lock"), "utf8");
}

async function lockedOf(resolver: PackageResolver, context: Asked = {}): Promise<Locked> {
	const result = await resolver.resolve(stdio("npx tiny"), asked(context));
	assert(result.ok && result.value.locked !== undefined);
	return result.value.locked;
}

test("a newer version is found only when it is asked for, and locked only when it is kept", async () => {
	const { resolver, data_dir, setRegistry, kept } = makeResolver();
	const old = await lockedOf(resolver);
	assert.match(await lockOf(data_dir), /"npm:tiny": \{/u);
	await setRegistry({ latest: { tiny: "1.1.0" } });
	const again = await identity(resolver, "npx tiny");
	assert.equal(again.version, "1.0.0");
	const before = await lockOf(data_dir);
	const updated = await identity(resolver, "npx tiny", { update: true });
	assert.equal(await lockOf(data_dir), before);
	assert.equal(updated.kind, "npm");
	assert.equal(updated.name, "tiny");
	assert.equal(updated.version, "1.1.0");
	assert.match(updated.integrity ?? "", /^sha512-/u);
	assert.match(updated.digest, /^sha256-/u);
	assert.deepEqual(await identity(resolver, "npx tiny"), again);
	const locked = await lockedOf(resolver, { update: true });
	assert.deepEqual(await identity(resolver, "npx tiny", { locked }), updated);
	assert.equal(await lockOf(data_dir), before);
	assert.deepEqual(await resolver.keepLocked(locked), { ok: true, value: undefined });
	assert.deepEqual(await identity(resolver, "npx tiny"), updated);
	assert.equal((await kept()).length, 2);
	assert.ok((await resolver.keepLocked(old)).ok);
	assert.equal(await lockOf(data_dir), before, "and back again, to the byte");
});

test("what is remembered of another package, or cannot be read, is of no account", async () => {
	const { resolver } = makeResolver();
	const tiny = await lockedOf(resolver);
	const other = await identity(resolver, "npx @scope/pair", { locked: tiny });
	assert.equal(other.name, "@scope/pair");
	const damaged = { ...tiny, entry: "{}" };
	assert.equal((await identity(resolver, "npx tiny", { locked: damaged })).version, "1.0.0");
	const kept = await resolver.keepLocked(damaged);
	assert.ok(!kept.ok);
	assert.match(kept.problem, /cannot be read/);
});

test("a newer version with other contents than are locked is neither run nor locked", async () => {
	const { resolver, setRegistry } = makeResolver();
	await direct(resolver, "npx tiny");
	await direct(resolver, "npx @scope/pair");
	await setRegistry({ latest: { tiny: "1.1.0" }, contents: { "native@3.0.0": "other" } });
	const refused = await fault(resolver, "npx tiny", { update: true });
	assert.equal(refused.code, "package_changed");
});

test("a lock that is brought along installs the same versions elsewhere", async () => {
	const one = makeResolver();
	const config_dir = join(root, "config");
	await mkdir(config_dir);
	const first = await identity(one.resolver, "npx tiny");
	await copyFile(join(one.data_dir, "moorage.lock"), join(config_dir, "moorage.lock"));
	const other = makeResolver({ config_dir });
	await other.setRegistry({ latest: { tiny: "2.0.0" } });
	assert.deepEqual(await identity(other.resolver, "npx tiny"), first);
	assert.equal(await output(await direct(other.resolver, "bunx tiny a")), "cli a");
	await direct(other.resolver, "npx @scope/pair");
	assert.match(await lockOf(config_dir), /"npm:@scope\/pair"/u);
	await assert.rejects(lockOf(other.data_dir), /ENOENT/u);
});

test("other contents under a locked version are refused, and what is installed stays", async () => {
	const one = makeResolver();
	const first = await direct(one.resolver, "npx tiny");
	const before = await lockOf(one.data_dir);
	await one.setRegistry({ contents: { "tiny@1.0.0": "evil" } });
	const problem = await fault(one.resolver, "npx tiny", { update: true });
	assert.equal(problem.code, "package_changed");
	assert.match(problem.message, /tiny@1\.0\.0 is not what moorage\.lock says/u);
	// Another request that brings the same version along is no way around it.
	assert.equal((await fault(one.resolver, "npx tiny@1.0.0")).code, "package_changed");
	assert.equal(await lockOf(one.data_dir), before);
	assert.equal(await output(await direct(one.resolver, "npx tiny")), "cli");
	assert.equal((await one.kept()).length, 1);
	// A machine that has only the lock refuses it as well.
	await rm(join(one.data_dir, "packages"), { recursive: true });
	assert.equal((await fault(one.resolver, "npx tiny")).code, "package_changed");
	await one.setRegistry({});
	assert.deepEqual(await direct(one.resolver, "npx tiny"), first);
});

test("without a network what is installed runs, and the rest says why not", async () => {
	const one = makeResolver();
	await direct(one.resolver, "npx tiny");
	await one.setRegistry({ offline: true });
	assert.equal(await output(await direct(one.resolver, "npx tiny")), "cli");
	assert.equal((await fault(one.resolver, "npx twins")).why, "offline");
	assert.equal((await fault(one.resolver, "npx tiny", { update: true })).why, "offline");
	assert.equal(await output(await direct(one.resolver, "npx tiny")), "cli");
	await rm(join(one.data_dir, "packages"), { recursive: true });
	assert.equal((await fault(one.resolver, "npx tiny")).why, "offline");
});

test("a damaged lock is an error, and nothing is resolved behind its back", async () => {
	const { resolver, data_dir, done } = makeResolver();
	await direct(resolver, "npx tiny");
	const good = await lockOf(data_dir);
	await writeFile(join(data_dir, "moorage.lock"), good.slice(0, -4));
	const problem = await fault(resolver, "npx tiny");
	assert.equal(problem.why, "lock_damaged");
	assert.match(problem.message, /moorage\.lock is not valid JSON\. Nothing was changed/u);
	assert.equal((await done()).length, 2);
	await writeFile(join(data_dir, "moorage.lock"), good);
	assert.equal(await output(await direct(resolver, "npx tiny")), "cli");
});

test("a damaged entry fails its own server alone, until it is resolved anew on purpose", async () => {
	const { resolver, data_dir, done } = makeResolver();
	await direct(resolver, "npx tiny");
	await direct(resolver, "npx @scope/pair");
	const good = await lockOf(data_dir);
	const bad = good.replace(/("npm:tiny": \{[^]*?"platform": )"[^"]*"/u, "$15");
	assert.notEqual(bad, good);
	await writeFile(join(data_dir, "moorage.lock"), bad);
	const ran = (await done()).length;
	const problem = await fault(resolver, "npx tiny");
	assert.equal(problem.why, "entry_damaged");
	assert.match(problem.message, /is damaged at packages > npm:tiny > platform\. Nothing was/u);
	assert.match(problem.message, /`moorage deploy \w+ --update`/u);
	assert.equal((await done()).length, ran, "nothing was asked of a registry");
	await direct(resolver, "npx @scope/pair");
	const locked = await lockedOf(resolver, { update: true });
	assert.equal((await fault(resolver, "npx tiny")).why, "entry_damaged", "nothing is kept yet");
	assert((await resolver.keepLocked(locked)).ok);
	assert.equal(await output(await direct(resolver, "npx tiny")), "cli");
	assert.equal(await lockOf(data_dir), good);
});

test("install scripts run for the packages that are named, in a tree of their own", async () => {
	const { resolver, kept, done } = makeResolver();
	const without = await direct(resolver, "npx tiny");
	const context = { scripts: ["native", "unrelated"] };
	const result = await resolve(resolver, "npx tiny", context);
	assert(result.ok);
	assert.notEqual(result.value.args[0], without.args[0]);
	const built = join(dirname(result.value.args[0] ?? ""), "..", "native", "built");
	assert.equal(await readFile(built, "utf8"), "");
	assert.equal((await kept()).length, 2);
	assert.deepEqual((await done()).slice(2), [
		"begin tiny@1.0.0",
		"end tiny@1.0.0",
		"begin native",
		"end native",
	]);
	assert.deepEqual(await direct(resolver, "npx tiny"), without);
});

test("a package without a checksum is not installed", async () => {
	const { resolver, kept } = makeResolver();
	assert.equal((await fault(resolver, "npx unsigned")).why, "no_checksum");
	assert.deepEqual(await kept(), []);
});

test("a command of the user's own is known by its program and by the script it names", async () => {
	const { resolver } = makeResolver({ spawner: no_spawner });
	await writeFile(join(root, "server.js"), "1");
	const first = await identity(resolver, "node server.js");
	assert.equal(first.kind, "program");
	assert.equal(first.name, await realpath(process.execPath));
	assert.deepEqual(await identity(resolver, "node server.js"), first);
	assert.notEqual((await identity(resolver, "node other.js")).digest, first.digest);
	await writeFile(join(root, "server.js"), "2");
	assert.notEqual((await identity(resolver, "node server.js")).digest, first.digest);
	const missing = await resolver.resolve(stdio("no-such-program-here"), quiet);
	assert(missing.ok && missing.value.identity === undefined);
	const remote = { driver: "http", url: "https://me:pw@a/mcp?key=k", headers: {} } as const;
	const found = await resolver.resolve(remote, quiet);
	assert(found.ok && found.value.identity?.name === "https://a/mcp");
});

test("what a cut-off installation left is removed when it is old, and only then", async () => {
	const { resolver, data_dir, kept } = makeResolver();
	const packages = join(data_dir, "packages", "npm");
	await mkdir(join(packages, ".tmp-old"), { recursive: true });
	await mkdir(join(packages, ".tmp-new"));
	const long_ago = new Date(systemClock.now() - 3_600_000);
	await utimes(join(packages, ".tmp-old"), long_ago, long_ago);
	await direct(resolver, "npx tiny");
	assert.deepEqual(
		(await kept()).filter((name) => name.startsWith(".tmp")),
		[".tmp-new"],
	);
});

test("a data folder that cannot be written is a sentence", async () => {
	const data_dir = join(root, "file");
	await writeFile(data_dir, "");
	const problem = await fault(makeResolver({ data_dir }).resolver, "npx tiny");
	assert.equal(problem.code, "install_failed");
	assert.match(problem.message, /^Installing tiny failed: ENOTDIR\./u);
});

test("a full disk is named, and what was installed before goes on running", async (t) => {
	const small = join(root, "small");
	await mkdir(small);
	const mounted = await runOnce(systemClock, {
		program: "mount",
		args: ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small],
		env: { PATH },
		deadline_ms: 10_000,
	});
	if (mounted.code !== 0) {
		t.skip("a small file system cannot be mounted here: that takes root");
		return;
	}
	try {
		const { resolver, kept } = makeResolver({ data_dir: small });
		const before = await direct(resolver, "npx tiny");
		await writeFile(join(small, "filler"), Buffer.alloc(256 * 1024)).catch(() => undefined);
		assert.equal((await fault(resolver, "npx twins")).why, "disk_full");
		assert.equal((await fault(resolver, "npx tiny", { update: true })).why, "disk_full");
		assert.deepEqual(await direct(resolver, "npx tiny"), before);
		assert.equal(await output(before), "cli");
		await rm(join(small, "filler"));
		assert.equal(await output(await direct(resolver, "npx twins")), "cli");
		assert.equal((await kept()).length, 2);
	} finally {
		await runOnce(systemClock, {
			program: "umount",
			args: [small],
			env: { PATH },
			deadline_ms: 10_000,
		});
	}
});

test("what the server's project has installed is run from there, as npx would", async () => {
	const { resolver } = makeResolver({ spawner: no_spawner });
	const project = join(root, "project");
	await mkdir(join(project, "node_modules", ".bin"), { recursive: true });
	await mkdir(join(project, "deep", "er"), { recursive: true });
	await writeFile(join(project, "tool.js"), "#!/usr/bin/env node\n");
	await symlink("../../tool.js", join(project, "node_modules", ".bin", "local-tool"));
	const spec = stdio("npx -y local-tool x", { cwd: join(project, "deep", "er") });
	const result = await resolve(resolver, spec);
	assert(result.ok);
	assert.equal(result.value.command, node_path);
	assert.deepEqual(result.value.args, [join(project, "tool.js"), "x"]);
});
