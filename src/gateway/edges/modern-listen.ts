import { rpc_codes } from "../../protocol/codes.ts";
import { makeFault } from "../../protocol/fault.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { composeNotification } from "../../wire/compose.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readJson, readJsonText } from "../../wire/object.ts";
import { applyEdits, objectEdits, replaceSpan } from "../../wire/splice.ts";
import { declaresTasks } from "../bridge/task-ids.ts";
import { type ClientSide, type Reply, rpcError } from "../call.ts";
import { endpointHello } from "../local/endpoint-hello.ts";
import { recordCall } from "../pipeline.ts";
import type { Push, Pushes } from "../pushes.ts";
import { type Reader, type ReadTarget, readRefusal } from "../read-refusal.ts";
import { renderReply } from "../render.ts";
import { scopeProblem, sharesScope } from "../scope.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";
import { edgeCall } from "./edge-call.ts";
import { traceHeader } from "./exchange.ts";
import type { Viewing } from "./modern-resume.ts";

/** Resources one stream may name. */
const uris_max = 200;
/** Tasks one stream may name. */
const tasks_max = 200;

/** What a client listens for (subscriptions, 2026-07-28). */
interface Filter {
	readonly toolsListChanged?: true;
	readonly promptsListChanged?: true;
	readonly resourcesListChanged?: true;
	readonly resourceSubscriptions?: readonly string[];
	/** Tasks, as the client knows them (SEP-2663). */
	readonly taskIds?: readonly string[];
}

/** Where a stream gets its messages from. */
export interface ListenSources {
	readonly pushes: Pushes;
	readonly subscriptions: ResourceSubscriptions;
	/** Aborts when the gateway stops: streams end gracefully. */
	readonly stopping: AbortSignal;
}

/** Serves `subscriptions/listen`: acknowledges what it can watch, then streams it. */
export async function serveListen(
	viewing: Viewing,
	id: string,
	client: ClientSide,
	sources: ListenSources,
): Promise<void> {
	const { context, exchange, message } = viewing;
	const asked = readJson(message.bytes, memberSpan(message.params, "notifications"));
	const { endpoint, who: principal, request } = exchange;
	const signal = closedSignal(exchange);
	const parts = { endpoint, principal, client, message, signal };
	const call = edgeCall({ ...parts, trace_header: traceHeader(request) }, context);
	const end = async (reply: Reply) => {
		await recordCall(call, reply, context);
		viewing.finish(reply);
	};
	if (typeof asked !== "object" || asked === null || Array.isArray(asked)) {
		await end(rpcError(rpc_codes.invalid_params, "params.notifications must be an object"));
		return;
	}
	const hello = await endpointHello(call, context);
	if (signal.aborted) return end(left(context));
	if (!hello.ok) {
		context.report(hello.problem, { endpoint: endpoint.name, method: message.method });
		return end({ kind: "fault", fault: hello.problem });
	}
	const filter = narrowed(asked as Record<string, unknown>, hello.value.capabilities, client);
	const accepted = await subscribeAll(viewing, filter, client, sources, signal);
	if (signal.aborted) {
		accepted.release();
		return end(left(context));
	}
	const tag = `{"${meta_keys.subscription_id}":${id}}`;
	const ack = `{"notifications":${JSON.stringify(accepted.filter)},"_meta":${tag}}`;
	// The stream may stay for days: what is recorded is that it was opened, and what it took.
	await recordCall(call, { kind: "result", json: ack }, context);
	stream({ viewing, id, client, sources, accepted, ack, tag, signal });
}

/**
 * Aborts when the client is gone. A function of its own, like others here: all closures of one
 * function keep whatever any of them uses, and those of a stream stay for days. Its request and the
 * record of its call are not to stay with them.
 */
function closedSignal({ response }: Viewing["exchange"]): AbortSignal {
	const closed = new AbortController();
	response.once("close", () => closed.abort());
	return closed.signal;
}

/** What a stream that was opened is made of. */
interface Opened {
	readonly viewing: Viewing;
	/** Raw JSON of the id of its request. */
	readonly id: string;
	readonly client: ClientSide;
	readonly sources: ListenSources;
	readonly accepted: Accepted;
	/** Raw JSON of the params that acknowledge it. */
	readonly ack: string;
	/** Raw JSON of the `_meta` that marks its messages. */
	readonly tag: string;
	/** Aborts when the client is gone. */
	readonly signal: AbortSignal;
}

