import { startDockerEngine } from "../../test/support/docker-engine.ts";
import { modernToolCall } from "../requests.ts";
import { valuesOf } from "./distribution.ts";
import type { HostingCase } from "./measured.ts";
import { withScene } from "./scene.ts";

const said = "All hands on deck.";
const echo = () => modernToolCall("echo", { text: said }, said);

const containers: HostingCase = {
	name: "hosting-container",
	title: "a call to a server in a container: paused, and stopped",
	async measure() {
		const docker = await startDockerEngine();
		if ("skip" in docker) return { skipped: docker.skip };
		const entry = { image: docker.image, args: ["/bin/node", "/servers/echo.mjs"] };
		const servers = {
			paused: { ...entry, idle: { freeze: "200ms", reclaim: "never", stop: "never" } },
			cold: {
				...entry,
				start: "on-demand",
				idle: { freeze: "never", reclaim: "never", stop: "100ms" },
				timeouts: { stop: "100ms" },
			},
		};
		try {
			return await withScene(
				{ servers },
				async (scene) => {
					const [paused_ms, cold_ms]: [number[], number[]] = [[], []];
					const asleep = ({ name, state }: { name: string; state: string }) =>
						state === (name === "paused" ? "frozen" : "stopped");
					for (let round = 0; round < 30; round += 1) {
						await scene.until("asleep", asleep);
						paused_ms.push(await scene.ask("paused", echo()));
					}
					for (let round = 0; round < 10; round += 1) {
						await scene.until("asleep", asleep);
						cold_ms.push(await scene.ask("cold", echo()));
					}
					return { ...valuesOf("paused", paused_ms), ...valuesOf("cold", cold_ms) };
				},
				{ environment: docker.environment },
			);
		} finally {
			await docker.stop();
		}
	},
};

/** Servers in containers. */
export const container_cases: readonly HostingCase[] = [containers];
