import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { MemoryImageLock } from "../../../test/support/memory-image-lock.ts";
import { engineKind, startTestEngine } from "../../../test/support/test-engine.ts";
import {
	callTool,
	faultOf,
	openUpstream,
	Recorder,
	recordingContext,
	taken,
	textOf,
} from "../../../test/support/upstream-harness.ts";
import type { ContainerSpec, ResourcePlan, SandboxPlan } from "../../config/plan.ts";
import { declared_running } from "../../config/running.ts";
import { diskWatchOf } from "../../daemon/containers.ts";
import { Watchdog } from "../../hosting/process/watchdog.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Confinement } from "../driver.ts";
import { stdioDriver } from "../stdio/driver.ts";
import type { ContainerChild } from "./container-child.ts";
import { Containers, type ContainersOptions } from "./containers.ts";
import { containerDriverWith } from "./driver.ts";
import { Engine } from "./engine.ts";
import { labels } from "./labels.ts";
import { resolveImage } from "./resolve-image.ts";

const kind = engineKind();
const started = await startTestEngine();
if ("skip" in started) test("containers", { skip: started.skip }, () => {});
else after(() => started.stop());
/** Every test below is left out where there is no engine. */
const docker = "skip" in started ? undefined : started;
const options = { skip: docker === undefined && "see above" };
const powers = await docker?.engine.powers();
const missing = powers?.ok === true ? powers.value.missing : [];
const limited = {
	skip: options.skip || (missing.length > 0 && `this engine cannot limit ${missing.join(", ")}`),
};
/** A rootless engine freezes by control groups of version 2 alone. */
const pausing = {
	skip: options.skip || (kind === "rootless" && missing.length > 0 && "this engine cannot pause"),
};
/** The user of containers: the gateway's, where that is not root; else nobody. */
const { uid, gid } = docker?.owner ?? { uid: 65_534, gid: 65_534 };

let folders = 0;
let owners = 0;

function bench({
	owner_id = `owner-${(owners += 1)}`,
	watchDisk,
	hidden,
}: Partial<ContainersOptions> = {}) {
	assert.ok(docker !== undefined);
	const { engine, owner: self } = docker;
	const parts = { clock: systemClock, random: systemRandom, owner_id, self };
	const containers = new Containers({ engine, ...parts, watchDisk, hidden });
	return {
		docker,
		engine,
		containers,
		owner_id,
		driver: containerDriverWith(containers, stdioDriver),
	};
}

async function confine(
	over: {
		resources?: Partial<ResourcePlan>;
		sandbox?: Partial<SandboxPlan>;
		untrusted?: boolean;
	} = {},
): Promise<Confinement> {
	assert.ok(docker !== undefined);
	folders += 1;
	const volume = join(docker.folder, `volume-${folders}`);
	await mkdir(volume, { mode: 0o700 });
	if (docker.owner !== undefined) await chown(volume, uid, gid);
	return {
		sandbox: { ...declared_running.sandbox, ...over.sandbox },
		untrusted: over.untrusted ?? false,
		resources: { ...declared_running.resources, ...over.resources },
		volume,
		temp: join(docker.folder, "unused"),
		instance: `fixture/shared/${folders}`,
		needs: [],
	};
}

function specOf(...args: string[]): ContainerSpec {
	return { driver: "container", image: docker?.image ?? "", args: ["/bin/node", ...args], env: {} };
}

/** Runs a script in a container to its end and gives what it printed. */
async function runScript(t: TestContext, script: string, confinement: Confinement) {
	const { containers } = bench();
	const child = await start(t, containers, specOf("-e", script), confinement);
	const printed = { stdout: "", stderr: "" };
	child.stdout.on("data", (chunk: Buffer) => {
		printed.stdout += chunk.toString();
	});
	child.stderr.on("data", (chunk: Buffer) => {
		printed.stderr += chunk.toString();
	});
	const ended = new Promise((resolve) => child.stdout.once("close", resolve));
	const exit = await child.exited;
	await Promise.all([child.gone, ended]);
	return { ...printed, exit, child };
}

