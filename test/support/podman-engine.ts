import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
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

/** Starts Podman's own service, which speaks Docker's API; it knows no network and no registry. */
export async function startPodmanEngine(): Promise<StartedEngine> {
	if (process.platform !== "linux") return { skip: "containers are tested on Linux only" };
	if (process.getuid?.() !== 0) return { skip: "this Podman is started by root only" };
	if (!existsSync(podman_path)) return { skip: "podman is not installed (Debian: podman)" };
	// Podman wants the path of what runs in 50 characters.
	const folder = await mkdtemp(join(tmpdir(), "podman-"));
	const socket = join(folder, "podman.sock");
	const daemon = startService(folder, socket, await writeSettings(folder));
	const ask = (method: string, path: string, body?: string) => send(socket, method, path, body);
	const stop = () => stopDaemon(daemon, folder);
	const up = await comesUp(daemon, () => ask("GET", "/_ping"));
	if (up !== undefined) {
		await stop();
		return { skip: `podman does not run here: ${up}` };
	}
	await importImage(socket, folder);
	// It pays no heed to the tag that an image is imported with.
	await ask("POST", "/images/moorage-test/node:latest/tag?repo=moorage-test%2Fnode&tag=1");
	const environment = { DOCKER_HOST: `unix://${socket}` };
	return {
		engine: new Engine(environment, systemClock),
		environment,
		image: test_image,
		folder,
		ask,
		stop,
	};
}

/**
 * Podman asks for the most processes and descriptors that root may have anywhere, unless told. On a
 * machine whose root may not raise limits that fails.
 */
const runtime_script = `#!/bin/sh
for word; do
	[ "$last" = --bundle ] &&
		sed -i -E 's/("RLIMIT_N[A-Z]+","hard":)1048576(,"soft":)1048576/\\14096\\24096/g' \\
			"$word/config.json"
	last=$word
done
exec runc "$@"
`;

/** The runtime and the kind of control groups that work without systemd. */
async function writeSettings(folder: string): Promise<string> {
	const path = join(folder, "containers.conf");
	const runtime = join(folder, "runtime");
	await writeFile(runtime, runtime_script, { mode: 0o755 });
	const lines = [
		"[engine]",
		'cgroup_manager = "cgroupfs"',
		'events_logger = "file"',
		'runtime = "here"',
		"[engine.runtimes]",
		`here = [${JSON.stringify(runtime)}]`,
	];
	await writeFile(path, `${lines.join("\n")}\n`);
	return path;
}

function startService(folder: string, socket: string, settings: string): ChildProcess {
	const words = [
		...["--root", join(folder, "data"), "--runroot", join(folder, "run")],
		...["--storage-driver", "vfs", "--log-level", "error"],
		...["system", "service", "--time", "0", `unix://${socket}`],
	];
	// A run that is killed takes its engine along.
	return spawn("setpriv", ["--pdeathsig", "TERM", podman_path, ...words], {
		env: { ...process.env, CONTAINERS_CONF: settings, TMPDIR: folder },
		// What watches over containers writes a note beside itself when one was out of memory.
		cwd: folder,
		stdio: ["ignore", "ignore", "pipe"],
	});
}
