/**
 * Reports progress: `steps` sends that many notifications before it answers; `chatter` sends
 * its progress, a log message and then waits to be cancelled; `patient` reports progress and
 * answers once `release` is called.
 */
import { setImmediate as turn } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

/** Lets the call of `patient` that waits go on. */
let release = () => {};

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
		{
			name: "patient",
			call: async (call) => {
				const released = new Promise((resolve) => {
					release = resolve;
				});
				call.progress(1, 2, "waiting");
				await released;
				return text("released");
			},
		},
		{
			name: "release",
			call: () => {
				release();
				return text("done");
			},
		},
	]),
);