async function start(
	t: TestContext,
	containers: Containers,
	spec: ContainerSpec,
	confinement: Confinement | undefined,
): Promise<ContainerChild> {
	let child: ContainerChild | undefined;
	const spawner = containers.spawnerOf(spec, confinement, (made) => {
		child = made;
	});
	taken(await spawner.spawn({ server: "fixture", command: "", args: [], env: {}, cwd: "/" }));
	t.after(() => child?.stop(0));
	assert.ok(child !== undefined);
	return child;
}

function contextOf(engine: Engine, progress: (line: string) => void) {
	const lock = new MemoryImageLock();
	return { engine, lock, server: "fixture", random: systemRandom, progress };
}

async function listOf(engine: Engine, owner_id: string) {
	const listed = await engine.list(`${labels.owner}=${owner_id}`);
	assert.ok(listed.ok);
	return listed.value;
}

test("what a container prints comes apart, and its exit code with it", options, async (t) => {
	const script = `process.stdout.write("out"); process.stderr.write("err"); process.exitCode = 3`;
	const { stdout, stderr, exit, child } = await runScript(t, script, await confine());
	assert.deepEqual(
		{ stdout, stderr, exit },
		{ stdout: "out", stderr: "err", exit: { code: 3, signal: null } },
	);
	assert.equal(child.end_reason(), undefined);
});

test(
	"it is nobody, without capabilities, and can write its volume and /tmp only",
	options,
	async (t) => {
		const script = `
		const fs = require("fs"), os = require("os");
		const tried = (path) => { try { fs.writeFileSync(path, "x"); return "yes" } catch (e) { return e.code } };
		const status = fs.readFileSync("/proc/self/status", "utf8");
		console.log(JSON.stringify({
			uid: process.getuid(), gid: process.getgid(),
			caps: /CapEff:\\s*(\\S+)/.exec(status)[1], no_new_privs: /NoNewPrivs:\\s*(\\S+)/.exec(status)[1],
			seccomp: /Seccomp:\\s*(\\S+)/.exec(status)[1],
			root: tried("/x"), bin: tried("/bin/x"), tmp: tried("/tmp/x"), volume: tried("/volume/x"),
			nets: Object.keys(os.networkInterfaces()), env: process.env, pid_1: fs.readFileSync("/proc/1/comm", "utf8"),
		}));`;
		const confinement = await confine();
		const seen = JSON.parse((await runScript(t, script, confinement)).stdout);
		const { env, pid_1, ...rest } = seen;
		assert.deepEqual(rest, {
			uid,
			gid,
			caps: "0000000000000000",
			no_new_privs: "1",
			seccomp: "2",
			root: "EROFS",
			bin: "EROFS",
			tmp: "yes",
			volume: "yes",
			nets: ["lo"],
		});
		assert.equal(env.HOME, "/volume");
		assert.equal(env.MOORAGE_VOLUME, "/volume");
		assert.doesNotMatch(pid_1, /node/);
		assert.equal((await stat(join(confinement.volume, "x"))).uid, uid);
	},
);

test("its volume outlives it, and the paths it may read cannot be written", options, async (t) => {
	assert.ok(docker !== undefined);
	const shared = join(docker.folder, "shared");
	await mkdir(shared);
	t.after(() => rm(shared, { recursive: true }));
	await writeFile(join(shared, "note"), "seen");
	const confinement = await confine({ sandbox: { read: [shared] } });
	await runScript(t, `require("fs").writeFileSync("/volume/kept", "kept")`, confinement);
	const script = `
		const fs = require("fs");
		const shared = ${JSON.stringify(shared)};
		process.stdout.write(fs.readFileSync("/volume/kept", "utf8") + fs.readFileSync(shared + "/note", "utf8"));
		try { fs.writeFileSync(shared + "/note", "changed") } catch (e) { process.stdout.write(e.code) }`;
	assert.equal((await runScript(t, script, confinement)).stdout, "keptseenEROFS");
	assert.equal(await readFile(join(shared, "note"), "utf8"), "seen");
});

