/**
 * Writes faster than anybody reads: `flood` sends `count` progress notifications of `bytes` each
 * and then answers, unless it is cancelled. Like a well-behaved program it waits whenever its
 * transport takes no more. The file `counter` holds how many it has got rid of so far.
 */
import { openSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

serve(
	toolServer("flooding", [
		{
			name: "flood",
			call: async (call) => {
				const { count, bytes, counter } = call.arguments;
				const file = openSync(counter, "w");
				let cancelled = false;
				void call.cancelled.then(() => {
					cancelled = true;
				});
				const message = "x".repeat(bytes);
				for (let sent = 1; sent <= count && !cancelled; sent += 1) {
					call.progress(sent, count, message);
					await turn();
					await call.drained();
					writeSync(file, String(sent).padStart(8), 0);
				}
				return text("flooded");
			},
		},
		{ name: "echo", call: (call) => text(String(call.arguments.text)) },
	]),
);
