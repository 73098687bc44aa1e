import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sleep, systemClock } from "../../src/lib/clock.ts";
import { Engine } from "../../src/upstreams/container/engine.ts";

const run = promisify(execFile);

/** An engine of a test's own, with one image in it; nothing of it outlives `stop`. */
export interface DockerEngine {
	readonly engine: Engine;
	/** What makes the gateway find it. */
	readonly environment: { readonly DOCKER_HOST: string };
	/** An image with Node as `/bin/node` and the fixture servers in `/servers`. */
	readonly image: string;
	/** A folder that containers may be given parts of. */
	readonly folder: string;
	/** Whose containers they are, where that is not root. */
	readonly owner?: { readonly uid: number; readonly gid: number };
	/** One request to the engine as it is, past the client that is tested. */
	ask(method: string, path: string, body?: string): Promise<{ status: number; text: string }>;
	stop(): Promise<void>;
}

/** An engine, or why there is none. */
export type StartedEngine = DockerEngine | { readonly skip: string };

const dockerd_paths = ["/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd"];
/** The name of the image that every such engine has. */
export const test_image = "moorage-test/node:1";

/** Starts an engine that knows no network and no registry; `settings` are its `daemon.json`. */
export async function startDockerEngine(settings: object = {}): Promise<StartedEngine> {
	if (process.platform !== "linux") return { skip: "containers are tested on Linux only" };
	if (process.getuid?.() !== 0) return { skip: "dockerd can be started by root only" };
	const dockerd = dockerd_paths.find((path) => existsSync(path));
	if (dockerd === undefined) return { skip: "dockerd is not installed (Debian: docker.io)" };
	// Short: the path of a socket may have 108 characters.
	const folder = await mkdtemp(join(tmpdir(), "moorage-dockerd-"));
	const socket = join(folder, "docker.sock");
	const file = join(folder, "daemon.json");
	await writeFile(file, JSON.stringify(settings));
	const daemon = startDaemon(dockerd, folder, [
		"--host",
		`unix://${socket}`,
		"--config-file",
		file,
	]);
	const ask = (method: string, path: string, body?: string) => send(socket, method, path, body);
	const stop = () => stopDaemon(daemon, folder);
	const up = await comesUp(daemon, () => ask("GET", "/_ping"));
	if (up !== undefined) {
		await stop();
		return { skip: `dockerd does not run here: ${up}` };
	}
	await importImage(socket, folder);
	const environment = { DOCKER_HOST: `unix://${socket}` };
	const image = test_image;
	return { engine: new Engine(environment, systemClock), environment, image, folder, ask, stop };
}

function startDaemon(dockerd: string, folder: string, own: readonly string[]): ChildProcess {
	const words = [
		...own,
		...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
		...["--pidfile", join(folder, "pid")],
		...["--bridge", "none", "--iptables=false", "--exec-opt", "native.cgroupdriver=cgroupfs"],
		...["--shutdown-timeout", "1", "--log-level", "error"],
	];
	// A run that is killed takes its engine along, which then ends what it runs.
	const child = spawn("setpriv", ["--pdeathsig", "TERM", dockerd, ...words], {
		// containerd leaves its stacks in the temporary folder when it is slow to come up.
		env: { ...process.env, TMPDIR: folder },
		stdio: ["ignore", "ignore", "pipe"],
	});
	return child;
}

/** Undefined once it answers; else the last thing it said. */
export async function comesUp(
	daemon: ChildProcess,
	ping: () => Promise<{ status: number }>,
): Promise<string | undefined> {
	let said = "";
	let ended = false;
	daemon.stderr?.on("data", (chunk: Buffer) => {
		said = (said + chunk.toString()).slice(-2000);
	});
	daemon.once("exit", () => {
		ended = true;
	});
	daemon.once("error", (error) => {
		said = error.message;
		ended = true;
	});
	while (!ended && (await ping().catch(() => undefined))?.status !== 200) {
		await sleep(systemClock, 50);
	}
	return ended ? (said.trim().split("\n").at(-1) ?? "it ended") : undefined;
}

/** Ends an engine, and removes what it had. */
export async function stopDaemon(
	daemon: ChildProcess,
	folder: string,
	signal: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
	if (daemon.exitCode === null && daemon.signalCode === null && daemon.pid !== undefined) {
		// What it started may hold its standard error longer than it lives itself.
		const ended = once(daemon, signal === "SIGKILL" ? "close" : "exit");
		daemon.kill(signal);
		await ended;
	}
	const mounts = (await readFile("/proc/self/mounts", "utf8"))
		.split("\n")
		.map((line) => line.split(" ")[1] ?? "")
		.filter((path) => path.startsWith(`${folder}/`));
	for (const path of mounts.reverse()) await run("umount", ["-l", path]).catch(() => undefined);
	await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Node and a shell with the libraries they are linked with, and the fixtures. */
export async function importImage(socket: string, folder: string): Promise<void> {
	const root = join(folder, "root");
	for (const [name, program] of [
		["node", process.execPath],
		["sh", "/bin/sh"],
	] as const) {
		const { stdout } = await run("ldd", [program]);
		const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] as string);
		for (const library of libraries) await copy(library, join(root, library));
		await copy(program, join(root, "bin", name));
	}
	const servers = fileURLToPath(new URL("../servers", import.meta.url));
	await cp(servers, join(root, "servers"), { recursive: true });
	// As images have it: an engine gives the folder in memory the mode of the one it covers.
	await mkdir(join(root, "tmp"), { recursive: true });
	await chmod(join(root, "tmp"), 0o1777);
	const archive = join(folder, "image.tar");
	await run("tar", [
		"--create",
		"--owner=0",
		"--group=0",
		"--file",
		archive,
		"--directory",
		root,
		".",
	]);
	const path = `/images/create?fromSrc=-&repo=moorage-test%2Fnode&tag=1`;
	const sent = request({ socketPath: socket, method: "POST", path, agent: false });
	const answered = new Promise<number>((resolve, reject) => {
		sent.once("error", reject);
		sent.once("response", (response) => {
			response.resume().once("end", () => resolve(response.statusCode ?? 0));
		});
	});
	await pipeline(createReadStream(archive), sent);
	const status = await answered;
	if (status !== 200) throw new Error(`the image could not be imported: HTTP ${status}`);
	await Promise.all([rm(archive), rm(root, { recursive: true })]);
}

async function copy(from: string, to: string): Promise<void> {
	await mkdir(dirname(to), { recursive: true });
	await cp(from, to, { dereference: true });
}

/** One request to an engine on a socket. */
export function send(
	socket: string,
	method: string,
	path: string,
	body?: string,
): Promise<{ status: number; text: string }> {
	return new Promise((resolve, reject) => {
		const headers = { host: "engine", "content-type": "application/json" };
		const sent = request(
			{ socketPath: socket, method, path, headers, agent: false },
			(response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
			},
		);
		sent.once("error", reject);
		sent.end(body);
	});
}
