import assert from "node:assert/strict";
import type { Feature, Trial } from "../cell.ts";

/** Between two attempts to reach something that is being started again. */
const pause_ms = 100;

/** Calls in flight when their server dies end with an honest error, and later ones simply work. */
export const server_restart: Feature = {
	name: "restart of the server",
	async run(trial) {
		const { peer, key } = trial;
		const running = Promise.withResolvers<void>();
		const options = { onprogress: () => running.resolve() };
		const call = peer.call("wait", { key: `crash-${key}` }, options);
		const outcome = call.catch((error: unknown) => error);
		await running.promise;
		if (await trial.arrive()) void peer.call("crash").catch(() => undefined);
		const ended = await outcome;
		const failed = ended instanceof Error || (ended as { isError?: boolean }).isError === true;
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
