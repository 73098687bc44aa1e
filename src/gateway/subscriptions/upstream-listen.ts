import type { ServerPlan } from "../../config/plan.ts";
import { meta_keys } from "../../protocol/meta.ts";
import type { Upstream } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { readJsonText } from "../../wire/object.ts";
import { applyEdits, objectEdits } from "../../wire/splice.ts";
import { tasks_extension } from "../bridge/task-ids.ts";
import type { GatewayContext } from "../context.ts";

/** The longest time a timer can have: a subscription has no deadline of its own. */
const forever_ms = 2 ** 31 - 1;
/** A server that ends the stream is asked again after this long. */
const again_ms = 5_000;

/**
 * One `subscriptions/listen` request to a modern server. What is wanted is part of the request,
 * so a change opens a new one and then closes the old one: nothing is missed in between.
 */
export class UpstreamListen {
	readonly #context: GatewayContext;
	readonly #server: ServerPlan;
	readonly #onPush: (message: Message) => void;
	#open: AbortController | undefined;
	#wanted = "";

	constructor(context: GatewayContext, server: ServerPlan, onPush: (message: Message) => void) {
		this.#context = context;
		this.#server = server;
		this.#onPush = onPush;
	}

	/** Listens for list changes, for these resources and for these tasks. */
	update(upstream: Upstream, uris: readonly string[], task_ids: readonly string[] = []): void {
		const filter = filterFor(upstream, uris, task_ids);
		if (filter === undefined) {
			this.close();
			return;
		}
		const wanted = JSON.stringify(filter);
		if (wanted === this.#wanted && this.#open !== undefined) return;
		const former = this.#open;
		const cancel = new AbortController();
		this.#open = cancel;
		this.#wanted = wanted;
		void this.#listen(upstream, wanted, cancel);
		former?.abort();
	}

	close(): void {
		this.#open?.abort();
		this.#open = undefined;
		this.#wanted = "";
	}

	async #listen(upstream: Upstream, wanted: string, cancel: AbortController): Promise<void> {
		const { revision } = upstream.hello;
		const meta =
			`{"${meta_keys.protocol_version}":${JSON.stringify(revision)},` +
			`"${meta_keys.client_capabilities}":${hasTasks(upstream) ? tasks_capability : "{}"},` +
			`"${meta_keys.client_info}":${JSON.stringify(this.#context.product)}}`;
		const params = `{"notifications":${wanted},"_meta":${meta}}`;
		const outcome = await upstream.request({
			message: composeRequest("0", "subscriptions/listen", params),
			edits: [],
			name: undefined,
			signal: cancel.signal,
			call_ms: forever_ms,
			onNotification: (message) => this.#take(message),
		});
		if (this.#open !== cancel) return;
		const graceful = outcome.ok && outcome.value.error === undefined;
		if (!graceful) {
			this.#context.hosting.note(this.#server.name, "the server does not take subscriptions");
			return;
		}
		// The server ended the stream; it may be restarting, so it is asked again later.
		this.#context.clock.afterIdle(again_ms, () => {
			if (this.#open === cancel) void this.#listen(upstream, wanted, cancel);
		});
	}

	#take(message: Message): void {
		if (message.method === "notifications/subscriptions/acknowledged") return;
		this.#onPush(withoutSubscription(message));
	}
}

/** What can be listened for at this server; undefined when there is nothing. */
function filterFor(
	upstream: Upstream,
	uris: readonly string[],
	task_ids: readonly string[],
): object | undefined {
	const can = capabilitiesOf(upstream);
	const filter = {
		...(can["tools"]?.["listChanged"] === true ? { toolsListChanged: true } : {}),
		...(can["prompts"]?.["listChanged"] === true ? { promptsListChanged: true } : {}),
		...(can["resources"]?.["listChanged"] === true ? { resourcesListChanged: true } : {}),
		...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
		...(task_ids.length === 0 || !hasTasks(upstream) ? {} : { taskIds: task_ids }),
	};
	return Object.keys(filter).length === 0 ? undefined : filter;
}

/** A server tells of tasks only whoever declares the extension with the request (SEP-2663). */
const tasks_capability = `{"extensions":{"${tasks_extension}":{}}}`;

/** True when a server has the Tasks extension, and so can be listened to for tasks. */
export function hasTasks(upstream: Upstream): boolean {
	if (upstream.hello.era !== "modern") return false;
	return capabilitiesOf(upstream)["extensions"]?.[tasks_extension] !== undefined;
}

function capabilitiesOf(upstream: Upstream): Record<string, Record<string, unknown> | undefined> {
	return readJsonText(upstream.hello.capabilities) as Record<string, Record<string, unknown>>;
}

/** The notification without the tag of the gateway's own subscription. */
export function withoutSubscription(message: Message): Message {
	const { bytes, meta, params } = message;
	if (meta === undefined || params === undefined) return message;
	const only = meta.members.every(({ key }) => key === meta_keys.subscription_id);
	const edits = only
		? objectEdits(bytes, params, { remove: ["_meta"] })
		: objectEdits(bytes, meta, { remove: [meta_keys.subscription_id] });
	const indexed = indexMessage(applyEdits(bytes, edits));
	return indexed.ok ? indexed.value : message;
}
