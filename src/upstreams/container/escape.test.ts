import assert from "node:assert/strict";
import { chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { startTestEngine } from "../../../test/support/test-engine.ts";
import { taken } from "../../../test/support/upstream-harness.ts";
import { declared_running } from "../../config/running.ts";
import { waysOutOf } from "../../daemon/containers.ts";
import { Egress } from "../../hosting/egress/egress.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Confinement } from "../driver.ts";
import type { ContainerChild } from "./container-child.ts";
import { Containers } from "./containers.ts";
import type { OpenWayOut } from "./way-out.ts";

/** What a hostile server tries; every attempt is told by its outcome. */
const probe = `
	const fs = require("fs"), net = require("net");
	const [secret, neighbour, port, pid] = JSON.parse(process.env.TARGETS);
	const tried = {};
	const attempt = (name, work) => {
		try { tried[name] = String(work() ?? "done") } catch (error) { tried[name] = error.code ?? error.message }
	};
	const reads = { secret, neighbour, shadow: "/etc/shadow", host_root: "/proc/1/root" + secret };
	for (const [name, path] of Object.entries(reads)) attempt("read " + name, () => fs.readFileSync(path, "utf8"));
	attempt("symlink out", () => {
		fs.symlinkSync(secret, "/volume/link");
		return fs.readFileSync("/volume/link", "utf8");
	});
	attempt("hard link out", () => fs.linkSync("/proc/1/root" + secret, "/volume/hard"));
	attempt("climb", () => fs.readFileSync("/volume/../../../../.." + secret, "utf8"));
	attempt("signal a stranger", () => process.kill(pid, 9));
	attempt("signal everybody outside", () => process.kill(2 ** 22, 0));
	attempt("become root", () => process.setuid(0));
	attempt("write the kernel", () => fs.writeFileSync("/proc/sys/kernel/hostname", "x"));
	attempt("write a control group", () => fs.mkdirSync("/sys/fs/cgroup/memory/x"));
	attempt("engine's socket", () => fs.statSync("/var/run/docker.sock"));
	const reach = (name, options) => new Promise((resolve) => {
		const socket = net.connect(options);
		const done = (outcome) => { tried[name] = outcome; socket.destroy(); resolve() };
		socket.once("connect", () => done("connected"));
		socket.once("error", (error) => done(error.code));
		socket.setTimeout(3000, () => done("silence"));
	});
	Promise.all([
		reach("the gateway's port", { host: "127.0.0.1", port }),
		reach("the metadata address", { host: "169.254.169.254", port: 80 }),
		reach("a public address", { host: "192.0.2.1", port: 443 }),
	]).then(() => { console.log(JSON.stringify(tried)); process.exit() });
`;

const docker = await startTestEngine();
if ("skip" in docker) {
	test("escapes from a container", { skip: docker.skip }, () => {});
} else {
	after(() => docker.stop());

	/** Runs a script in a container to its end and gives what it printed. */
	const outputOf = async (
		containers: Containers,
		script: string,
		confinement: Confinement,
		env: Readonly<Record<string, string>>,
	) => {
		// Without a folder, as most images name their program.
		const args = ["node", "-e", script];
		const spec = { driver: "container" as const, image: docker.image, args, env };
		const started: ContainerChild[] = [];
		const spawner = containers.spawnerOf(spec, confinement, (child) => started.push(child));
		const [server = ""] = confinement.instance.split("/");
		taken(await spawner.spawn({ server, command: "", args: [], env: {}, cwd: "/" }));
		const [child] = started;
		assert.ok(child !== undefined);
		let printed = "";
		child.stdout.on("data", (chunk: Buffer) => {
			printed += chunk.toString();
		});
		const read = new Promise((resolve) => child.stdout.once("close", resolve));
		await Promise.all([child.gone, read]);
		return printed;
	};

	test("a hostile server in a container reaches nothing of the machine", async (t) => {
		const containers = new Containers({
			engine: docker.engine,
			clock: systemClock,
			random: systemRandom,
			owner_id: "escape",
			self: docker.owner,
		});
		t.after(() => containers.close());
		const [own, other] = [join(docker.folder, "own"), join(docker.folder, "other")];
		await Promise.all([mkdir(own), mkdir(other)]);
		const [secret, neighbour] = [join(docker.folder, "secret"), join(other, "secret")];
		await Promise.all([writeFile(secret, "canary"), writeFile(neighbour, "canary")]);
		const port = createServer((socket) => socket.end("canary"));
		await new Promise<void>((resolve) => port.listen(0, "127.0.0.1", resolve));
		t.after(() => port.close());
		const { port: number } = port.address() as { port: number };

		const targets = JSON.stringify([secret, neighbour, number, process.pid]);
		const { sandbox, resources } = declared_running;
		const confinement = {
			...{ sandbox, resources, untrusted: true, volume: own, temp: own, needs: [] },
			instance: "hostile/shared/1",
		};
		const printed = await outputOf(containers, probe, confinement, { TARGETS: targets });
		const tried = JSON.parse(printed) as Record<string, string>;
		assert.equal(Object.keys(tried).length, 16);
		for (const [name, outcome] of Object.entries(tried)) {
			assert.match(outcome, /^(?:E[A-Z]+|ERR_[A-Z_]+)$/, `${name}: ${outcome}`);
		}
		assert.equal(tried["the gateway's port"], "ECONNREFUSED");
		assert.match(tried["the metadata address"] ?? "", /^E(?:NET|HOST)UNREACH$/);
		assert.equal(await readFile(secret, "utf8"), "canary");
	});

	test("a container reaches the hosts of its list past its proxy, and no others", async (t) => {
		const web = createServer((socket) => {
			socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
		});
		await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
		t.after(() => web.close());
		const { port } = web.address() as { port: number };
		const refused: string[] = [];
		const egress = new Egress({
			folder: join(docker.folder, "egress"),
			clock: systemClock,
			// A public address, which is then somebody of this machine.
			resolve: () => Promise.resolve(["8.8.8.8"]),
			dial: () => connect({ port, host: "127.0.0.1", allowHalfOpen: true }),
			onRefused: (server, text) => refused.push(`${server} ${text}`),
		});
		t.after(() => egress.close());
		const { engine, folder, owner: self } = docker;
		const parts = { engine, clock: systemClock, random: systemRandom, self };
		const openWayOut: OpenWayOut = async (request) => {
			const way = await waysOutOf(egress)(request);
			// A rootless engine is not root's, as the gateway of this test may be.
			if (self !== undefined) await chown(join(folder, "egress"), self.uid, self.gid);
			return way;
		};
		const containers = new Containers({ ...parts, owner_id: "way-out", openWayOut });
		t.after(() => containers.close());
		const volume = join(folder, "led");
		await mkdir(volume);
		if (self !== undefined) await chown(volume, self.uid, self.gid);
		const plan = { kind: "hosts" as const, hosts: ["allowed.example"] };
		const { sandbox, resources } = declared_running;
		const confinement = {
			...{ sandbox: { ...sandbox, egress: plan }, resources, untrusted: true, volume },
			...{ temp: volume, needs: [], instance: "led/shared/1" },
		};
		const script = `
			const ask = (url) => fetch(url).then((answer) => answer.text(), () => "refused");
			Promise.all(["http://allowed.example/", "http://other.example/"].map(ask))
				.then((answers) => console.log(answers.join()));`;
		const printed = await outputOf(containers, script, confinement, {});
		assert.equal(printed, "ok,refused\n");
		assert.deepEqual(refused, [
			"led was refused a connection to other.example:80: the host is not listed. " +
				"To allow it, add it to the server's sandbox in moorage.yaml: egress: [other.example]",
		]);
	});
}
