import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import { packageScene } from "../../../test/support/package-scene.ts";
import type { StdioSpec } from "../../config/plan.ts";
import { client_running } from "../../config/running.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import { runOnce } from "../process/run-once.ts";
import type { Resolved } from "../resolved.ts";
import { confined } from "./confine.ts";
import type { PackageResolver } from "./resolve.ts";
import { runProgram } from "./run-program.ts";

const scene = await packageScene("fast");
const { root, PATH, spawner, makeResolver, stdio } = scene;
after(() => scene.close());

function planOf(bundle: boolean, mode: "off" | "on") {
	const sandbox = { ...client_running.sandbox, mode };
	return { ...client_running, sandbox, packages: { scripts: [], bundle } };
}

/** A server as it is resolved for a plan. */
async function resolve(
	resolver: PackageResolver,
	spec: StdioSpec,
	bundle = false,
	mode: "off" | "on" = "on",
): Promise<Resolved & { spec: StdioSpec }> {
	const result = await resolver.resolve(spec, {
		server: "it",
		plan: planOf(bundle, mode),
		progress: () => {},
	});
	assert(result.ok, result.ok ? "" : result.problem.message);
	return result.value as Resolved & { spec: StdioSpec };
}

async function run(spec: StdioSpec) {
	const { command: program, args, cwd } = spec;
	const all = { PATH, ...spec.env };
	return await runOnce(systemClock, { program, args, env: all, cwd, deadline_ms: 60_000 });
}

const no_spawner: Spawner = {
	spawn: () => Promise.reject(new Error("something was started")),
};

for (const mode of ["off", "on"] as const) {
	test(`the compiled code is there before the first start, sandbox ${mode}`, async () => {
		const { resolver, data_dir } = makeResolver();
		const resolved = await resolve(resolver, stdio("npx mcp"), false, mode);
		const cache = resolved.spec.env["NODE_COMPILE_CACHE"] ?? "";
		assert(resolved.needs.includes(cache), "a sandbox lets it be read");
		assert.equal((await readdir(cache)).length, 1);
		const plan = planOf(false, mode);
		const tools = { data_dir, spawner, clock: systemClock, random: systemRandom };
		const server = { server: "it", plan, needs: resolved.needs };
		const ran = await confined(tools, server, join(root, `volume-${mode}`), (confinement) =>
			runProgram(spawner, systemClock, {
				...resolved.spec,
				env: { ...resolved.spec.env, NODE_DEBUG_NATIVE: "COMPILE_CACHE" },
				server: "it",
				confinement,
				deadline_ms: 60_000,
				signal: new AbortController().signal,
			}),
		);
		assert(ran.ok && ran.value.code === 0);
		assert.match(ran.value.stdout + ran.value.stderr, /server\.mjs was accepted/u);
		// From now on nothing has to be run for it.
		const later = makeResolver({ data_dir, spawner: no_spawner }).resolver;
		assert.deepEqual(await resolve(later, stdio("npx mcp"), false, mode), resolved);
	});
}

test("the run that fills the cache gets nothing of the server's environment", async () => {
	const { resolver } = makeResolver();
	const spec = stdio("npx spy", { env: { TOKEN: "a secret" } });
	const resolved = await resolve(resolver, spec);
	assert.equal(resolved.spec.env["TOKEN"], "a secret");
	const cache = resolved.spec.env["NODE_COMPILE_CACHE"] ?? "";
	const spied = JSON.parse(await readFile(join(cache, "spied.json"), "utf8"));
	assert.equal(spied.TOKEN, undefined);
	assert.equal(spied.NODE_COMPILE_CACHE, cache);
	assert.deepEqual(
		Object.keys(spied).filter((name) => name.startsWith("FAKE_")),
		[],
	);
});

test("a program that goes on without its input leaves its compiled code too", async () => {
	const { resolver } = makeResolver();
	const resolved = await resolve(resolver, stdio("npx staying"));
	const [folder = ""] = await readdir(resolved.spec.env["NODE_COMPILE_CACHE"] ?? "");
	const cache = join(resolved.spec.env["NODE_COMPILE_CACHE"] ?? "", folder);
	assert((await readdir(cache)).length > 0);
});

test("a cache of the server's own, or none, is left as it is configured", async () => {
	const { resolver } = makeResolver();
	for (const env of [{ NODE_COMPILE_CACHE: "/own" }, { NODE_DISABLE_COMPILE_CACHE: "1" }]) {
		const resolved = await resolve(resolver, stdio("npx mcp", { env }));
		assert.deepEqual(resolved.spec.env, env);
	}
});

test("a start that cannot be prepared is a start all the same", async () => {
	const { resolver, data_dir } = makeResolver();
	const resolved = await resolve(resolver, stdio("npx mcp"));
	await rm(join(data_dir, "packages", "prepared"), { recursive: true });
	await writeFile(join(data_dir, "packages", "prepared"), "in the way");
	const unprepared = await resolve(resolver, stdio("npx mcp"));
	assert.deepEqual(unprepared.spec, { ...resolved.spec, env: {} });
	assert.equal((await run(unprepared.spec)).code, 0);
});

