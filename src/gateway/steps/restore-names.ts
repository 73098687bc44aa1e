import { exposedUri } from "../../protocol/names.ts";
import type { Message, Span } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, readName, readString } from "../../wire/object.ts";
import { replaceSpan } from "../../wire/splice.ts";
import { mayNameTask, taskResultEdits } from "../bridge/legacy-tasks.ts";
import { skillUriEdits } from "../bridge/skill-uris.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { hasTasks } from "../subscriptions/upstream-listen.ts";
import { legacyTaskView } from "./legacy-task-view.ts";

/**
 * Where names were changed on the way there, results name things as the client knows them:
 * resource addresses inside results get their server's name back.
 */
export function restoreNames(call: Call, reply: Reply, context: GatewayContext): Reply {
	if (reply.kind !== "message") return reply;
	const server = call.target?.server.name;
	const { message } = reply;
	if (server === undefined || message.result === undefined) return reply;
	bindTask(call, server, reply, context);
	if (mayNameTask(call.message, message)) {
		const view = legacyTaskView(call, context);
		if (view !== undefined) reply.edits.push(...taskResultEdits(call.message, message, view));
	}
	if (call.endpoint.kind === "single") return reply;
	for (const span of uriSpans(call.method, message)) {
		const uri = readString(message.bytes, span);
		if (uri === undefined) continue;
		reply.edits.push(replaceSpan(span, JSON.stringify(exposedUri(server, uri))));
	}
	const skill = call.method === "skills/get" ? memberSpan(message.result, "skill") : undefined;
	if (skill !== undefined) reply.edits.push(...skillUriEdits(server, message.bytes, skill));
	return reply;
}

/** A task gets an id that only its owner's requests agree with, at every address. */
function bindTask(
	call: Call,
	server: string,
	{ message, edits }: Extract<Reply, { kind: "message" }>,
	context: GatewayContext,
): void {
	const task = taskSpan(call.method, message);
	const task_id = readString(message.bytes, task);
	const upstream = call.lease?.upstream;
	if (task === undefined || task_id === undefined || upstream === undefined) return;
	if (!hasTasks(upstream)) return;
	// One that was asked for by another id, as that of an approved call, keeps that.
	const { name, exposed_name } = call.target ?? {};
	const exposed =
		call.method !== "tools/call" && name === task_id && exposed_name !== undefined
			? exposed_name
			: context.tasks.expose(call.client.principal, { server, task_id });
	edits.push(replaceSpan(task, JSON.stringify(exposed)));
}

/** Where a result names its task: it became one, or tells how one is doing (SEP-2663). */
function taskSpan(method: string, { bytes, result }: Message): Span | undefined {
	const became = readName(bytes, memberSpan(result, "resultType")) === "task";
	return became || method.startsWith("tasks/") ? memberSpan(result, "taskId") : undefined;
}

/** Every place in a result that holds an address of a resource. */
function* uriSpans(method: string, message: Message): Iterable<Span> {
	const { bytes, result } = message;
	if (method === "resources/read") {
		for (const item of itemsOf(bytes, memberSpan(result, "contents"))) {
			yield* uriOf(bytes, item, "uri");
		}
	} else if (method === "tools/call") {
		for (const item of itemsOf(bytes, memberSpan(result, "content"))) {
			yield* contentUris(bytes, item);
		}
	} else if (method === "tasks/get") {
		const inner = memberSpan(result, "result");
		const done = inner === undefined ? undefined : indexObject(bytes, inner);
		for (const item of itemsOf(bytes, memberSpan(done, "content"))) {
			yield* contentUris(bytes, item);
		}
	} else if (method === "prompts/get") {
		for (const item of itemsOf(bytes, memberSpan(result, "messages"))) {
			const content = memberSpan(indexObject(bytes, item), "content");
			if (content !== undefined) yield* contentUris(bytes, content);
		}
	}
}

/** A content block that links to a resource, or holds one. */
function* contentUris(bytes: Buffer, span: Span): Iterable<Span> {
	const block = indexObject(bytes, span);
	const type = readString(bytes, memberSpan(block, "type"));
	if (type === "resource_link") yield* uriOf(bytes, span, "uri");
	if (type !== "resource") return;
	const resource = memberSpan(block, "resource");
	if (resource !== undefined) yield* uriOf(bytes, resource, "uri");
}

function* uriOf(bytes: Buffer, span: Span, key: string): Iterable<Span> {
	const uri = memberSpan(indexObject(bytes, span), key);
	if (uri !== undefined) yield uri;
}

function itemsOf(bytes: Buffer, span: Span | undefined): readonly Span[] {
	return span === undefined ? [] : (indexArray(bytes, span) ?? []);
}
