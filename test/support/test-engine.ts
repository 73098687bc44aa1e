import { type StartedEngine, startDockerEngine } from "./docker-engine.ts";
import { startGvisorEngine } from "./gvisor-engine.ts";
import { startPodmanEngine } from "./podman-engine.ts";
import { startRootlessPodman } from "./rootless-podman.ts";

const kinds = {
	docker: () => startDockerEngine(),
	podman: startPodmanEngine,
	rootless: startRootlessPodman,
	gvisor: startGvisorEngine,
} as const;
let kind: keyof typeof kinds = "docker";

/** The engine that tests get which are loaded from now on. */
export function useEngine(chosen: keyof typeof kinds): void {
	kind = chosen;
}

/** Which kind of engine that is. */
export function engineKind(): keyof typeof kinds {
	return kind;
}

/** Starts an engine for a test's own use. */
export function startTestEngine(): Promise<StartedEngine> {
	return kinds[kind]();
}
