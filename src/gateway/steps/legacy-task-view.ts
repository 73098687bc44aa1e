import type { TaskView } from "../bridge/legacy-tasks.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/**
 * How the tasks of 2025-11-25 are seen by the client of a call; undefined where the call is
 * none between a legacy client and a legacy server.
 */
export function legacyTaskView(call: Call, context: GatewayContext): TaskView | undefined {
	const server = call.target?.server.name;
	const { era, principal, session_id = principal } = call.client;
	if (server === undefined || era !== "legacy") return undefined;
	if (call.lease?.upstream.hello.era !== "legacy") return undefined;
	return {
		owns: (task_id) => context.owned_tasks.has(session_id, server, task_id),
		note: (task_id) => context.owned_tasks.note(session_id, server, task_id),
		expose: (task_id) => context.tasks.expose(principal, { server, task_id }),
	};
}
