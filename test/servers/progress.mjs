/**
 * Reports progress: `steps` sends that many notifications before it answers; `chatter` sends
 * its progress, a log message and then waits to be cancelled.
 */
import { setImmediate as turn } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

serve(
	toolServer("progress", [
		{
			name: "steps",
			call: async (call) => {
				const { steps } = call.arguments;
				for (let step = 1; step <= steps; step += 1) {
					call.progress(step, steps, `step ${step}`);
					await turn();
				}
				return text(`${steps} steps, token ${JSON.stringify(call.meta.progressToken ?? null)}`);
			},
		},
		{
			name: "chatter",
			call: (call) => {
				call.progress(1, 2, "begun");
				call.notify("notifications/message", '{"level":"info","data":"working"}');
				return call.cancelled.then(() => undefined);
			},
		},
	]),
);
