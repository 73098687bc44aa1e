import { rpc_codes } from "../../protocol/codes.ts";
import {
	type Session,
	type Sessions,
	subscription_chars_max,
	subscriptions_max,
} from "../../sessions/sessions.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { readRefusal, refusedReading } from "../read-refusal.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";

/** True for the two legacy methods that watch resources. */
export function isSubscription(method: string): boolean {
	return method === "resources/subscribe" || method === "resources/unsubscribe";
}

/** What a subscription request is made with. */
export interface Subscriber {
	readonly session: Session | undefined;
	readonly sessions: Sessions;
	readonly subscriptions: ResourceSubscriptions;
	readonly context: GatewayContext;
}

/** Answers `resources/subscribe` and `resources/unsubscribe` (resources, 2025-11-25). */
export async function answerSubscription(call: Call, by: Subscriber): Promise<Reply> {
	const { message, endpoint, client, signal } = call;
	const uri = readString(message.bytes, memberSpan(message.params, "uri"));
	const target = uri === undefined ? undefined : subscriptionTarget(endpoint, uri);
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
	const key = by.context.instanceKey(target.server, client);
	const wish = { uri: target.uri, tenant: call.principal.tenant };
	const known = by.session.subscriptions.has(uri);
	if (message.method === "resources/subscribe") {
		const { server, uri: own } = target;
		const denied = deniedTo(call, server.name, own, by.context);
		if (denied !== undefined) return denied;
		by.context.served.note(key, call.principal.tenant);
		// A second wish for the same resource by the same session is the same wish.
		const refused = known ? undefined : await by.subscriptions.subscribe(server, key, wish, signal);
		if (refused !== undefined) return refused;
		// Another request of the session may have asked for the same meanwhile: that one counts.
		const twice = !known && by.session.subscriptions.has(uri);
		const kept = by.sessions.subscribe(by.session.id, uri);
		// What no session remembers is taken back by nobody.
		if (twice || (!kept && !known)) by.subscriptions.unsubscribe(key, wish);
		if (!kept) {
			return rpcError(rpc_codes.invalid_params, not_kept, { uri: uri.slice(0, shown_chars_max) });
		}
	} else if (known) {
		by.subscriptions.unsubscribe(key, wish);
		by.sessions.unsubscribe(by.session.id, uri);
	}
	return { kind: "result", json: "{}" };
}

const not_kept =
	`A session keeps at most ${subscriptions_max} subscriptions, each to a uri of at most ` +
	`${subscription_chars_max} characters, and only while it is open`;
const shown_chars_max = 200;

/** Who may not read a resource may not watch it either. */
function deniedTo(
	call: Call,
	server: string,
	name: string,
	context: GatewayContext,
): Reply | undefined {
	const { principal, client } = call;
	const by = { principal, client, endpoint: call.endpoint.name };
	const refusal = readRefusal(by, { method: "resources/read", server, name }, context);
	return refusal && refusedReading(call, server, refusal, context);
}