/** Streams what is listened for until one of both sides ends it. */
function stream({ viewing, id, client, sources, accepted, ack, tag, signal }: Opened): void {
	const { exchange, reply, context } = viewing;
	reply.send(composeNotification("notifications/subscriptions/acknowledged", ack).bytes);
	const uris = new Set(accepted.filter.resourceSubscriptions ?? []);
	const nameOf = (push: Push) =>
		push.kind === "task" ? accepted.tasks.get(taskKey(push.server, push.task_id)) : undefined;
	const watcher = watcherOf(exchange, client);
	const mayHear = (target: ReadTarget) => readRefusal(watcher, target, context) === undefined;
	const forget = sources.pushes.listen({
		endpoint: exchange.endpoint.name,
		session_id: undefined,
		shares: (scope_key) => sharesScope(scope_key, client),
		wants(push) {
			const wanted =
				push.kind === "task" ? nameOf(push) !== undefined : wants(accepted.filter, uris, push);
			const target = wanted ? targetOf(push) : undefined;
			return target === undefined ? wanted : mayHear(target);
		},
		deliver: (push, pushed) => reply.send(tagged(renamed(pushed, nameOf(push)), id)),
		end: () => goodbye(),
	});
	const end = () => {
		forget();
		accepted.release();
		sources.stopping.removeEventListener("abort", goodbye);
	};
	const goodbye = () => {
		end();
		const over: Reply = { kind: "result", json: `{"resultType":"complete","_meta":${tag}}` };
		const rendered = renderReply(over, { id, method: "subscriptions/listen", era: "modern" });
		reply.finish(rendered.bytes, rendered.status, rendered.headers);
	};
	signal.addEventListener("abort", end, { once: true });
	sources.stopping.addEventListener("abort", goodbye, { once: true });
}

/** The end of a request whose client did not wait for the answer; nobody is told of it. */
function left({ random }: Viewing["context"]): Reply {
	const message = "The client left before the stream was open.";
	const parts = { code: "call_cancelled", message, level: "debug", retry_safe: true } as const;
	return { kind: "fault", fault: makeFault(random, parts) };
}

/** Keeps what was asked for and the endpoint can do. */
function narrowed(
	asked: Record<string, unknown>,
	capabilities: Readonly<Record<string, unknown>>,
	client: ClientSide,
): Filter {
	const can = (name: string, flag: string) =>
		(capabilities[name] as Record<string, unknown> | undefined)?.[flag] === true;
	const texts = textsIn(asked["resourceSubscriptions"]);
	const task_ids = textsIn(asked["taskIds"]);
	const tasks = declaresTasks(readJsonText(client.capabilities)) && declaresTasks(capabilities);
	const watch = can("resources", "subscribe") && texts.length > 0;
	return {
		...(asked["toolsListChanged"] === true && can("tools", "listChanged")
			? { toolsListChanged: true }
			: {}),
		...(asked["promptsListChanged"] === true && can("prompts", "listChanged")
			? { promptsListChanged: true }
			: {}),
		...(asked["resourcesListChanged"] === true && can("resources", "listChanged")
			? { resourcesListChanged: true }
			: {}),
		...(watch ? { resourceSubscriptions: [...new Set(texts)].slice(0, uris_max) } : {}),
		...(tasks && task_ids.length > 0
			? { taskIds: [...new Set(task_ids)].slice(0, tasks_max) }
			: {}),
	};
}

