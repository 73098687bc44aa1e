import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startOrigin, startTcp } from "../../../test/support/egress-scene.ts";
import { eventually } from "../../../test/support/processes.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import type { SandboxWay } from "../../upstreams/driver.ts";
import { Egress, type EgressGate } from "./egress.ts";
import { forward_programs } from "./forward-programs.ts";
import { writeForwarder } from "./forwarder.ts";

const is_covered = process.platform === "linux" && process.arch in forward_programs;
const namespace = ["unshare", "--map-root-user", "--net"];
const skip =
	!(is_covered && works([...namespace, "true"])) &&
	"needs network namespaces that this user may make (unshare of util-linux)";

function works([program = "", ...args]: readonly string[]): boolean {
	try {
		execFileSync(program, args, { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

/** Without, where a program is missing, a reason to skip. */
function needs(...command: readonly string[]): string | false {
	if (skip !== false) return skip;
	return works(command) ? false : `needs ${command[0]}`;
}

interface Scene {
	readonly egress: Egress;
	readonly gate: EgressGate;
	readonly way: SandboxWay;
	readonly folder: string;
}

/** Every name leads to this machine; only those of `hosts` are listed. */
async function startScene(t: TestContext, hosts: readonly string[]): Promise<Scene> {
	const folder = join(await tempFolder(t), "egress");
	const resolve = () => Promise.resolve(["127.0.0.1"]);
	const egress = new Egress({ folder, clock: systemClock, resolve });
	t.after(() => egress.close());
	const plan = { kind: "hosts", hosts } as const;
	const gate = await egress.open({ server: "files", plan, untrusted: false });
	assert.ok(gate?.way !== undefined);
	return { egress, gate, way: gate.way, folder };
}

/** A command line in a network of its own, with the files where they are outside. */
function inside({ way, folder, gate }: Scene, command: readonly string[]): readonly string[] {
	const [, , port = ""] = way.prefix;
	return [...namespace, join(folder, "forward"), gate.socket_path, port, ...command];
}

interface Ended {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

function run([program = "", ...args]: readonly string[], way: SandboxWay): Promise<Ended> {
	const env = { PATH: process.env["PATH"] ?? "", ...way.env };
	return new Promise((resolve) => {
		execFile(program, args, { env }, (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
		});
	});
}

function pathOf(program: string): string {
	return execFileSync("/bin/sh", ["-c", 'command -v "$0"', program], { encoding: "utf8" }).trim();
}

const fetching = "fetch(process.argv[1]).then((r) => r.text()).then(console.log)";
const urllib =
	"import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())";

/** Real clients, each on its own way to find a proxy and to use it. */
const clients: readonly { name: string; command: readonly string[]; skip: string | false }[] = [
	{ name: "fetch of Node", command: [process.execPath, "-e", fetching], skip },
	{ name: "curl", command: ["curl", "-sS"], skip: needs("curl", "--version") },
	{ name: "curl by a tunnel", command: ["curl", "-sSp"], skip: needs("curl", "--version") },
	{
		name: "urllib of Python",
		command: ["python3", "-c", urllib],
		skip: needs("python3", "--version"),
	},
];

for (const client of clients) {
	test(`${client.name} reaches a listed host, and no other`, { skip: client.skip }, async (t) => {
		const origin = await startOrigin(t, (request, response) => {
			response.end(`hello ${request.headers.host}`);
		});
		const scene = await startScene(t, [`origin.internal:${origin.port}`]);
		const [program = "", ...args] = client.command;
		const command = [pathOf(program), ...args];
		const url = `http://origin.internal:${origin.port}/`;
		const reached = await run(inside(scene, [...command, url]), scene.way);
		assert.equal(reached.stdout.trim(), `hello origin.internal:${origin.port}`, reached.stderr);
		const other = `http://other.internal:${origin.port}/`;
		const refused = await run(inside(scene, [...command, other]), scene.way);
		assert.match(refused.stdout + refused.stderr, /403|refused files|egress|fetch failed/);
		assert.doesNotMatch(refused.stdout, /hello/);
		const { used, refused: refusals } = scene.egress.report("files");
		assert.equal(used[0]?.host, "origin.internal");
		assert.equal(refusals[0]?.host, "other.internal");
	});
}

test("a program without a folder in its name is looked for on PATH", { skip }, async (t) => {
	const scene = await startScene(t, []);
	const folder = await tempFolder(t, { "found/it": "#!/bin/sh\necho $0 $1", "before/it": "" });
	await chmod(join(folder, "found", "it"), 0o755);
	const at = (...names: string[]) => names.map((name) => join(folder, name)).join(":");
	const runWith = (path: string, program: string) => {
		const [first = "", ...words] = inside(scene, [program, "word"]);
		const env = [`PATH=${path}`, pathOf(first), ...words];
		return run([pathOf("env"), ...env], scene.way);
	};
	const path = `${at("none", "before", "found")}:${process.env["PATH"] ?? ""}`;
	assert.equal((await runWith(path, "it")).stdout, `${at("found/it")} word\n`);
	const cases: readonly [string, string, string][] = [
		[at("found"), "other", "other cannot be run: there is no such program"],
		[at("before", "none"), "it", "it cannot be run: it may not be executed"],
		[path, at("none/it"), `${at("none/it")} cannot be run: there is no such program`],
		[path, "", " cannot be run: there is no such program"],
	];
	for (const [where, program, why] of cases) {
		const { code, stderr } = await runWith(where, program);
		assert.deepEqual({ code, stderr }, { code: 127, stderr: `moorage-forward: ${why}\n` });
	}
});

test("a program that does not heed the variables has no way out", { skip }, async (t) => {
	const port = await startTcp(t, (socket) => socket.end("reached"));
	const scene = await startScene(t, [`127.0.0.1:${port}`]);
	const script =
		'const net = require("node:net"); for (const host of ["127.0.0.1", "8.8.8.8", "169.254.169.254"])' +
		" net.connect(Number(process.argv[1]), host)" +
		'.on("connect", () => console.log("reached"))' +
		'.on("error", ({ code }) => console.log(host, code));';
	const ended = await run(inside(scene, [process.execPath, "-e", script, `${port}`]), scene.way);
	assert.deepEqual(ended.stdout.trim().split("\n").toSorted(), [
		"127.0.0.1 ECONNREFUSED",
		"169.254.169.254 ENETUNREACH",
		"8.8.8.8 ENETUNREACH",
	]);
});

const bwrap_skip = needs("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true");

test("a sandbox of bubblewrap reaches its proxy", { skip: bwrap_skip }, async (t) => {
	const origin = await startOrigin(t, (_request, response) => response.end("hello"));
	const scene = await startScene(t, [`origin.internal:${origin.port}`]);
	const line = [
		...["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"],
		...["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"],
		...scene.way.binds.flatMap(({ from, to }) => ["--ro-bind", from, to]),
		"--",
		...scene.way.prefix,
		...[process.execPath, "-e", fetching, `http://origin.internal:${origin.port}/`],
	];
	const ended = await run(line, scene.way);
	assert.equal(ended.stdout, "hello\n", ended.stderr);
	assert.deepEqual(forwardersOf(scene), []);
});

/** Pids of forwarders of this scene that run. */
function forwardersOf({ folder }: Scene): number[] {
	const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	return pids.map(Number).filter((pid) => {
		try {
			const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
			return line.startsWith(join(folder, "forward"));
		} catch {
			return false;
		}
	});
}

function start(t: TestContext, scene: Scene, command: readonly string[]): ChildProcess {
	const [program = "", ...args] = inside(scene, command);
	const child = spawn(program, args, {
		env: { PATH: process.env["PATH"] ?? "", ...scene.way.env },
		stdio: ["pipe", "pipe", "inherit"],
	});
	t.after(() => child.kill("SIGKILL"));
	return child;
}

test("the forwarder is small, and ends with its program however that ends", { skip }, async (t) => {
	const scene = await startScene(t, []);
	for (const signal of ["SIGTERM", "SIGKILL"] as const) {
		const child = start(t, scene, [pathOf("cat")]);
		child.stdin?.write("up");
		assert.ok(child.stdout);
		await once(child.stdout, "data");
		const [pid] = forwardersOf(scene);
		assert.ok(pid !== undefined);
		const status = readFileSync(`/proc/${pid}/status`, "utf8");
		const resident_kb = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]);
		assert.ok(resident_kb < 256, `${resident_kb} kB`);
		child.kill(signal);
		await once(child, "close");
		await eventually(
			() => forwardersOf(scene),
			(pids) => pids.length === 0,
		);
	}
});

test("a signal for the whole group leaves the forwarder to a program that ends itself", {
	skip,
}, async (t) => {
	const origin = await startOrigin(t, (_request, response) => response.end("a last word"));
	const scene = await startScene(t, [`origin.internal:${origin.port}`]);
	const script =
		'process.once("SIGTERM", () => fetch(process.argv[1]).then((r) => r.text())' +
		".then((text) => { console.log(text); process.exit(7); }));" +
		'setInterval(() => undefined, 1000); console.log("up");';
	const [program = "", ...args] = inside(scene, [
		...[process.execPath, "-e", script],
		`http://origin.internal:${origin.port}/`,
	]);
	const env = { PATH: process.env["PATH"] ?? "", ...scene.way.env };
	const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "inherit"] });
	t.after(() => child.kill("SIGKILL"));
	let text = "";
	child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
		text += chunk;
	});
	await until(() => text === "up\n");
	process.kill(-(child.pid ?? 0), "SIGTERM");
	const [code] = (await once(child, "close")) as [number];
	assert.equal(text, "up\na last word\n");
	assert.equal(code, 7);
});

