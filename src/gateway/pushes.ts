import { changedKinds } from "../catalog/server-catalog.ts";
import type { InstanceKey } from "../hosting/hosting.ts";
import { keyText } from "../hosting/instance-key.ts";
import { exposedUri } from "../protocol/names.ts";
import { composeNotification } from "../wire/compose.ts";
import { indexMessage } from "../wire/index-message.ts";
import type { Message } from "../wire/message.ts";
import { memberSpan, readString } from "../wire/object.ts";
import { applyEdits, replaceSpan } from "../wire/splice.ts";
import { task_status } from "./bridge/legacy-tasks.ts";
import type { GatewayContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { Rereading } from "./rereading.ts";
import { audienceOf } from "./scope.ts";
import { taskNews } from "./steps/hold-task.ts";

/** Which lists can change. */
export type ListKind = "tools" | "resources" | "prompts";

/** Something a server says to nobody in particular. */
export type Push =
	| { readonly kind: "list_changed"; readonly list: ListKind }
	/** `uri` as this endpoint's clients know it, and the server's own. */
	| {
			readonly kind: "updated";
			readonly server: string;
			readonly uri: string;
			readonly own_uri: string;
	  }
	/** News of a task; `task_id` is the server's own. */
	| { readonly kind: "task"; readonly server: string; readonly task_id: string }
	| { readonly kind: "log"; readonly level: string | undefined }
	| { readonly kind: "other" };

/** A client that can be pushed to now: a legacy push stream, or a modern subscription. */
export interface PushListener {
	/** Name of the endpoint it listens at. */
	readonly endpoint: string;
	/** Its legacy session, where it has one. */
	readonly session_id: string | undefined;
	/** Whether the instances of this scope work for it, too. */
	shares(scope_key: string): boolean;
	/** `key` is that of the instance that says it; undefined where the gateway does. */
	wants(push: Push, key: InstanceKey | undefined): boolean;
	deliver(push: Push, message: Message): void;
	/** The address is no longer served: the stream ends. */
	end(): void;
}

/** Brings what servers push to the clients that listen for it. */
export class Pushes {
	readonly #context: GatewayContext;
	readonly #endpoints: () => ReadonlyMap<string, Endpoint>;
	readonly #listeners = new Set<PushListener>();
	readonly #rereading: Rereading<InstanceKey>;

	constructor(context: GatewayContext, endpoints: () => ReadonlyMap<string, Endpoint>) {
		this.#context = context;
		this.#endpoints = endpoints;
		this.#rereading = new Rereading({
			clock: context.clock,
			nameOf: (key) => `${key.server}\0${keyText(key)}`,
			read: (key, waited) => this.#reread(key, waited),
			onOften: ({ server }, pause_ms) =>
				context.hosting.noteOddity(
					server,
					"says again and again that its lists have changed: they are read again after " +
						`${pause_ms / 1000} s`,
				),
		});
		context.catalogs.onChange(({ server, kinds }) => {
			for (const list of kinds) this.#listChanged(server, list);
		});
	}

	/** Listeners there are now. */
	get count(): number {
		return this.#listeners.size;
	}

	/** Adds a listener; the returned function removes it. */
	listen(listener: PushListener): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Takes one message that an instance sent outside of any call. */
	onPush(key: InstanceKey, message: Message): void {
		if (this.#context.switches?.isServerOff(key.server) === true) return;
		if (list_changed.test(message.method ?? "")) {
			this.#rereading.ask(key);
			return;
		}
		const news = taskNews(message);
		if (news !== undefined) this.#context.task_holds.onPush(key, news);
		// Nobody can tell whose task it is; clients must not rely on this news (2025-11-25, tasks).
		if (message.method === task_status) return;
		const push = pushOf(key.server, message);
		for (const endpoint of this.#endpointsWith(key.server)) {
			if (push.kind === "other" && endpoint.kind === "bundle") continue;
			const seen = seenAt(endpoint, key.server, push, message);
			this.#deliver(endpoint.name, key, seen.push, seen.message);
		}
	}

	/**
	 * Tells the clients of addresses that lost or gained a server whose lists are known, after
	 * the configuration has changed. A server that is new tells with its first reading. Streams
	 * at addresses that are gone end.
	 */
	onReplaced(former: ReadonlyMap<string, Endpoint>): void {
		for (const listener of [...this.#listeners]) {
			if (!this.#endpoints().has(listener.endpoint)) listener.end();
		}
		for (const endpoint of this.#endpoints().values()) {
			const before = former.get(endpoint.name);
			if (before === undefined) continue;
			for (const list of this.#differences(before, endpoint)) this.#announce(endpoint, list);
		}
	}

	/** What may be listed has changed in a way that no catalog tells. */
	announceEverything(): void {
		for (const endpoint of this.#endpoints().values()) {
			for (const list of ["tools", "resources", "prompts"] as const) {
				this.#announce(endpoint, list);
			}
		}
	}

	#differences(before: Endpoint, after: Endpoint): ReadonlySet<ListKind> {
		const names = (endpoint: Endpoint) => new Set(endpoint.servers.map(({ name }) => name));
		const changed = names(before).symmetricDifference(names(after));
		const lists = new Set<ListKind>();
		for (const server of changed) {
			const kinds = changedKinds(this.#context.catalogs.get(server), undefined);
			for (const kind of kinds) lists.add(kind);
		}
		if (JSON.stringify(before.tools) !== JSON.stringify(after.tools)) lists.add("tools");
		return lists;
	}

	/**
	 * A server says that its lists changed: the catalog is read again, and clients are told
	 * when that shows a difference. So what they are told of is there when they ask.
	 */
	#reread(key: InstanceKey, waited: boolean): Promise<unknown> | "asleep" | undefined {
		const { hosting, catalogs } = this.#context;
		const server = this.#serverPlan(key.server);
		if (server === undefined) return undefined;
		const lease = hosting.tryAcquire(key, { kind: "hold", wakes: !waited });
		if (lease === undefined) return hosting.isFrozen(key) ? "asleep" : undefined;
		const never = new AbortController().signal;
		return catalogs
			.refresh(server, lease.upstream, never, audienceOf(key))
			.finally(() => lease.release());
	}

	#listChanged(server: string, list: ListKind): void {
		for (const endpoint of this.#endpointsWith(server)) this.#announce(endpoint, list);
	}

	#announce(endpoint: Endpoint, list: ListKind): void {
		const message = composeNotification(`notifications/${list}/list_changed`, undefined);
		this.#deliver(endpoint.name, undefined, { kind: "list_changed", list }, message);
	}

	#deliver(endpoint: string, key: InstanceKey | undefined, push: Push, message: Message): void {
		const told = new Set<string>();
		for (const listener of this.#listeners) {
			if (listener.endpoint !== endpoint || !listener.wants(push, key)) continue;
			const { session_id } = listener;
			// What somebody's own instance says is for them alone.
			if (key !== undefined && !listener.shares(key.scope_key)) continue;
			// A message travels on one of a session's streams only (transports, 2025-11-25).
			if (session_id !== undefined && told.has(session_id)) continue;
			if (session_id !== undefined) told.add(session_id);
			listener.deliver(push, message);
		}
	}

	#serverPlan(server: string) {
		return this.#endpoints()
			.get(server)
			?.servers.find(({ name }) => name === server);
	}

	*#endpointsWith(server: string): Iterable<Endpoint> {
		for (const endpoint of this.#endpoints().values()) {
			if (endpoint.servers.some(({ name }) => name === server)) yield endpoint;
		}
	}
}

