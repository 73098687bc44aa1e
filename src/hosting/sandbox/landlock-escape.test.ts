import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTcp } from "../../../test/support/egress-scene.ts";
import { lineOf, makeSpawner, startHosted } from "../../../test/support/hosted-child.ts";
import { markedProcesses } from "../../../test/support/processes.ts";
import type { Attempt } from "../../../test/support/sandboxed.ts";
import {
	escape_program,
	runHosted,
	sandboxed,
	sandboxObstacle,
	tryEscapes,
} from "../../../test/support/sandboxed.ts";
import { systemClock } from "../../lib/clock.ts";
import { processEnvironment } from "../../lib/environment.ts";
import { systemRandom } from "../../lib/random.ts";
import { systemDial } from "../egress/dial.ts";
import { Egress } from "../egress/egress.ts";
import type { ContainmentMode } from "../process/containment.ts";
import { probeContainment } from "../process/containment.ts";
import { findProgram } from "../process/find-program.ts";
import { runOnce } from "../process/run-once.ts";

/** A text that no confined program may ever see. */
const canary = "canary-2c9e40";
const this_file = fileURLToPath(import.meta.url);
const stubborn = fileURLToPath(new URL("../../../test/servers/stubborn.mjs", import.meta.url));
const { PATH } = processEnvironment();
const obstacle = await sandboxObstacle("landlock");
const contained = await probeContainment({ environment: processEnvironment(), clock: systemClock });
const modes: readonly ContainmentMode[] =
	contained.obstacle === undefined ? ["pid-namespace", "watcher"] : ["watcher"];

/** Whoever hears this got out; it may hang up before it has heard all. */
function greet(socket: Socket): void {
	socket.on("error", () => {});
	socket.end(canary);
}

