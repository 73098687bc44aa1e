import { meta_keys } from "../protocol/meta.ts";
import { composeRequest } from "../wire/compose.ts";
import type { Message } from "../wire/message.ts";
import { tasks_extension } from "./bridge/task-ids.ts";
import type { GatewayContext } from "./context.ts";
import type { SwitchChange, SwitchedOff } from "./switches.ts";
import type { HeldTask } from "./task-holds.ts";

/** How long a server may take to say that it has heard. */
const cancel_ms = 10_000;

/**
 * Cancels at its server every task that a change is against: its call was answered long ago, and
 * nobody else could stop it. Whoever asks for it later, and still may, hears of it from its server.
 */
export function stopTasks(
	change: SwitchChange,
	context: Pick<GatewayContext, "task_holds" | "log">,
): void {
	if (change.kind === "lifted") return;
	const stopped = new Map<HeldTask, SwitchedOff>();
	context.task_holds.eachMade((task, made_by) => {
		const off = change.stops(made_by);
		if (off !== undefined) stopped.set(task, off);
	});
	for (const [task, off] of stopped) void cancelTask(task, off, context);
}

async function cancelTask(
	{ lease, task_id }: HeldTask,
	{ rule }: SwitchedOff,
	{ task_holds, log }: Pick<GatewayContext, "task_holds" | "log">,
): Promise<void> {
	const { upstream, key } = lease;
	const reply = await upstream.request({
		message: cancelRequest(task_id, upstream.hello.era),
		edits: [],
		name: task_id,
		signal: new AbortController().signal,
		call_ms: cancel_ms,
	});
	const fields = { server: key.server, task: task_id, rule };
	if (!reply.ok) {
		// It is kept awake as before: that it goes on is what whoever asks for it has to hear.
		log.warn({ ...fields, detail: reply.problem.message }, "a task could not be cancelled");
		return;
	}
	// Refused is that only where the task is over, or none of its server's.
	log.warn({ ...fields, refused: reply.value.error !== undefined }, "a task was cancelled");
	task_holds.onOver(lease, task_id);
}

/** Tasks of 2025-11-25 and of SEP-2663 are cancelled by the same words; the latter are declared. */
function cancelRequest(task_id: string, era: "legacy" | "modern"): Message {
	const declared = { [meta_keys.client_capabilities]: { extensions: { [tasks_extension]: {} } } };
	const params = era === "modern" ? { taskId: task_id, _meta: declared } : { taskId: task_id };
	return composeRequest("1", "tasks/cancel", JSON.stringify(params));
}
