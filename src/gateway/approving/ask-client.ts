import type { AskOutcome } from "../../upstreams/driver.ts";
import type { Message } from "../../wire/message.ts";
import type { Call } from "../call.ts";

/**
 * Asks the client of a call something of the gateway's own; undefined where the call, or the
 * question, is given up before there is an answer.
 */
export function askClient(
	call: Call,
	message: Message,
	over: AbortSignal,
): Promise<AskOutcome | undefined> {
	return new Promise((resolve) => {
		const signal = AbortSignal.any([call.signal, over]);
		if (signal.aborted) {
			resolve(undefined);
			return;
		}
		signal.addEventListener("abort", () => resolve(undefined), { once: true });
		call.sink.ask({ message, answer: resolve, signal });
	});
}
