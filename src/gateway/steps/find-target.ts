import type { ServerPlan } from "../../config/plan.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { nameSource } from "../../protocol/headers.ts";
import type { Message, Span } from "../../wire/message.ts";
import { indexObject, memberSpan, readJsonText, readName, readString } from "../../wire/object.ts";
import { replaceSpan } from "../../wire/splice.ts";
import { asksForTask } from "../bridge/legacy-tasks.ts";
import {
	approval_place,
	declaresTasks,
	type TaskPlace,
	tasks_extension,
} from "../bridge/task-ids.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { extensionOf } from "../local/bundle-extensions.ts";
import { type Found, findExposed } from "../local/bundle-view.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";
import { unknownTool } from "./check-offered.ts";

/**
 * Where: the server a call goes to, and what the thing is called there. A single server is
 * transparent; in a bundle the name says which server, and is changed back to its own.
 */
export function findTarget(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	if (call.endpoint.kind === "single") return findSingle(call, context);
	switch (call.method) {
		case "tools/call":
			return findNamed(call, context, "tools", memberSpan(call.message.params, "name"));
		case "prompts/get":
			return findNamed(call, context, "prompts", memberSpan(call.message.params, "name"));
		case "resources/read":
			return findResource(call, memberSpan(call.message.params, "uri"));
		case "completion/complete":
			return findReference(call, context);
		case "skills/get":
		case "resources/directory/read":
			return findResource(call, memberSpan(call.message.params, "uri"));
		case "tasks/get":
		case "tasks/update":
		case "tasks/cancel":
			return findTask(call, context);
		default:
			return rpcError(
				rpc_codes.method_not_found,
				`Method not found at an address of several servers: ${call.method}. ` +
					"Use the address of one server.",
			);
	}
}

function findSingle(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	const server = call.endpoint.servers[0] as ServerPlan;
	if (asksForTask(call.method) && hasLegacyTasks(call, server, context)) {
		return findLegacyTask(call, server, context);
	}
	const source = nameSource(call.method);
	if (
		source === "taskId" &&
		(hasBoundTasks(call, server, context) || mayBeApproval(call, context))
	) {
		return findTask(call, context);
	}
	if (call.method === "completion/complete") return findCompleted(call, server);
	const span = source === undefined ? undefined : memberSpan(call.message.params, source);
	const name = readName(call.message.bytes, span);
	if (source !== undefined && name === undefined) {
		return rpcError(rpc_codes.invalid_params, `params.${source} must be a string`);
	}
	call.target = { server, name };
	return undefined;
}

function findNamed(
	call: Call,
	context: GatewayContext,
	kind: "tools" | "prompts",
	span: Span | undefined,
): Reply | undefined | Promise<Reply | undefined> {
	const exposed = readString(call.message.bytes, span);
	if (exposed === undefined || span === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.name must be a string");
	}
	const found = findExposed(call.endpoint, kind, exposed, context, call);
	if (found instanceof Promise) {
		return found.then((later) => aim(call, kind, exposed, span, later));
	}
	return aim(call, kind, exposed, span, found);
}

function aim(
	call: Call,
	kind: "tools" | "prompts",
	exposed: string,
	span: Span,
	found: Found,
): Reply | undefined {
	if (found.kind === "absent") return { kind: "fault", fault: found.fault };
	if (found.kind === "unknown") {
		if (kind === "tools") return unknownTool(exposed);
		const error = rpcError(rpc_codes.invalid_params, `Unknown prompt: ${exposed}`);
		return { ...error, reason: "not_offered" };
	}
	call.target = { server: found.server, name: found.name, exposed_name: exposed };
	call.edits.push(replaceSpan(span, JSON.stringify(found.name)));
	return undefined;
}

function findResource(call: Call, span: Span | undefined): Reply | undefined {
	const exposed = readString(call.message.bytes, span);
	if (exposed === undefined || span === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.uri must be a string");
	}
	const target = subscriptionTarget(call.endpoint, exposed);
	if (target === undefined) return unknownResource(call, exposed);
	call.target = { server: target.server, name: target.uri, exposed_name: exposed };
	call.edits.push(replaceSpan(span, JSON.stringify(target.uri)));
	return undefined;
}

/**
 * Whether the ids of a server's tasks are given to clients bound to their owner: those of the
 * extension are, and so are those of 2025-11-25, whose ids stand in other places.
 */
function hasBoundTasks(call: Call, server: ServerPlan, context: GatewayContext): boolean {
	const catalog = context.catalogs.get(server.name);
	if (catalog === undefined) return call.client.era === "modern";
	return catalog.era === "modern" && extensionOf(catalog, tasks_extension) !== undefined;
}

/** Whether a call is about a task of 2025-11-25, as far as the server is known. */
function hasLegacyTasks(call: Call, server: ServerPlan, context: GatewayContext): boolean {
	return call.client.era === "legacy" && context.catalogs.get(server.name)?.era !== "modern";
}