test("it sees nothing of the gateway in what it is given", options, async (t) => {
	assert.ok(docker !== undefined);
	const project = join(docker.folder, "project");
	const data = join(project, "state", "data");
	const config = join(project, ".vscode", "mcp.json");
	await Promise.all([
		mkdir(data, { recursive: true }),
		mkdir(dirname(config), { recursive: true }),
	]);
	for (const file of [join(data, "moorage.db"), config]) await writeFile(file, "canary");
	if (docker.owner !== undefined) {
		for (const path of [project, dirname(data), dirname(config)]) await chown(path, uid, gid);
	}
	for (const path of [project, dirname(data), dirname(config)]) await chmod(path, 0o777);
	t.after(() => rm(project, { recursive: true }));
	const { containers } = bench({ hidden: [data, config] });
	const script = `
		const fs = require("fs"), tried = {};
		const attempt = (name, work) => {
			try { tried[name] = String(work() ?? "done") } catch (error) { tried[name] = error.code }
		};
		const [project, data, config] = ${JSON.stringify([project, data, config])};
		attempt("database", () => fs.readFileSync(data + "/moorage.db", "utf8"));
		attempt("configuration", () => fs.readFileSync(config, "utf8"));
		attempt("move", () => fs.renameSync(project + "/.vscode", project + "/.moved"));
		attempt("move data", () => fs.renameSync(project + "/state", project + "/moved"));
		attempt("replace", () => fs.unlinkSync(config));
		attempt("write", () => fs.writeFileSync(project + "/own", "own"));
		console.log(JSON.stringify(tried));`;
	const confinement = await confine({ sandbox: { write: [project] } });
	const child = await start(t, containers, specOf("-e", script), confinement);
	let printed = "";
	child.stdout.on("data", (chunk: Buffer) => {
		printed += chunk.toString();
	});
	await Promise.all([new Promise((resolve) => child.stdout.once("close", resolve)), child.gone]);
	const { configuration, ...tried } = JSON.parse(printed) as Record<string, string>;
	assert.doesNotMatch(configuration ?? "", /canary/u);
	assert.deepEqual(tried, {
		database: "ENOENT",
		move: "EBUSY",
		"move data": "EBUSY",
		replace: "EBUSY",
		write: "done",
	});
	assert.equal(await readFile(config, "utf8"), "canary");
});

test("a limit that the engine drops is told of, and refused to whoever insists on it", {
	skip: options.skip || (missing.length === 0 && "this engine can limit everything"),
}, async (t) => {
	const resources = { memory_bytes_max: 96 * 1024 ** 2, processes_max: 40 };
	const { child, exit } = await runScript(t, "", await confine({ resources }));
	assert.equal(exit.code, 0);
	assert.match(
		child.notes().join("\n"),
		/^it has no limit on memory and processes: the container engine cannot set it\. A rootless/mu,
	);
	const { driver, engine, owner_id } = bench({ watchDisk: () => () => {} });
	const required = await confine({ resources: { ...resources, required: true } });
	const fault = await openFault(driver, specOf("/servers/echo.mjs"), required);
	assert.match(fault.message, /"fixture" has no limit on memory and processes/);
	assert.deepEqual(await listOf(engine, owner_id), []);
});

test("running out of memory is named as that", limited, async (t) => {
	const confinement = await confine({ resources: { memory_bytes_max: 96 * 1024 ** 2 } });
	const script = `const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1))`;
	const { child, exit } = await runScript(t, script, confinement);
	// This Podman does not say why the kernel ended it.
	const reason =
		kind === "docker" ? /^ran out of memory \(limit 96MiB\)$/ : /of memory \(limit 96MiB\)$/;
	assert.match(child.end_reason() ?? "", reason);
	assert.notEqual(exit.code, 0);
});

