import type { CommandContext } from "./context.ts";

/** What takes longer than this gets a line, so that nobody thinks the program hangs. */
const quiet_ms = 1000;

/** Waits for `work`; after a second of waiting a line says what is being waited for. */
export async function withProgress<Value>(
	context: CommandContext,
	text: string,
	work: Promise<Value>,
): Promise<Value> {
	const timer = context.clock.afterIdle(quiet_ms, () => context.output.note(`${text} ...`));
	try {
		return await work;
	} finally {
		timer.cancel();
	}
}
