import { rpc_codes } from "../../protocol/codes.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { composeNotification } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readJson } from "../../wire/object.ts";
import { applyEdits, objectEdits } from "../../wire/splice.ts";
import { type ClientSide, rpcError } from "../call.ts";
import { endpointHello } from "../local/endpoint-hello.ts";
import type { Push, Pushes } from "../pushes.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";
import type { Viewing } from "./modern-resume.ts";

/** Resources one stream may name. */
const uris_max = 200;

/** What a client listens for (subscriptions, 2026-07-28). */
interface Filter {
	readonly toolsListChanged?: true;
	readonly promptsListChanged?: true;
	readonly resourcesListChanged?: true;
	readonly resourceSubscriptions?: readonly string[];
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
	const { context, exchange, finish, message, reply } = viewing;
	const asked = readJson(message.bytes, memberSpan(message.params, "notifications"));
	if (typeof asked !== "object" || asked === null || Array.isArray(asked)) {
		finish(rpcError(rpc_codes.invalid_params, "params.notifications must be an object"));
		return;
	}
	const closed = new AbortController();
	exchange.response.once("close", () => closed.abort());
	const hello = await endpointHello(exchange.endpoint, context, closed.signal);
	if (closed.signal.aborted) return;
	if (!hello.ok) {
		context.report(hello.problem, { endpoint: exchange.endpoint.name, method: message.method });
		finish({ kind: "fault", fault: hello.problem });
		return;
	}
	const filter = narrowed(asked as Record<string, unknown>, hello.value.capabilities);
	const accepted = await subscribeAll(viewing, filter, client, sources, closed.signal);
	if (closed.signal.aborted) {
		accepted.release();
		return;
	}
	const tag = `{"${meta_keys.subscription_id}":${id}}`;
	const ack = `{"notifications":${JSON.stringify(accepted.filter)},"_meta":${tag}}`;
	reply.send(composeNotification("notifications/subscriptions/acknowledged", ack).bytes);
	const uris = new Set(accepted.filter.resourceSubscriptions ?? []);
	const forget = sources.pushes.listen({
		endpoint: exchange.endpoint.name,
		session_id: undefined,
		wants: (push) => wants(accepted.filter, uris, push),
		deliver: (_push, pushed) => reply.send(tagged(pushed, id)),
	});
	const end = () => {
		forget();
		accepted.release();
		sources.stopping.removeEventListener("abort", goodbye);
	};
	const goodbye = () => {
		end();
		finish({ kind: "result", json: `{"resultType":"complete","_meta":${tag}}` });
	};
	closed.signal.addEventListener("abort", end, { once: true });
	sources.stopping.addEventListener("abort", goodbye, { once: true });
}

/** Keeps what was asked for and the endpoint can do. */
function narrowed(
	asked: Record<string, unknown>,
	capabilities: Readonly<Record<string, unknown>>,
): Filter {
	const can = (name: string, flag: string) =>
		(capabilities[name] as Record<string, unknown> | undefined)?.[flag] === true;
	const uris = asked["resourceSubscriptions"];
	const texts = Array.isArray(uris) ? uris.filter((uri) => typeof uri === "string") : [];
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
	};
}

/** Subscribes to the resources at their servers; one that a server refuses is left out. */
async function subscribeAll(
	viewing: Viewing,
	filter: Filter,
	client: ClientSide,
	sources: ListenSources,
	signal: AbortSignal,
): Promise<{ filter: Filter; release(): void }> {
	const { context, exchange } = viewing;
	const kept: string[] = [];
	const releases: (() => void)[] = [];
	await Promise.all(
		(filter.resourceSubscriptions ?? []).map(async (exposed) => {
			const target = subscriptionTarget(exchange.endpoint, exposed);
			if (target === undefined) return;
			const key = context.instanceKey(target.server, client);
			const { subscriptions } = sources;
			const refused = await subscriptions.subscribe(target.server, key, target.uri, signal);
			if (refused !== undefined) return;
			kept.push(exposed);
			releases.push(() => subscriptions.unsubscribe(key, target.uri));
		}),
	);
	const { resourceSubscriptions: _asked, ...lists } = filter;
	const uris = (filter.resourceSubscriptions ?? []).filter((uri) => kept.includes(uri));
	return {
		filter: uris.length === 0 ? lists : { ...lists, resourceSubscriptions: uris },
		release() {
			for (const release of releases.splice(0)) release();
		},
	};
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
