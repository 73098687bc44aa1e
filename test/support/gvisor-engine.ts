import { existsSync } from "node:fs";
import { type StartedEngine, startDockerEngine } from "./docker-engine.ts";

const runsc_path = "/usr/bin/runsc";

/**
 * What gVisor is told: the way of watching system calls that needs no hardware, no network of its
 * own, and that sockets which are bound into a container may be used, for the way to the network.
 */
const runtimeArgs = ["--platform=ptrace", "--network=none", "--fsgofer-host-uds"];

/** Starts an engine that runs every container under gVisor. */
export async function startGvisorEngine(): Promise<StartedEngine> {
	if (!existsSync(runsc_path)) return { skip: "gVisor is not installed (Debian: runsc)" };
	const runsc = { path: runsc_path, runtimeArgs };
	return startDockerEngine({ runtimes: { runsc }, "default-runtime": "runsc" });
}
