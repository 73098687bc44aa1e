import type { CommandContext } from "./context.ts";

/** Aborts on the first Ctrl-C or SIGTERM while `work` runs; a second one ends the process. */
export async function untilInterrupted<Value>(
	context: CommandContext,
	exit_code: number,
	work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
	const controller = new AbortController();
	const stop = () => {
		if (controller.signal.aborted) context.exitNow(exit_code);
		controller.abort();
	};
	const forget = [context.onSignal("SIGINT", stop), context.onSignal("SIGTERM", stop)];
	try {
		return await work(controller.signal);
	} finally {
		for (const one of forget) one();
	}
}