test("forking, filling the disk and writing large files end at the limits", limited, async (t) => {
	const confinement = await confine({
		resources: { processes_max: 40, file_bytes_max: 1024 ** 2, disk_bytes_max: 2 * 1024 ** 2 },
	});
	const script = `
		const { spawnSync, spawn } = require("child_process"), fs = require("fs");
		process.on("SIGXFSZ", () => {});
		const fill = (path) => {
			let total = 0;
			try { for (;;) { fs.appendFileSync(path, Buffer.alloc(1 << 16)); total += 1 << 16 } }
			catch (e) { return [e.code, total] }
		};
		const file = fill("/volume/large");
		let temp = 0;
		for (let n = 0; n < 5; n += 1) temp += fill("/tmp/f" + n)[1];
		let children = 0, refused = "";
		const more = () => {
			const child = spawn("/bin/node", ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" });
			child.once("spawn", () => { children += 1; if (children < 60) more(); else done() });
			child.once("error", (e) => { refused = e.code; done() });
		};
		const done = () => { console.log(JSON.stringify({ file, temp, children, refused })); process.exit() };
		more();`;
	const { stdout } = await runScript(t, script, confinement);
	const { file, temp, children, refused } = JSON.parse(stdout);
	assert.deepEqual(file, ["EFBIG", 1024 ** 2]);
	assert.ok(temp <= 2 * 1024 ** 2, `${temp} bytes`);
	assert.equal(refused, "EAGAIN");
	assert.ok(children < 40, `${children} processes`);
});

test("a server that cannot be paused stays awake, and answers", {
	skip: options.skip || (pausing.skip === false && "this engine can pause"),
}, async (t) => {
	const { driver } = bench();
	const confinement = await confine();
	const { upstream } = await openUpstream(driver, specOf("/servers/slow.mjs"), { confinement });
	t.after(() => upstream.close());
	assert.equal(await upstream.hibernation?.freeze(), false);
	assert.equal(textOf(await callTool(upstream, "wait", { ms: 1 })), "waited 1 ms");
});

test(
	"what is paused does not answer until it is woken, and uses no processor",
	pausing,
	async (t) => {
		const { driver } = bench();
		const confinement = await confine();
		const { upstream } = await openUpstream(driver, specOf("/servers/slow.mjs"), { confinement });
		t.after(() => upstream.close());
		const { hibernation } = upstream;
		assert.ok(hibernation !== undefined);
		assert.equal(await hibernation.freeze(), true);
		assert.equal(await hibernation.freeze(), true);
		let answered = false;
		const call = callTool(upstream, "wait", { ms: 1 }).then((outcome) => {
			answered = true;
			return outcome;
		});
		const before = await hibernation.usage();
		const later = await hibernation.usage();
		assert.ok(before !== undefined && before.memory_bytes > 1024 ** 2 && before.processes >= 2);
		assert.equal(later?.cpu_ms, before.cpu_ms);
		assert.equal(await hibernation.reclaim(), 0);
		assert.equal(answered, false);
		await hibernation.thaw();
		await hibernation.thaw();
		assert.equal(textOf(await call), "waited 1 ms");
	},
);

test("what is paused is stopped all the same", pausing, async () => {
	const { driver, engine, owner_id } = bench();
	const { upstream, recorder } = await openUpstream(driver, specOf("/servers/echo.mjs"), {
		confinement: await confine(),
	});
	assert.equal(await upstream.hibernation?.freeze(), true);
	await upstream.close();
	assert.deepEqual(await listOf(engine, owner_id), []);
	assert.deepEqual(recorder.gone, []);
});

