import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/** A task that is a call which people decide about: no server knows of it yet, or any longer. */
export function answerApprovalTask(
	call: Call,
	context: GatewayContext,
): Promise<Reply> | undefined {
	const id = call.target?.approval_id;
	return id === undefined ? undefined : context.approvals?.tasks?.answer(call, id, context);
}
