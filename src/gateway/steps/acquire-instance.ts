import type { ServerPlan } from "../../config/plan.ts";
import type { InstanceKey, Lease } from "../../hosting/hosting.ts";
import type { Result } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { isListMethod } from "../../protocol/methods.ts";
import type { Call, Reply } from "../call.ts";
import { askToConnect, pageFirst } from "../connecting/ask-to-connect.ts";
import type { GatewayContext } from "../context.ts";
import { callerOf, scopeProblem } from "../scope.ts";

/** Which instance: takes a lease on it, waking or starting it first where that is needed. */
export function acquireInstance(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	const server = call.target?.server;
	if (server === undefined || call.lease !== undefined) return undefined;
	const problem = scopeProblem(server, call.client);
	if (problem !== undefined) return refuse(problem, server.name, context);
	const task_key = taskKey(call, server, context);
	const key = task_key ?? context.instanceKey(server, call.client);
	const caller = callerOf(call.client);
	const asker = call.client.session_id ?? call.id;
	const exact = task_key !== undefined;
	const lease = context.hosting.tryAcquire(key, { caller, asker, exact });
	if (lease !== undefined) return use(call, lease, context);
	const options = { signal: call.signal, wait_ms: server.timeouts.start_ms };
	const { tenant, id } = call.principal;
	const turns = [tenant, id, caller ?? ""];
	const seeking = { ...options, caller, turns, asker, exact };
	const asleep = context.hosting.sleeps(key, { caller, asker });
	const began_ms = context.clock.monotonic();
	for (const keeper of context.evidence) keeper.expect?.();
	return context.hosting.acquire(key, seeking).then(async (outcome) => {
		const waited_ms = context.clock.monotonic() - began_ms;
		if (asleep) call.notes.wake_ms += waited_ms;
		else call.notes.queue_ms += waited_ms;
		const refused = keep(call, outcome, context);
		if (refused === undefined) return undefined;
		if (!(await askToConnect(call, refused, context))) {
			return pageFirst(call, refused, context) ?? refused;
		}
		return keep(call, await context.hosting.acquire(key, seeking), context);
	});
}

/** A question about a task goes to the instance that works on it. */
function taskKey(
	{ method, target, client }: Call,
	server: ServerPlan,
	context: GatewayContext,
): InstanceKey | undefined {
	const task_id = method.startsWith("tasks/") ? target?.name : undefined;
	return task_id === undefined ? undefined : context.taskKey(server, client, task_id);
}

function refuse(message: string, server: string, context: GatewayContext): Reply {
	const parts = { code: "not_supported", message, level: "info", server } as const;
	return { kind: "fault", fault: context.fault({ ...parts, retry_safe: true }) };
}

function keep(
	call: Call,
	outcome: Result<Lease, Fault>,
	context: GatewayContext,
): Reply | undefined {
	if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
	return use(call, outcome.value, context);
}

function use(call: Call, lease: Lease, { served }: GatewayContext): undefined {
	call.lease = lease;
	// A list is asked for in the same words by everybody.
	if (!isListMethod(call.method)) served.note(lease.key, call.principal.tenant);
	const { scope_key, place } = lease.key;
	call.notes.instance = place ? `${scope_key}#${place}` : scope_key;
	call.notes.upstream_revision = lease.upstream.hello.revision;
	return undefined;
}