test(
	"a server that ignores every polite signal is removed with all it started",
	options,
	async () => {
		const { driver, engine, owner_id } = bench();
		const { upstream, recorder } = await openUpstream(driver, specOf("/servers/stubborn.mjs"), {
			stop_ms: 50,
		});
		await recorder.until(() => recorder.of("stderr").includes("stubborn: all up"));
		assert.equal((await listOf(engine, owner_id)).length, 1);
		await upstream.close();
		assert.deepEqual(await listOf(engine, owner_id), []);
	},
);

test("the limit on processors is set once the server is ready", options, async (t) => {
	const { driver, docker: own, engine, owner_id } = bench();
	const { upstream } = await openUpstream(driver, specOf("/servers/echo.mjs"), {
		confinement: await confine({ resources: { cpus_max: 0.5 } }),
	});
	t.after(() => upstream.close());
	if (kind !== "docker") {
		// Podman can change what runs since 4.4 only; what it cannot is never passed over in silence.
		const notes = upstream.isolation?.notes() ?? [];
		if (notes.some((note) => /limit on processors could not be set/.test(note))) return;
	}
	const [container] = await listOf(engine, owner_id);
	const { text } = await own.ask("GET", `/containers/${container?.id}/json`);
	const { CpuQuota, CpuPeriod } = JSON.parse(text).HostConfig;
	assert.equal(CpuQuota / CpuPeriod, 0.5);
});

test("what a dead gateway left is removed, what others have is not", options, async (t) => {
	const former = bench();
	await start(t, former.containers, specOf("/servers/stubborn.mjs"), undefined);
	const stranger = bench();
	await start(t, stranger.containers, specOf("/servers/echo.mjs"), undefined);
	const plain = JSON.stringify({ Image: former.docker.image, Cmd: ["/bin/node", "-v"] });
	const made = await former.docker.ask("POST", "/containers/create?name=plain", plain);
	assert.equal(made.status, 201);
	const next = bench({ owner_id: former.owner_id });
	const own = await start(t, next.containers, specOf("/servers/echo.mjs"), undefined);
	assert.equal((await listOf(former.engine, former.owner_id)).length, 2);
	assert.equal(await next.containers.sweep(), 1);
	assert.equal(await next.containers.sweep(), 0);
	const [left, ...others] = await listOf(former.engine, former.owner_id);
	assert.deepEqual(others, []);
	assert.equal(left?.labels[labels.server], "fixture");
	assert.equal((await listOf(stranger.engine, stranger.owner_id)).length, 1);
	assert.equal((await former.docker.ask("DELETE", "/containers/plain")).status, 204);
	await own.stop(1_000);
});

test("after the gateway's end nothing runs and nothing starts", options, async (t) => {
	const { containers, engine, owner_id, driver } = bench();
	const child = await start(t, containers, specOf("/servers/stubborn.mjs"), undefined);
	await containers.close();
	await child.gone;
	assert.deepEqual(await listOf(engine, owner_id), []);
	const fault = await openFault(driver, specOf("/servers/echo.mjs"));
	assert.equal(fault.code, "gateway_stopping");
});

test(
	"an image is resolved to its bytes, and runs by them when its name has gone",
	options,
	async (t) => {
		const { docker: own, engine, driver } = bench();
		const spec = { ...specOf("/servers/echo.mjs"), image: "moorage-test/passing:1" };
		await own.ask("POST", "/images/moorage-test/node:1/tag?repo=moorage-test/passing&tag=1");
		const context = contextOf(engine, () => assert.fail("no pull"));
		const { spec: resolved, digest, id } = taken(await resolveImage(spec, context));
		assert.match(resolved.image, /^sha256:[0-9a-f]{64}$/);
		// Podman gives every image a digest; in Docker it is a registry's.
		assert.equal(digest === undefined, kind === "docker");
		assert.equal(resolved.image, id);
		await own.ask("DELETE", "/images/moorage-test/passing:1");
		assert.equal((await openFault(driver, spec)).code, "server_failed");
		const { upstream } = await openUpstream(driver, resolved);
		t.after(() => upstream.close());
		assert.equal(textOf(await callTool(upstream, "echo", { text: "by digest" })), "by digest");
	},
);

