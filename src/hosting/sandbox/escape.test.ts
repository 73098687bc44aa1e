import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { makeSpawner, startHosted } from "../../../test/support/hosted-child.ts";
import type { Attempt } from "../../../test/support/sandboxed.ts";
import { sandboxed, sandboxObstacle, tryEscapes } from "../../../test/support/sandboxed.ts";

/** A text that nothing in a sandbox may ever see. */
const canary = "canary-7f3b1d";

describe("a hosted program that wants out", { skip: await sandboxObstacle() }, () => {
	const listener = createServer((socket) => socket.end(canary));
	let spawner: Awaited<ReturnType<typeof makeSpawner>>;
	let home = "";
	let own: string;

	before(async () => {
		home = await mkdtemp(join(tmpdir(), "moorage-home-"));
		await writeFile(join(home, "id_ed25519"), canary);
		spawner = await makeSpawner({
			environment: { PATH: process.env["PATH"], HOME: home },
			hidden: [join(home, "moorage.yaml")],
		});
		own = join(spawner.data_dir, "volumes", "it");
		await mkdir(join(spawner.data_dir, "volumes", "other"), { recursive: true });
		await writeFile(join(spawner.data_dir, "volumes", "other", "secret"), canary);
		await writeFile(join(spawner.data_dir, "moorage.db"), canary);
		await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
	});

	after(async () => {
		listener.close();
		await spawner?.[Symbol.asyncDispose]();
		// Hooks run for a skipped suite too.
		if (home !== "") await rm(home, { recursive: true, force: true });
	});

	/** Everything is denied, and for a reason that fits. */
	async function allDenied(attempts: readonly Attempt[], why: RegExp): Promise<void> {
		const results = await tryEscapes(spawner, sandboxed(own), attempts);
		assert.deepEqual(
			Object.keys(results),
			attempts.map(({ name }) => name),
		);
		for (const [name, result] of Object.entries(results)) {
			assert.match(result, /^denied: /u, `${name} ${result}`);
			assert.match(result, why, `${name} ${result}`);
		}
	}

	test("does not see the user's home, the machine's accounts and keys, or the gateway", async () => {
		const files = ["/etc/shadow", "/etc/ssh", "/etc/machine-id", "/var/lib", "/sys", "/boot"];
		const data = ["moorage.db", "run", "volumes/other/secret"].map((name) =>
			join(spawner.data_dir, name),
		);
		const paths = [...files, ...data, join(home, "id_ed25519")];
		await allDenied(
			paths.flatMap((path) => [
				{ name: `read ${path}`, kind: "read", path },
				{ name: `list ${path}`, kind: "list", path },
			]),
			/ENOENT/u,
		);
	});

	test("sees itself alone among the processes", async () => {
		const neighbour = await startHosted(spawner, {
			args: ["-e", "process.stdin.resume()"],
			env: { SECRET: canary },
			confinement: sandboxed(join(spawner.data_dir, "volumes", "neighbour")),
		});
		await allDenied(
			[
				{ name: "a neighbour's environment", kind: "environments", halves: ["SECRET=", canary] },
				{ name: "the gateway's files by its root", kind: "roots", path: "/etc/shadow" },
				{ name: "a signal to the gateway", kind: "signal", pid: process.pid },
				{ name: "a signal to a neighbour", kind: "signal", pid: neighbour.pid },
			],
			/in none|through none|ESRCH/u,
		);
		await neighbour.stop(0);
	});

	test("reaches no address: not the gateway's port, not the metadata service, no host", async () => {
		const { port } = listener.address() as AddressInfo;
		await allDenied(
			[
				{ name: "the gateway", kind: "connect", host: "127.0.0.1", port },
				{ name: "the metadata service", kind: "connect", host: "169.254.169.254", port: 80 },
				{ name: "a public host", kind: "connect", host: "192.0.2.1", port: 443 },
				{ name: "a private host", kind: "connect", host: "10.0.0.1", port: 80 },
				{ name: "Docker", kind: "connect", path: "/var/run/docker.sock" },
			],
			/ECONNREFUSED|ENETUNREACH|ENOENT/u,
		);
	});

	test("gets nowhere by links", async () => {
		const path = join(home, "id_ed25519");
		const inside = { own: join(own, "volume") };
		await allDenied(
			[
				{ name: "a symbolic link", kind: "symlink", path, ...inside },
				{ name: "a hard link", kind: "hardlink", path, ...inside },
				{ name: "a link through /proc", kind: "symlink", path: `/proc/1/root${path}`, ...inside },
				{ name: "a file above", kind: "read", path: join(own, "volume/../../other/secret") },
			],
			/ENOENT|EACCES/u,
		);
		assert.equal(await readFile(path, "utf8"), canary);
	});

	test("changes nothing of the system", async () => {
		await allDenied(
			[
				"/usr/bin/moorage-was-here",
				"/etc/hosts",
				"/etc/passwd",
				"/moorage-was-here",
				"/proc/sys/kernel/hostname",
				"/proc/sys/kernel/core_pattern",
				"/proc/sysrq-trigger",
			].map((path) => ({ name: path, kind: "write", path })),
			/EROFS|EACCES|ENOENT|EPERM/u,
		);
	});

	test("gains no rights: no namespace, no mount, no other user", async () => {
		const results = await tryEscapes(spawner, sandboxed(own), [
			{ name: "user namespace", kind: "run", program: "unshare", args: ["--user", "true"] },
			{ name: "mount", kind: "run", program: "mount", args: ["-t", "tmpfs", "none", "/tmp"] },
			{ name: "root", kind: "run", program: "setpriv", args: ["--reuid", "0", "true"] },
			{ name: "hostname", kind: "run", program: "hostname", args: ["mine"] },
		]);
		for (const [name, result] of Object.entries(results)) {
			assert.match(result, /^denied: /u, `${name} ${result}`);
		}
		const status = await tryEscapes(spawner, sandboxed(own), [
			{
				name: "status",
				kind: "run",
				program: "grep",
				args: ["-E", "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):", "/proc/self/status"],
			},
		]);
		assert.match(
			status["status"] ?? "",
			/CapEff:\t0{16}\nCapBnd:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2/u,
		);
		assert.doesNotMatch(status["status"] ?? "", /Uid:\t0\t/u);
	});

	test("has what is its own: its volume, which stays, and a temporary folder", async () => {
		const kept = join(own, "volume", "kept");
		const results = await tryEscapes(spawner, sandboxed(own), [
			{ name: "volume", kind: "write", path: kept },
			{ name: "temp", kind: "write", path: join(own, "temp", "passing") },
			{ name: "/tmp", kind: "write", path: "/tmp/passing-too" },
			{ name: "read again", kind: "read", path: kept },
		]);
		assert.equal(results["volume"], "reached: written");
		assert.equal(results["temp"], "reached: written");
		assert.equal(results["/tmp"], "reached: written");
		assert.match(await readFile(kept, "utf8"), /changed by a hosted server/u);
		assert.match(await readFile(join(own, "temp", "passing-too"), "utf8"), /changed/u);
	});
});
