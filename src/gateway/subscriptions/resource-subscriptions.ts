import type { ServerPlan } from "../../config/plan.ts";
import type { InstanceKey, Lease } from "../../hosting/hosting.ts";
import type { Upstream } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import type { Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { UpstreamListen } from "./upstream-listen.ts";

/** Resources that one instance may be watched for. */
const uris_per_instance_max = 1000;

/** What clients want to hear of one instance. */
interface Watched {
	readonly server: ServerPlan;
	readonly key: InstanceKey;
	/** How many clients want each uri (the server's own uris). */
	readonly uris: Map<string, number>;
	/** Keeps the instance awake as long as somebody listens. */
	lease: Lease | undefined;
	/** The one listen request to a modern instance. */
	listen: UpstreamListen | undefined;
}

/**
 * Subscriptions towards servers, counted: the first client that wants a resource subscribes,
 * the last one that leaves unsubscribes, and an instance that was started anew is told again.
 */
export class ResourceSubscriptions {
	readonly #context: GatewayContext;
	readonly #onPush: (key: InstanceKey, message: Message) => void;
	readonly #watched = new Map<string, Watched>();

	constructor(context: GatewayContext, onPush: (key: InstanceKey, message: Message) => void) {
		this.#context = context;
		this.#onPush = onPush;
	}

	/** Counts a wish without waking anything: sessions that were restored. */
	remember(server: ServerPlan, key: InstanceKey, uri: string): void {
		const watched = this.#watch(server, key);
		watched.uris.set(uri, (watched.uris.get(uri) ?? 0) + 1);
	}

	/** Subscribes, or says why the server refused. */
	async subscribe(
		server: ServerPlan,
		key: InstanceKey,
		uri: string,
		signal: AbortSignal,
	): Promise<Reply | undefined> {
		const watched = this.#watch(server, key);
		const count = watched.uris.get(uri) ?? 0;
		if (count === 0 && watched.uris.size >= uris_per_instance_max) {
			return { kind: "fault", fault: this.#tooMany(server) };
		}
		watched.uris.set(uri, count + 1);
		const problem = await this.#ensure(watched, signal, count === 0 ? uri : undefined);
		if (problem !== undefined) {
			this.#forget(watched, uri);
			this.#releaseUnused(watched);
		}
		return problem;
	}

	/** Takes a wish back. */
	unsubscribe(key: InstanceKey, uri: string): void {
		const watched = this.#watched.get(keyText(key));
		if (watched === undefined || !watched.uris.has(uri)) return;
		if (!this.#forget(watched, uri)) return;
		const { lease } = watched;
		if (lease === undefined) return;
		if (lease.upstream.hello.era === "modern") this.#listen(watched, lease.upstream);
		else void this.#tell(lease.upstream, "resources/unsubscribe", uri, never);
		this.#releaseUnused(watched);
	}

	/** An instance has started: it is told what is still wanted of it. */
	onReady(server: ServerPlan, key: InstanceKey, upstream: Upstream): void {
		const watched = this.#watched.get(keyText(key));
		if (upstream.hello.era === "modern") {
			this.#listen(watched ?? this.#watch(server, key), upstream);
			return;
		}
		if (watched === undefined || watched.uris.size === 0) return;
		watched.lease ??= this.#context.hosting.tryAcquire(key);
		for (const uri of watched.uris.keys()) {
			void this.#tell(upstream, "resources/subscribe", uri, never);
		}
	}

	/** An instance takes no more calls, or is gone. */
	onRetired(key: InstanceKey): void {
		const watched = this.#watched.get(keyText(key));
		if (watched === undefined) return;
		watched.listen?.close();
		watched.listen = undefined;
		this.#release(watched);
		if (watched.uris.size === 0) this.#watched.delete(keyText(key));
	}

	async #ensure(
		watched: Watched,
		signal: AbortSignal,
		added: string | undefined,
	): Promise<Reply | undefined> {
		if (watched.lease === undefined) {
			const wait_ms = watched.server.timeouts.start_ms;
			const lease = await this.#context.hosting.acquire(watched.key, { signal, wait_ms });
			if (!lease.ok) return { kind: "fault", fault: lease.problem };
			if (watched.lease === undefined) watched.lease = lease.value;
			else lease.value.release();
		}
		const { upstream } = watched.lease;
		if (upstream.hello.era === "modern") {
			this.#listen(watched, upstream);
			return undefined;
		}
		if (added === undefined) return undefined;
		return this.#tell(upstream, "resources/subscribe", added, signal);
	}

	async #tell(
		upstream: Upstream,
		method: string,
		uri: string,
		signal: AbortSignal,
	): Promise<Reply | undefined> {
		const outcome = await upstream.request({
			message: composeRequest("0", method, `{"uri":${JSON.stringify(uri)}}`),
			edits: [],
			name: uri,
			signal,
			call_ms: tell_ms,
		});
		if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
		if (outcome.value.error === undefined) return undefined;
		return { kind: "message", message: outcome.value, edits: [] };
	}

	/** (Re)opens the one listen request of a modern instance with all that is wanted now. */
	#listen(watched: Watched, upstream: Upstream): void {
		watched.listen ??= new UpstreamListen(this.#context, watched.server, (message) =>
			this.#onPush(watched.key, message),
		);
		watched.listen.update(upstream, [...watched.uris.keys()]);
	}

	#watch(server: ServerPlan, key: InstanceKey): Watched {
		const text = keyText(key);
		let watched = this.#watched.get(text);
		if (watched === undefined) {
			watched = { server, key, uris: new Map(), lease: undefined, listen: undefined };
			this.#watched.set(text, watched);
		}
		return watched;
	}

	/** True when nobody wants the uri any more. */
	#forget(watched: Watched, uri: string): boolean {
		const count = watched.uris.get(uri) ?? 0;
		if (count > 1) {
			watched.uris.set(uri, count - 1);
			return false;
		}
		watched.uris.delete(uri);
		return true;
	}

	#releaseUnused(watched: Watched): void {
		if (watched.uris.size === 0 && watched.listen === undefined) this.#release(watched);
	}

	#release(watched: Watched): void {
		watched.lease?.release();
		watched.lease = undefined;
	}

	#tooMany(server: ServerPlan) {
		return this.#context.fault({
			code: "overloaded",
			message: `Too many resources of "${server.name}" are subscribed to. Unsubscribe some.`,
			level: "warn",
			server: server.name,
			retry_safe: true,
		});
	}
}

const never = new AbortController().signal;
const tell_ms = 30_000;

function keyText(key: InstanceKey): string {
	return JSON.stringify([key.server, key.scope_key, key.capabilities]);
}
