import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { Engine } from "../../src/upstreams/container/engine.ts";
import {
	comesUp,
	importImage,
	type StartedEngine,
	send,
	stopDaemon,
	test_image,
} from "./docker-engine.ts";

const podman_path = "/usr/bin/podman";
/** Helpers that a rootless Podman gives its containers other users with (Debian: uidmap). */
const mapper_path = "/usr/bin/newuidmap";
/** An ordinary user of nobody's, for a test that root runs. */
const own_user = { uid: 64_711, gid: 64_711 };
const own_name = "moorage-test";
/** Its further users, inside of containers only. */
const more_ids = "700000:65536";

/**
 * Starts the service of Podman as an ordinary user, with a home and a runtime folder of its own.
 * Where root runs the tests, that user exists for this service alone: `/etc` says so in a mount
 * namespace.
 */
export async function startRootlessPodman(): Promise<StartedEngine> {
	if (process.platform !== "linux") return { skip: "containers are tested on Linux only" };
	for (const [path, name] of [
		[podman_path, "podman"],
		[mapper_path, "uidmap"],
	] as const) {
		if (!existsSync(path)) return { skip: `${name} is not installed (Debian: ${name})` };
	}
	const is_root = process.getuid?.() === 0;
	// Podman takes no path of more than 50 characters for what it keeps while it runs.
	const folder = await mkdtemp(join(tmpdir(), "rl-"));
	await writeSettings(folder);
	if (is_root) await giveAway(folder);
	const socket = join(folder, "podman.sock");
	const daemon = startService(folder, socket, is_root);
	const ask = (method: string, path: string, body?: string) => send(socket, method, path, body);
	const stop = async () => {
		if (!is_root) await endPause(folder);
		await stopDaemon(daemon, folder, is_root ? "SIGKILL" : "SIGTERM");
	};
	const up = await comesUp(daemon, () => ask("GET", "/_ping"));
	if (up !== undefined) {
		await stop();
		return { skip: `a rootless podman does not run here: ${up}` };
	}
	await importImage(socket, folder);
	await ask("POST", "/images/moorage-test/node:latest/tag?repo=moorage-test%2Fnode&tag=1");
	const environment = { DOCKER_HOST: `unix://${socket}` };
	const owner = is_root ? own_user : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
	return {
		engine: new Engine(environment, systemClock),
		...{ environment, image: test_image, folder, owner, ask, stop },
	};
}

/** Podman leaves a process behind that keeps its user namespace, and notes which. */
async function endPause(folder: string): Promise<void> {
	const path = join(folder, "run", "libpod", "tmp", "pause.pid");
	const pid = Number(await readFile(path, "utf8").catch(() => ""));
	if (pid > 0) process.kill(pid, "SIGKILL");
}

/** `runc`, because `crun` refuses machines that have both versions of control groups. */
async function writeSettings(folder: string): Promise<void> {
	const lines = [
		"[engine]",
		'cgroup_manager = "cgroupfs"',
		'events_logger = "file"',
		...(existsSync("/usr/sbin/runc") || existsSync("/usr/bin/runc") ? ['runtime = "runc"'] : []),
	];
	await writeFile(join(folder, "containers.conf"), `${lines.join("\n")}\n`);
	for (const name of ["home", "run", "temp"]) await mkdir(join(folder, name), { mode: 0o700 });
}

/** Makes the folder the ordinary user's, and the tables that know of it. */
async function giveAway(folder: string): Promise<void> {
	const { uid, gid } = own_user;
	const [passwd, group] = await Promise.all(
		["/etc/passwd", "/etc/group"].map((path) => readFile(path, "utf8")),
	);
	const entry = `${own_name}:x:${uid}:${gid}::${join(folder, "home")}:/bin/sh`;
	await writeFile(join(folder, "passwd"), `${passwd?.trimEnd()}\n${entry}\n`);
	await writeFile(join(folder, "group"), `${group?.trimEnd()}\n${own_name}:x:${gid}:\n`);
	for (const name of ["subuid", "subgid"]) {
		await writeFile(join(folder, name), `${own_name}:${more_ids}\n`);
	}
	await chmod(folder, 0o755);
	for (const name of ["", "home", "run", "temp"]) await chown(join(folder, name), uid, gid);
}

/** Given to `sh -c` with the folder, and with the service as the rest. */
const as_user_script = `
	folder=$1; shift
	for name in passwd group subuid subgid; do
		[ -e "/etc/$name" ] || { echo "there is no /etc/$name" >&2; exit 1; }
		mount --bind "$folder/$name" "/etc/$name" || exit 1
	done
	exec setpriv --reuid ${own_user.uid} --regid ${own_user.gid} --clear-groups --pdeathsig KILL "$@"`;

/** What Podman leaves running for itself, and all that it started, ends with the first of these. */
const as_user = [
	...["setpriv", "--pdeathsig", "KILL"],
	...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
	...["sh", "-c", as_user_script, "moorage-test"],
];

function startService(folder: string, socket: string, is_root: boolean) {
	const service = [
		podman_path,
		...["--root", join(folder, "data"), "--runroot", join(folder, "run")],
		...["--storage-driver", "vfs", "--log-level", "error"],
		...["system", "service", "--time", "0", `unix://${socket}`],
	];
	const words = is_root
		? [...as_user, folder, ...service]
		: ["setpriv", "--pdeathsig", "TERM", ...service];
	const [program = "", ...args] = words;
	return spawn(program, args, {
		env: {
			PATH: process.env["PATH"],
			HOME: join(folder, "home"),
			XDG_RUNTIME_DIR: join(folder, "run"),
			CONTAINERS_CONF: join(folder, "containers.conf"),
			TMPDIR: join(folder, "temp"),
		},
		cwd: join(folder, "home"),
		stdio: ["ignore", "ignore", "pipe"],
	});
}
