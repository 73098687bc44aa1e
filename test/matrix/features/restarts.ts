import assert from "node:assert/strict";
import type { Feature, Trial } from "../cell.ts";

/** Between two attempts to reach something that is being started again. */
const pause_ms = 100;

/** The call that killed the server ends with an honest error, and a later one simply works. */
export const server_restart: Feature = {
	name: "restart of the server",
	async run(trial) {
		const { peer } = trial;
		const outcome = await peer.call("crash").catch((error: unknown) => error);
		const failed = outcome instanceof Error || (outcome as { isError?: boolean }).isError === true;
		assert.ok(failed, "a call whose server died does not succeed");
		await worksAgain(trial);
	},
};

/** Run once the gateway was killed and started again: the client knows nothing of it. */
export const gateway_restart: Feature = {
	name: "restart of the gateway",
	run: worksAgain,
};

/** Resolves with the first call that succeeds; the trial's own time limit ends the attempts. */
async function worksAgain({ peer, key }: Trial): Promise<void> {
	for (;;) {
		const outcome = await peer.call("echo", { text: key }).catch(() => undefined);
		if (outcome?.content?.[0]?.text === key) return;
		await new Promise((resolve) => setTimeout(resolve, pause_ms));
	}
}