test("an image that cannot be had says so, with what to look at", options, async () => {
	const { engine } = bench();
	// Nothing listens there, and the engine asks nobody else for a name with a host in it.
	const spec = { ...specOf(), image: "127.0.0.1:9/none:1" };
	const told: string[] = [];
	const context = contextOf(engine, (line) => told.push(line));
	const fault = faultOf(await resolveImage(spec, context));
	assert.equal(fault.code, "install_failed");
	assert.match(
		fault.message,
		/"fixture".*refused.*Check the name of the image 127\.0\.0\.1:9\/none:1/s,
	);
	assert.deepEqual(told, ["fetching the image 127.0.0.1:9/none:1"]);
});

test("a missing engine is told with where it was looked for and what to do", async () => {
	const engine = new Engine({ DOCKER_HOST: "unix:///no/such.sock" }, systemClock);
	const parts = { clock: systemClock, random: systemRandom, owner_id: "none", self: undefined };
	const containers = new Containers({ engine, ...parts });
	const fault = await openFault(containerDriverWith(containers, stdioDriver), specOf());
	assert.equal(fault.code, "command_missing");
	assert.match(fault.message, /"fixture".*\/no\/such\.sock.*Start Docker or Podman/);
	const context = contextOf(engine, () => {});
	assert.equal(faultOf(await resolveImage(specOf(), context)).code, "command_missing");
	assert.equal(await containers.sweep(), 0);
	await containers.close();
});

test("what the engine cannot start leaves no container", options, async () => {
	const { driver, engine, owner_id } = bench();
	const missing = await openFault(driver, { ...specOf(), args: ["/no/such/program"] });
	assert.match(missing.message, /exited with code (127|1) /);
	const sandbox = { read: ["/no/such/folder"] };
	const unbound = await openFault(driver, specOf(), await confine({ sandbox }));
	assert.match(unbound.message, /"fixture" is to be given \/no\/such\/folder, which is not there/);
	assert.equal(existsSync("/no"), false, "and nobody makes it");
	const runtime = await openFault(driver, { ...specOf(), runtime: "no-such-runtime" });
	assert.match(runtime.message, /no-such-runtime.*leave `runtime` out/s, "it runs with no other");
	assert.deepEqual(await listOf(engine, owner_id), []);
});

test(
	"a volume that is filled over its limit ends its container, with the reason",
	options,
	async (t) => {
		const watchdog = new Watchdog(systemClock);
		t.after(() => watchdog.close());
		const { containers } = bench({ watchDisk: diskWatchOf(watchdog) });
		const resources = { disk_bytes_max: 8 * 1024 ** 2, required: missing.length === 0 };
		const script = `
		const fs = require("fs");
		for (let n = 0; n < 12; n += 1) fs.writeFileSync("/volume/f" + n, Buffer.alloc(1 << 20));
		setInterval(() => {}, 1e6);`;
		const child = await start(t, containers, specOf("-e", script), await confine({ resources }));
		await child.gone;
		assert.equal(child.end_reason(), "used up its disk space (limit 8MiB)");
	},
);

test("what nobody looks after is refused to whoever insists on it", options, async () => {
	const { driver } = bench();
	const open = async (over: Parameters<typeof confine>[0]) =>
		await openFault(driver, specOf("/servers/echo.mjs"), await confine(over));
	assert.match((await open({ resources: { required: true } })).message, /disk limit/);
});

async function openFault(
	driver: ReturnType<typeof containerDriverWith>,
	spec: ContainerSpec,
	confinement?: Confinement,
) {
	return faultOf(await driver.open(spec, recordingContext(new Recorder(), { confinement })));
}
