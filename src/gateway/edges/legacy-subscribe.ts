import { rpc_codes } from "../../protocol/codes.ts";
import type { Session, Sessions } from "../../sessions/sessions.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type ClientSide, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";

/** True for the two legacy methods that watch resources. */
export function isSubscription(method: string): boolean {
	return method === "resources/subscribe" || method === "resources/unsubscribe";
}

/** What a subscription request is made with. */
export interface Subscriber {
	readonly endpoint: Endpoint;
	readonly client: ClientSide;
	readonly session: Session | undefined;
	readonly sessions: Sessions;
	readonly subscriptions: ResourceSubscriptions;
	readonly context: GatewayContext;
	readonly signal: AbortSignal;
}

/** Answers `resources/subscribe` and `resources/unsubscribe` (resources, 2025-11-25). */
export async function answerSubscription(message: Message, by: Subscriber): Promise<Reply> {
	const uri = readString(message.bytes, memberSpan(message.params, "uri"));
	const target = uri === undefined ? undefined : subscriptionTarget(by.endpoint, uri);
	if (uri === undefined) {
		return rpcError(rpc_codes.invalid_params, "params.uri must be a string");
	}
	if (target === undefined) {
		// Whoever stops watching what is gone, or never was, has what it wants.
		if (message.method === "resources/unsubscribe") {
			if (by.session !== undefined) by.sessions.unsubscribe(by.session.id, uri);
			return { kind: "result", json: "{}" };
		}
		return rpcError(rpc_codes.resource_not_found, "There is no such resource here", { uri });
	}
	if (by.session === undefined) {
		const text = "A subscription needs a session: send initialize first";
		return rpcError(rpc_codes.invalid_request, text);
	}
	const key = by.context.instanceKey(target.server, by.client);
	const known = by.session.subscriptions.has(uri);
	if (message.method === "resources/subscribe") {
		if (by.context.switches?.isServerOff(target.server.name) === true) {
			return rpcError(
				rpc_codes.invalid_request,
				`The server "${target.server.name}" is switched off`,
			);
		}
		const { server, uri: own } = target;
		// A second wish for the same resource by the same session is the same wish.
		const refused = known
			? undefined
			: await by.subscriptions.subscribe(server, key, own, by.signal);
		if (refused !== undefined) return refused;
		by.sessions.subscribe(by.session.id, uri);
	} else if (known) {
		by.subscriptions.unsubscribe(key, target.uri);
		by.sessions.unsubscribe(by.session.id, uri);
	}
	return { kind: "result", json: "{}" };
}