for (const containment of modes) {
	describe(`a program under Landlock that wants out (${containment})`, { skip: obstacle }, () => {
		const listener = createServer(greet);
		const unix_listener = createServer(greet);
		let spawner: Awaited<ReturnType<typeof makeSpawner>>;
		let home: string;
		let own: string;

		before(async () => {
			home = await mkdtemp(join(tmpdir(), "moorage-home-"));
			await writeFile(join(home, "id_ed25519"), canary, { mode: 0o600 });
			spawner = await makeSpawner({
				environment: { PATH, HOME: home },
				sandbox: "landlock",
				containment,
			});
			own = join(spawner.data_dir, "volumes", "it");
			await mkdir(join(spawner.data_dir, "volumes", "other"), { recursive: true });
			await writeFile(join(spawner.data_dir, "volumes", "other", "secret"), canary);
			await writeFile(join(spawner.data_dir, "moorage.db"), canary);
			await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
			await new Promise<void>((resolve) => unix_listener.listen(join(home, "socket"), resolve));
		});

		after(async () => {
			listener.close();
			unix_listener.close();
			await spawner?.[Symbol.asyncDispose]();
			await rm(home, { recursive: true, force: true });
		});

		/** Everything is denied, and for a reason that fits. */
		async function allDenied(attempts: readonly Attempt[], why: RegExp): Promise<void> {
			const results = await tryEscapes(spawner, sandboxed(own), attempts);
			assert.equal(Object.keys(results).length, attempts.length);
			for (const [name, result] of Object.entries(results)) {
				assert.match(result, /^denied: /u, `${name} ${result}`);
				assert.match(result, why, `${name} ${result}`);
			}
		}

		test("reads no home, no accounts' secrets, and nothing of the gateway or its neighbours", async () => {
			const files = [
				"/etc/shadow",
				"/etc/ssh",
				"/etc/machine-id",
				"/var/lib",
				"/sys",
				"/boot",
				"/",
			];
			const inside = ["moorage.db", "run", "sandbox/base.bpf", "volumes", "volumes/other/secret"];
			const data = inside.map((name) => join(spawner.data_dir, name));
			await allDenied(
				[...files, ...data, home, join(home, "id_ed25519"), tmpdir()].flatMap((path) => [
					{ name: `read ${path}`, kind: "read", path },
					{ name: `list ${path}`, kind: "list", path },
				]),
				/EACCES|ENOENT|ENOTDIR/u,
			);
		});

		test("gets nothing from other processes, and signals none", async () => {
			const neighbour = await startHosted(spawner, {
				args: ["-e", "process.stdin.resume()"],
				env: { SECRET: canary },
				confinement: sandboxed(join(spawner.data_dir, "volumes", "neighbour")),
			});
			await allDenied(
				[
					{ name: "a neighbour's environment", kind: "environments", halves: ["SECRET=", canary] },
					{ name: "the gateway's files by its root", kind: "roots", path: "/etc/shadow" },
					{ name: "the gateway's arguments", kind: "read", path: `/proc/${process.pid}/cmdline` },
					{ name: "a signal to the gateway", kind: "signal", pid: process.pid },
					{ name: "a signal to a neighbour", kind: "signal", pid: neighbour.pid },
				],
				/in none|through none|ESRCH|EPERM|EACCES|ENOENT/u,
			);
			await neighbour.stop(0);
		});

		test("reaches no address, by TCP, by datagrams or by the machine's own sockets", async () => {
			const { port } = listener.address() as AddressInfo;
			await allDenied(
				[
					{ name: "the gateway", kind: "connect", host: "127.0.0.1", port },
					{ name: "the metadata service", kind: "connect", host: "169.254.169.254", port: 80 },
					{ name: "IPv6", kind: "connect", host: "::1", port },
					{ name: "a datagram", kind: "datagram", host: "127.0.0.1", port: 53 },
					{ name: "a service of the user", kind: "connect", path: join(home, "socket") },
					{ name: "an abstract socket", kind: "connect", path: "\0moorage-abstract" },
				],
				/EAFNOSUPPORT|EINVAL/u,
			);
		});

		test("gets nowhere by links, and changes no modes outside", async () => {
			const path = join(home, "id_ed25519");
			const inside = { own: join(own, "volume") };
			await allDenied(
				[
					{ name: "a symbolic link", kind: "symlink", path, ...inside },
					{ name: "a hard link", kind: "hardlink", path, ...inside },
					{ name: "a link by /proc", kind: "symlink", path: `/proc/self/root${path}`, ...inside },
					{ name: "a file above", kind: "read", path: join(own, "volume/../../other/secret") },
					{ name: "modes", kind: "mode", path },
				],
				/EACCES|EXDEV|EPERM/u,
			);
			assert.equal(await readFile(path, "utf8"), canary);
			assert.equal(statSync(path).mode & 0o777, 0o600);
		});

		test("changes nothing of the system", async () => {
			await allDenied(
				[
					"/usr/bin/moorage-was-here",
					"/etc/hosts",
					"/moorage-was-here",
					join(tmpdir(), "moorage-was-here"),
					"/dev/shm/moorage-was-here",
					"/proc/sys/kernel/core_pattern",
				].map((path) => ({ name: path, kind: "write", path })),
				/EACCES|EPERM|EROFS|ENOENT/u,
			);
		});

		test("has no rights beyond its own, and gains none", async () => {
			const names = ["CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"];
			const results = await tryEscapes(spawner, sandboxed(own), [
				{ name: "user namespace", kind: "run", program: "unshare", args: ["--user", "true"] },
				{ name: "mount", kind: "run", program: "mount", args: ["-t", "tmpfs", "none", own] },
				{ name: "hostname", kind: "run", program: "hostname", args: ["mine"] },
				{ name: "status", kind: "status", names },
			]);
			const { status = "", ...others } = results;
			for (const [name, result] of Object.entries(others)) {
				assert.match(result, /^denied: /u, `${name} ${result}`);
			}
			assert.match(status, /CapPrm:\t0{16}\nCapEff:\t0{16}\n/u);
			assert.match(status, /NoNewPrivs:\t1\nSeccomp:\t2$/u);
		});

		test("has what is its own: its volume, which stays, and a temporary folder", async () => {
			const kept = join(own, "volume", "kept");
			const results = await tryEscapes(spawner, sandboxed(own), [
				{ name: "volume", kind: "write", path: kept },
				{ name: "temp", kind: "write", path: join(own, "temp", "passing") },
				{ name: "read again", kind: "read", path: kept },
				{ name: "a program", kind: "run", program: "sh", args: ["-c", "echo >/dev/null; ls /usr"] },
			]);
			for (const result of Object.values(results)) assert.match(result, /^reached: /u);
			assert.match(await readFile(kept, "utf8"), /changed by a hosted server/u);
		});

		test("sees a working folder that holds the gateway's files without them", async () => {
			const project = join(home, "project");
			const data_dir = join(project, ".moorage");
			mkdirSync(join(project, "parts"), { recursive: true });
			mkdirSync(data_dir);
			for (const name of ["moorage.yaml", ".env", ".moorage/moorage.db", "parts/part.txt"]) {
				writeFileSync(join(project, name), canary);
			}
			const hidden = [join(project, "moorage.yaml"), join(project, ".env")];
			await using other = await makeSpawner({ data_dir, hidden, sandbox: "landlock", containment });
			const attempts = ["moorage.yaml", ".env", ".moorage/moorage.db", "parts/part.txt"].map(
				(path) => ({ name: path, kind: "read", path }),
			);
			const list = { name: "list", kind: "list", path: ".moorage" };
			const write = { name: "write", kind: "write", path: "parts/part.txt" };
			const ended = await runHosted(other, {
				args: [escape_program],
				cwd: project,
				env: { ATTEMPTS: JSON.stringify([...attempts, list, write]) },
				confinement: sandboxed(join(data_dir, "volumes")),
			});
			assert.deepEqual(JSON.parse(ended.stdout), {
				"moorage.yaml": "denied: EACCES",
				".env": "denied: EACCES",
				".moorage/moorage.db": "denied: EACCES",
				"parts/part.txt": `reached: ${canary}`,
				list: "denied: EACCES",
				write: "denied: EACCES",
			});
			assert.match(ended.notes[0] ?? "", /runs under Landlock .* Its network is closed, /u);
			assert.match(ended.notes[1] ?? "", /project is given to it without .*moorage\.yaml/u);
		});

		test("is ended with all that it started", async () => {
			const child = await startHosted(spawner, {
				args: [stubborn],
				confinement: sandboxed(own),
			});
			await lineOf(child, "stubborn: all up");
			child.kill();
			await child.stop(0);
			assert.deepEqual(markedProcesses(spawner.marker_prefix), []);
		});

		test("reaches its proxy's port by TCP, and nothing else", async () => {
			const { port } = listener.address() as AddressInfo;
			const other = createServer(greet);
			await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
			const loopback = { port, env: { HTTP_PROXY: `http://127.0.0.1:${port}` } };
			const way = { binds: [], prefix: [], env: {}, loopback };
			const proxied = sandboxed(own, { mode: "on", egress: { kind: "public" } }, { way });
			const { port: other_port } = other.address() as AddressInfo;
			const results = await tryEscapes(spawner, proxied, [
				{ name: "proxy", kind: "connect", host: "127.0.0.1", port },
				{ name: "other", kind: "connect", host: "127.0.0.1", port: other_port },
				{ name: "datagram", kind: "datagram", host: "127.0.0.1", port },
				{ name: "unix", kind: "connect", path: join(home, "socket") },
				{ name: "listen", kind: "listen" },
			]);
			other.close();
			assert.deepEqual(results, {
				proxy: `reached: 127.0.0.1:${port}`,
				other: "denied: EACCES",
				datagram: "denied: EAFNOSUPPORT",
				unix: "denied: EAFNOSUPPORT",
				listen: "denied: EACCES",
			});
		});

		test("gets out through its own proxy, whose secret its client says by itself", async (t) => {
			const origin_port = await startTcp(t, (socket) => {
				socket.on("error", () => {});
				socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nout");
			});
			const egress = new Egress({
				folder: join(spawner.data_dir, "egress"),
				clock: systemClock,
				resolve: () => Promise.resolve(["8.8.8.8"]),
				dial: () => systemDial(["127.0.0.1"], origin_port),
				loopback: systemRandom,
			});
			t.after(() => egress.close());
			const plan = { kind: "public" } as const;
			const gate = await egress.open({ server: "it", plan, untrusted: false });
			const ended = await runHosted(spawner, {
				args: ["-e", 'fetch("http://api.example/").then((it) => it.text()).then(console.log)'],
				confinement: sandboxed(own, { mode: "on", egress: plan }, { way: gate?.way }),
			});
			assert.equal(ended.stdout, "out\n", ended.stderr);
			assert.equal(egress.report("it").used.length, 1);
		});

		test("has the network that an open one says", async () => {
			const { port } = listener.address() as AddressInfo;
			const open = sandboxed(own, { mode: "on", egress: { kind: "open" } });
			const results = await tryEscapes(spawner, open, [
				{ name: "TCP", kind: "connect", host: "127.0.0.1", port },
				{ name: "a datagram", kind: "datagram", host: "127.0.0.1", port: 9 },
				{ name: "a service of the user", kind: "connect", path: join(home, "socket") },
			]);
			assert.match(results["TCP"] ?? "", /^reached: /u);
			assert.match(results["a datagram"] ?? "", /^reached: /u);
			assert.match(results["a service of the user"] ?? "", /^denied: EAFNOSUPPORT/u);
		});
	});
}