test("a bundle is used when the server offers the same with it", async () => {
	const { resolver, data_dir } = makeResolver();
	const plain = await resolve(resolver, stdio("npx mcp"));
	const bundled = await resolve(resolver, stdio("npx mcp"), true);
	assert.deepEqual(
		bundled.notes.filter((note) => note.includes("bundle")),
		[],
	);
	const file = bundled.spec.args[0] ?? "";
	assert.match(basename(file), /^\.moorage-bundle-[0-9a-f]{16}\.mjs$/u);
	assert.equal(dirname(file), dirname(plain.spec.args[0] ?? ""));
	assert.notEqual(bundled.spec.env["NODE_COMPILE_CACHE"], plain.spec.env["NODE_COMPILE_CACHE"]);
	assert.equal((await run(bundled.spec)).code, 0);
	// The identity is that of the package: the bundle is made of nothing else.
	assert.deepEqual(bundled.identity, plain.identity);
	const later = makeResolver({ data_dir, spawner: no_spawner }).resolver;
	assert.deepEqual(await resolve(later, stdio("npx mcp"), true), bundled);
	assert.match(await readFile(join(data_dir, "moorage.lock"), "utf8"), /"npm:esbuild@/u);
});

test("servers of one package that are prepared at the same time all have the bundle", async () => {
	const { resolver, data_dir } = makeResolver();
	const resolved = await Promise.all(
		["npx mcp", "npx mcp --one", "npx mcp --two", "npx mcp --three"].map((command, index) =>
			resolve(resolver, stdio(command), true, index < 3 ? "on" : "off"),
		),
	);
	for (const { spec, notes } of resolved) {
		assert.match(basename(spec.args[0] ?? ""), /^\.moorage-bundle-/u, notes.join("\n"));
		assert.equal((await readdir(spec.env["NODE_COMPILE_CACHE"] ?? "")).length, 1);
	}
	const [prepared = ""] = await readdir(join(data_dir, "packages", "prepared"));
	const folders = await readdir(join(data_dir, "packages", "prepared", prepared));
	const kinds = folders.map((name) => name.replace(/-.*$/u, "")).sort();
	assert.deepEqual(kinds, ["bundle", "cache", "cache"], "one cache for each kind of sandbox");
});

test("a bundle that cannot be made, or that changes the server, is not used", async () => {
	const { resolver, data_dir } = makeResolver();
	const table: [string, RegExp][] = [
		["npx mcp-odd", /does not offer the same tools/u],
		["npx mcp-unbundlable", /cannot make one file of it/u],
		["npx tiny", /does not answer without it/u],
	];
	for (const [command, reason] of table) {
		const resolved = await resolve(resolver, stdio(command), true);
		assert.match(resolved.spec.args[0] ?? "", /(?:server\.mjs|cli\.js)$/u);
		assert.match(resolved.notes.join("\n"), reason);
		const entries = await readdir(dirname(resolved.spec.args[0] ?? ""));
		assert.deepEqual(
			entries.filter((name) => name.startsWith(".moorage")),
			[],
		);
		// It is not tried at every start of the gateway.
		const later = makeResolver({ data_dir, spawner: no_spawner }).resolver;
		assert.deepEqual((await resolve(later, stdio(command), true)).notes, resolved.notes);
	}
});

test("without the bundler a server runs as it is", async () => {
	const { resolver, setRegistry } = makeResolver();
	const plain = await resolve(resolver, stdio("npx mcp"));
	await setRegistry({ offline: true });
	const resolved = await resolve(resolver, stdio("npx mcp"), true);
	assert.deepEqual(resolved.spec, plain.spec);
	assert.match(resolved.notes.join("\n"), /without a bundle: esbuild@\S+ could not be installed/u);
});

test("what nobody needs any more is removed, and never what was handed out", async () => {
	const one = makeResolver();
	const kept = await resolve(one.resolver, stdio("npx tiny@1.0.0"));
	await resolve(one.resolver, stdio("npx tiny@2.0.0"));
	await resolve(one.resolver, stdio("npx mcp"));
	assert.deepEqual(await one.resolver.keep([]), []);
	assert(kept.identity !== undefined);
	const later = makeResolver({ data_dir: one.data_dir });
	await resolve(later.resolver, stdio("npx mcp"));
	const removed = await later.resolver.keep([kept.identity]);
	assert.equal(removed.length, 1);
	assert.match(removed[0] ?? "", /^tiny@2\.0\.0-/u);
	const left = (await one.kept()).map((name) => name.replace(/-.*$/u, "")).sort();
	assert.deepEqual(left, ["mcp@1.0.0", "tiny@1.0.0"]);
	const prepared = await readdir(join(one.data_dir, "packages", "prepared"));
	assert.equal(prepared.length, 2);
	assert.deepEqual(await later.resolver.keep([kept.identity]), []);
	// It is still locked, and comes back as it was.
	const back = await resolve(later.resolver, stdio("npx tiny@2.0.0"));
	assert.equal(back.identity?.version, "2.0.0");
});