const list_changed = /^notifications\/(tools|resources|prompts)\/list_changed$/;

function pushOf(server: string, message: Message): Push {
	const text = (key: string) => readString(message.bytes, memberSpan(message.params, key));
	if (message.method === "notifications/message") return { kind: "log", level: text("level") };
	const uri = text("uri");
	if (message.method === "notifications/resources/updated" && uri !== undefined) {
		return { kind: "updated", server, uri, own_uri: uri };
	}
	const task_id = text("taskId");
	if (message.method === "notifications/tasks" && task_id !== undefined) {
		return { kind: "task", server, task_id };
	}
	return { kind: "other" };
}

/** The push as the clients of one endpoint see it: a bundle's uris carry the server's name. */
function seenAt(
	endpoint: Endpoint,
	server: string,
	push: Push,
	message: Message,
): { push: Push; message: Message } {
	const span = memberSpan(message.params, "uri");
	if (push.kind !== "updated" || endpoint.kind === "single" || span === undefined) {
		return { push, message };
	}
	const uri = exposedUri(server, push.uri);
	const edited = applyEdits(message.bytes, [replaceSpan(span, JSON.stringify(uri))]);
	const indexed = indexMessage(edited);
	return { push: { ...push, uri }, message: indexed.ok ? indexed.value : message };
}