test("all of this holds for a gateway of an ordinary user as well", {
	skip: obstacle || (await userObstacle()),
}, async () => {
	const outcome = await runAsNobody([this_file]);
	assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
	assert.match(outcome.stdout, /pass \d\d/u);
});

for (const kind of ["bubblewrap", "landlock"] as const) {
	const host = fileURLToPath(new URL("../../../test/support/setuid-host.ts", import.meta.url));
	const missing = await sandboxObstacle(kind === "landlock" ? kind : undefined);
	test(`a program that makes its user root does not under ${kind}`, {
		skip: missing || (await userObstacle()),
	}, async () => {
		const folder = await mkdtemp("/tmp/moorage-setuid-");
		try {
			const program = join(folder, "id");
			await copyFile("/usr/bin/id", program);
			await chmod(folder, 0o755);
			await chmod(program, 0o4755);
			const outcome = await runAsNobody([host, program, kind]);
			const told = { bare: "0", sandboxed: "65534" };
			assert.deepEqual(JSON.parse(outcome.stdout), told, outcome.stderr);
		} finally {
			await rm(folder, { recursive: true });
		}
	});
}

async function userObstacle(): Promise<string | false> {
	if (process.getuid?.() !== 0) {
		return "only root can try out what another user can do";
	}
	const look = `require("node:fs").accessSync(${JSON.stringify(this_file)})`;
	const outcome = await runAsNobody(["-e", look]);
	return outcome.code === 0 ? false : "setpriv is missing, or nobody cannot read this checkout";
}

/** Runs Node as the user who owns nothing, with a temporary folder of its own. */
async function runAsNobody(args: readonly string[]) {
	const nobody = 65_534;
	// The temporary folder of a test run is its own user's alone.
	const temp = await mkdtemp("/tmp/moorage-nobody-");
	await chown(temp, nobody, nobody);
	const setpriv = await findProgram("setpriv", { path: PATH, cwd: "/" });
	const ids = ["--reuid", String(nobody), "--regid", String(nobody), "--clear-groups"];
	try {
		return await runOnce(systemClock, {
			program: setpriv.ok ? setpriv.value : "setpriv",
			args: [...ids, process.execPath, ...args],
			env: { PATH: PATH ?? "", TMPDIR: temp, HOME: temp },
			cwd: "/",
			deadline_ms: 120_000,
		});
	} finally {
		await rm(temp, { recursive: true, force: true });
	}
}
