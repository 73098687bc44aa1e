import { valuesOf } from "../hosting/distribution.ts";
import type { HostingCase } from "../hosting/measured.ts";
import { echoServer, withScene } from "../hosting/scene.ts";

const calls = 50;
const rounds_max = 10;

/** Many calls at the moment at which their server has to be started. */
export const burst: HostingCase = {
	name: "burst-50",
	title: `${calls} calls at one moment to a server that is stopped`,
	measure(short) {
		const idle = { freeze: "never", reclaim: "never", stop: "200ms" };
		const servers = { cold: { ...echoServer(), start: "on-demand", idle } };
		return withScene({ servers }, async (scene) => {
			const times_ms: number[] = [];
			let unanswered = 0;
			for (let round = 0; round < (short ? 2 : rounds_max); round += 1) {
				await scene.until("stopped", ({ state }) => state === "stopped" || state === "declared");
				const asked = Array.from({ length: calls }, () => scene.ask("cold"));
				for (const outcome of await Promise.allSettled(asked)) {
					if (outcome.status === "fulfilled") times_ms.push(outcome.value);
					else {
						unanswered += 1;
						process.stderr.write(`${String(outcome.reason)}\n`);
					}
				}
			}
			return { ...valuesOf("answer", times_ms), unanswered };
		});
	},
};
