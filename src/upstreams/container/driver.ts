import type { ContainerSpec, StdioSpec } from "../../config/plan.ts";
import { fail, type Result } from "../../lib/result.ts";
import { type Fault, makeFault } from "../../protocol/fault.ts";
import type { Confinement, Driver, DriverContext, Upstream } from "../driver.ts";
import type { ContainerChild } from "./container-child.ts";
import type { Containers } from "./containers.ts";
import { type EngineProblem, engineSentence } from "./engine-problem.ts";

/**
 * Servers in containers. What is said over a container's standard streams is what is said over
 * a program's, so the driver of programs is handed in and given a spawner of containers.
 */
export function containerDriverWith(
	containers: Containers,
	programs: Driver<StdioSpec>,
): Driver<ContainerSpec> {
	return {
		kind: "container",

		async open(spec: ContainerSpec, context: DriverContext): Promise<Result<Upstream, Fault>> {
			let child: ContainerChild | undefined;
			const { confinement } = context;
			const spawner = containers.spawnerOf(spec, confinement, (started) => {
				child = started;
			});
			const opened = await programs.open(programOf(spec), { ...context, spawner });
			if (!opened.ok || child === undefined) return opened;
			const refused = await limitCpu(child, confinement);
			for (const note of child.notes()) context.onLine("event", note);
			if (refused === undefined) return opened;
			await opened.value.close();
			const { server, random } = context;
			const message =
				`Server "${server}" was not started without its limit on processors: ` +
				`the container engine ${engineSentence(refused)}.`;
			const parts = { code: "server_failed", message, level: "warn", server } as const;
			return fail(makeFault(random, { ...parts, retry_safe: true }));
		},
	};
}

/** What the engine said, where a limit could not be set and must be. */
async function limitCpu(
	child: ContainerChild,
	confinement: Confinement | undefined,
): Promise<EngineProblem | undefined> {
	const { cpus_max, required } = confinement?.resources ?? {};
	if (cpus_max === undefined) return undefined;
	const limited = await child.limitCpu(cpus_max);
	return limited.ok || required !== true ? undefined : limited.problem;
}

/** Only tells versions apart; the image is what runs, in a folder of its own choosing. */
function programOf({ image, args, env, runtime }: ContainerSpec): StdioSpec {
	return { driver: "stdio", command: `${runtime ?? ""}/${image}`, args, env, cwd: "/" };
}