function textsIn(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** What a stream listens for beside lists, once the servers know. */
interface Accepted {
	readonly filter: Filter;
	/** The client's ids of its tasks, by `taskKey`. */
	readonly tasks: ReadonlyMap<string, string>;
	release(): void;
}

/** Tells the servers what is listened for; what one refuses is left out. */
async function subscribeAll(
	viewing: Viewing,
	filter: Filter,
	client: ClientSide,
	sources: ListenSources,
	signal: AbortSignal,
): Promise<Accepted> {
	const { context, exchange } = viewing;
	const { subscriptions } = sources;
	const watcher = watcherOf(exchange, client);
	const mayHear = (target: ReadTarget) => readRefusal(watcher, target, context) === undefined;
	const kept = new Set<string>();
	const tasks = new Map<string, string>();
	const releases: (() => void)[] = [];
	const { resourceSubscriptions = [], taskIds = [], ...lists } = filter;
	const resources = resourceSubscriptions.map(async (exposed) => {
		const target = subscriptionTarget(exchange.endpoint, exposed);
		if (target === undefined || scopeProblem(target.server, client) !== undefined) return;
		// What may not be read is as unknown as what nobody has.
		if (!mayHear({ method: "resources/read", server: target.server.name, name: target.uri }))
			return;
		const key = context.instanceKey(target.server, client);
		context.served.note(key, exchange.who.tenant);
		const wish = { uri: target.uri, tenant: exchange.who.tenant };
		const refused = await subscriptions.subscribe(target.server, key, wish, signal);
		if (refused !== undefined) return;
		kept.add(exposed);
		releases.push(() => subscriptions.unsubscribe(key, wish));
	});
	const own_tasks = taskIds.map(async (exposed) => {
		// A task of somebody else is as unknown as one that never was.
		const place = context.tasks.open(client.principal, exposed);
		const server = exchange.endpoint.servers.find(({ name }) => name === place?.server);
		if (place === undefined || server === undefined) return;
		if (!mayHear({ method: "tasks/get", server: server.name, name: place.task_id })) return;
		const key =
			context.taskKey(server, client, place.task_id) ?? context.instanceKey(server, client);
		if (!(await subscriptions.watchTask(server, key, place.task_id, signal))) return;
		tasks.set(taskKey(place.server, place.task_id), exposed);
		releases.push(() => subscriptions.forgetTask(key, place.task_id));
	});
	await Promise.all([...resources, ...own_tasks]);
	const uris = resourceSubscriptions.filter((uri) => kept.has(uri));
	const named = new Set(tasks.values());
	const task_ids = taskIds.filter((task_id) => named.has(task_id));
	return {
		filter: {
			...lists,
			...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
			...(task_ids.length === 0 ? {} : { taskIds: task_ids }),
		},
		tasks,
		release: releaseOf(releases),
	};
}

function releaseOf(releases: (() => void)[]): () => void {
	return () => {
		for (const release of releases.splice(0)) release();
	};
}

function watcherOf({ who, endpoint }: Viewing["exchange"], client: ClientSide): Reader {
	return { principal: who, client, endpoint: endpoint.name };
}

/** What somebody has to be allowed to see to hear of it; undefined: nothing in particular. */
function targetOf(push: Push): ReadTarget | undefined {
	switch (push.kind) {
		case "updated":
			return { method: "resources/read", server: push.server, name: push.own_uri };
		case "task":
			return { method: "tasks/get", server: push.server, name: push.task_id };
		default:
			return undefined;
	}
}

function taskKey(server: string, task_id: string): string {
	return JSON.stringify([server, task_id]);
}

/** News of a task under the id its client knows it by; everything else as it is. */
function renamed(message: Message, task_id: string | undefined): Message {
	const span = memberSpan(message.params, "taskId");
	if (task_id === undefined || span === undefined) return message;
	const edited = applyEdits(message.bytes, [replaceSpan(span, JSON.stringify(task_id))]);
	const indexed = indexMessage(edited);
	return indexed.ok ? indexed.value : message;
}

function wants(filter: Filter, uris: ReadonlySet<string>, push: Push): boolean {
	switch (push.kind) {
		case "list_changed":
			return filter[`${push.list}ListChanged`] === true;
		case "updated":
			return uris.has(push.uri);
		default:
			return false;
	}
}

/** The notification with the tag of this stream (subscriptions, 2026-07-28). */
function tagged(message: Message, id: string): Buffer {
	const { bytes, meta, params, envelope } = message;
	const set = { [meta_keys.subscription_id]: id };
	if (meta !== undefined) return applyEdits(bytes, objectEdits(bytes, meta, { set }));
	const tag = `{"${meta_keys.subscription_id}":${id}}`;
	if (params !== undefined) {
		return applyEdits(bytes, objectEdits(bytes, params, { set: { _meta: tag } }));
	}
	return applyEdits(bytes, objectEdits(bytes, envelope, { set: { params: `{"_meta":${tag}}` } }));
}