/** A task of 2025-11-25: its id is bound to its owner like that of the extension. */
function findLegacyTask(
	call: Call,
	server: ServerPlan,
	context: GatewayContext,
): Reply | undefined {
	const span = memberSpan(call.message.params, "taskId");
	const exposed = readString(call.message.bytes, span);
	if (exposed === undefined || span === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.taskId must be a string");
	}
	const place = context.tasks.open(call.client.principal, exposed);
	if (place?.server !== server.name) {
		return rpcError(rpc_codes.invalid_params, `Unknown task: ${exposed}`);
	}
	call.target = { server, name: place.task_id, exposed_name: exposed };
	call.edits.push(replaceSpan(span, JSON.stringify(place.task_id)));
	return undefined;
}

/** Whether a task may be asked about that is a call which waits, or waited, for people. */
function mayBeApproval(call: Call, context: GatewayContext): boolean {
	if (call.client.era !== "modern") return false;
	if (context.approvals?.tasks?.may_make === true) return true;
	const { bytes, params } = call.message;
	const exposed = readString(bytes, memberSpan(params, "taskId"));
	if (exposed === undefined) return false;
	return context.tasks.open(call.client.principal, exposed)?.server === approval_place;
}

/** The server that made a task; a task of somebody else is as unknown as one that never was. */
function findTask(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	const span = memberSpan(call.message.params, "taskId");
	const exposed = readString(call.message.bytes, span);
	if (exposed === undefined || span === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.taskId must be a string");
	}
	if (!declaresTasks(readJsonText(call.client.capabilities))) {
		// The code for a missing capability is the modern revision's own.
		if (call.client.era === "legacy") {
			return rpcError(rpc_codes.method_not_found, `Method not found: ${call.method}`);
		}
		return rpcError(
			rpc_codes.missing_client_capability,
			`${call.method} needs a client that declares the extension ${tasks_extension}`,
			{ requiredCapabilities: { extensions: { [tasks_extension]: {} } } },
		);
	}
	const place = context.tasks.open(call.client.principal, exposed);
	if (place?.server === approval_place) return findApproval(call, place.task_id, exposed, context);
	return aimAtTask(call, exposed, place);
}

function aimAtTask(call: Call, exposed: string, place: TaskPlace | undefined): Reply | undefined {
	const span = memberSpan(call.message.params, "taskId");
	const server = call.endpoint.servers.find(({ name }) => name === place?.server);
	if (place === undefined || server === undefined || span === undefined) {
		return rpcError(rpc_codes.invalid_params, `Unknown task: ${exposed}`);
	}
	call.target = { server, name: place.task_id, exposed_name: exposed };
	call.edits.push(replaceSpan(span, JSON.stringify(place.task_id)));
	return undefined;
}

/** A call that people decide about; its server is asked only once that has made a task of it. */
async function findApproval(
	call: Call,
	approval_id: string,
	exposed: string,
	context: GatewayContext,
): Promise<Reply | undefined> {
	const found = await context.approvals?.tasks?.find(call, approval_id);
	const server = call.endpoint.servers.find(({ name }) => name === found?.server);
	if (found === undefined || server === undefined) return aimAtTask(call, exposed, undefined);
	const { task_id } = found;
	if (task_id !== undefined) return aimAtTask(call, exposed, { server: server.name, task_id });
	call.target = { server, name: approval_id, exposed_name: exposed, approval_id };
	return undefined;
}

/** A resource nobody has: each era has its own code for it (SEP-2164). */
function unknownResource(call: Call, uri: string): Reply {
	const code =
		call.client.era === "modern" ? rpc_codes.invalid_params : rpc_codes.resource_not_found;
	return { ...rpcError(code, "Resource not found", { uri }), reason: "not_offered" };
}

/** A completion is asked for by what it completes: a prompt or a resource template. */
function findReference(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	const reference = referenceOf(call.message);
	if (reference === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.ref must be an object with a type");
	}
	if (reference.type === prompt_reference) {
		return findNamed(call, context, "prompts", reference.name);
	}
	return findResource(call, reference.uri);
}

/** What is completed at a server's own address, where its names are as they are. */
function findCompleted(call: Call, server: ServerPlan): Reply | undefined {
	const reference = referenceOf(call.message);
	if (reference === undefined) return no_reference;
	const is_prompt = reference.type === prompt_reference;
	const name = readString(call.message.bytes, is_prompt ? reference.name : reference.uri);
	// One without a name, or of another type, is none that rules could be asked about.
	if (name === undefined || !(is_prompt || reference.type === "ref/resource")) return no_reference;
	call.target = { server, name };
	return undefined;
}

const no_reference = rpcError(
	rpc_codes.invalid_params,
	"params.ref must be a ref/prompt with a name, or a ref/resource with a uri",
);

/** The type of a reference to a prompt (completion, 2025-11-25). */
export const prompt_reference = "ref/prompt";

/** What a completion says that it completes; undefined where it does not say. */
export function referenceOf(
	message: Message,
): { type: string; name: Span | undefined; uri: Span | undefined } | undefined {
	const span = memberSpan(message.params, "ref");
	const reference = span === undefined ? undefined : indexObject(message.bytes, span);
	const type = readString(message.bytes, memberSpan(reference, "type"));
	if (type === undefined) return undefined;
	return { type, name: memberSpan(reference, "name"), uri: memberSpan(reference, "uri") };
}
