import type { Stoppable } from "../../policy/kill-target.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { Message, ObjectIndex, Span } from "../../wire/message.ts";
import { indexObject, memberSpan, readJson, readName, readString } from "../../wire/object.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { ownersOf } from "../scope.ts";
import type { TaskNews } from "../task-holds.ts";

/**
 * A task goes on after the call that made it was answered: its instance stays awake for it,
 * until a reply says that the task is over.
 */
export function holdTask(call: Call, reply: Reply, context: GatewayContext): Reply {
	const { lease, method, message } = call;
	if (lease === undefined || reply.kind !== "message") return reply;
	const asks = method.startsWith("tasks/");
	if (asks && isOver(method, reply.message)) {
		const task_id = call.target?.name;
		if (task_id !== undefined) context.task_holds.onOver(lease, task_id);
		return reply;
	}
	const task = asks ? reply.message.result : madeTask(message, reply.message);
	const news = task && readTask(reply.message.bytes, task);
	if (news !== undefined) {
		context.task_holds.onNews(lease, ownersOf(call.client), news, madeBy(call, asks));
	}
	return reply;
}

/** What an off switch has to know of a task, without all that its call still holds on to. */
function madeBy({ notes, target, principal }: Call, asks: boolean): Stoppable | undefined {
	if (asks) {
		// From before this gateway ran: which tool it was is known to its server alone.
		const server = target?.server.name;
		if (server === undefined) return undefined;
		return { principal, server, method: "tools/call", name: undefined, tool: undefined };
	}
	const { checked } = notes;
	if (checked === undefined) return undefined;
	const { server, method, name, tool } = checked;
	return { principal, server, method, name, tool };
}

/** What a server says of a task without being asked; undefined where that is no news of one. */
export function taskNews({ bytes, method, params }: Message): TaskNews | undefined {
	const tells = method === "notifications/tasks" || method === "notifications/tasks/status";
	return tells && params !== undefined ? readTask(bytes, params) : undefined;
}

/** Its result was fetched (2025-11-25), or the server knows no such task. */
function isOver(method: string, { bytes, error }: Message): boolean {
	if (error === undefined) return method === "tasks/result";
	return readJson(bytes, memberSpan(error, "code")) === rpc_codes.invalid_params;
}

/** The task that a call became: in a place of its own in 2025-11-25, the result in SEP-2663. */
function madeTask(request: Message, { bytes, result }: Message): ObjectIndex | undefined {
	if (readName(bytes, memberSpan(result, "resultType")) === "task") return result;
	if (memberSpan(request.params, "task") === undefined) return undefined;
	const made: Span | undefined = memberSpan(result, "task");
	return made && indexObject(bytes, made);
}

function readTask(bytes: Buffer, task: ObjectIndex): TaskNews | undefined {
	const task_id = readString(bytes, memberSpan(task, "taskId"));
	if (task_id === undefined) return undefined;
	const ttl = readJson(bytes, memberSpan(task, "ttlMs") ?? memberSpan(task, "ttl"));
	return {
		task_id,
		status: readString(bytes, memberSpan(task, "status")),
		ttl_ms: typeof ttl === "number" ? ttl : undefined,
	};
}