test("the program has its own exit code, and no child that it did not start", {
	skip,
}, async (t) => {
	const scene = await startScene(t, []);
	const children = await run(
		inside(scene, [pathOf("sh"), "-c", "cat /proc/$$/task/$$/children; exit 3"]),
		scene.way,
	);
	assert.equal(children.code, 3);
	// The one child is the `cat` itself.
	assert.equal(children.stdout.trim().split(" ").length, 1);
	const missing = await run(inside(scene, ["/no/such/program"]), scene.way);
	assert.equal(missing.code, 127);
	for (const wrong of [
		[],
		["socket"],
		["socket", "0", "/bin/true"],
		["socket", "1x", "/bin/true"],
	]) {
		const ended = await run([join(scene.folder, "forward"), ...wrong], scene.way);
		assert.equal(ended.code, 90, wrong.join(" "));
	}
});

test("many connections at a time carry all their bytes, past every limit", { skip }, async (t) => {
	const port = await startTcp(t, (socket) => {
		socket.pipe(socket);
	});
	const scene = await startScene(t, [`echo.internal:${port}`]);
	const script = `
		const net = require("node:net");
		const size = 100_000, count = 300;
		let done = 0, bytes = 0;
		for (let index = 0; index < count; index += 1) {
			const socket = net.connect({ port: 3128, host: "127.0.0.1", allowHalfOpen: true });
			socket.write("CONNECT echo.internal:" + process.argv[1] + " HTTP/1.1\\r\\n\\r\\n");
			let head = "";
			socket.on("data", (chunk) => {
				if (head.endsWith("\\r\\n\\r\\n")) { bytes += chunk.length; return; }
				head += chunk.toString("latin1");
				socket.end(Buffer.alloc(size, "x"));
			});
			socket.on("error", ({ code }) => console.log(code));
			socket.on("end", () => { done += 1; if (done === count) console.log(bytes); });
		}`;
	const ended = await run(inside(scene, [process.execPath, "-e", script, `${port}`]), scene.way);
	assert.equal(ended.stdout.trim(), String(300 * 100_000));
});

test("a forwarder is there for Linux on the processors it was built for", async (t) => {
	const folder = await tempFolder(t);
	assert.equal(await writeForwarder(folder, "darwin", "arm64"), undefined);
	assert.equal(await writeForwarder(folder, "linux", "riscv64"), undefined);
	for (const [processor, machine] of Object.entries({ x64: 62, arm64: 183 })) {
		const path = await writeForwarder(folder, "linux", processor);
		const bytes = readFileSync(path ?? "");
		assert.equal(bytes.toString("latin1", 0, 4), "\x7fELF");
		assert.equal(bytes.readUInt16LE(18), machine);
		assert.ok(bytes.length < 8192);
	}
});
