import type { ServerPlan } from "../../config/plan.ts";
import type { InstanceKey, Lease } from "../../hosting/hosting.ts";
import { type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { Upstream } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import type { Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { hasTasks, UpstreamListen } from "./upstream-listen.ts";

/** Resources that one instance may be watched for, and tasks. */
const uris_per_instance_max = 1000;
const tasks_per_instance_max = 1000;

/** A resource that somebody wants to hear of. */
export interface Wish {
	/** The server's own uri. */
	readonly uri: string;
	readonly tenant: string;
}

/** What clients want to hear of one instance. */
interface Watched {
	readonly server: ServerPlan;
	readonly key: InstanceKey;
	/** How many clients want each uri (the server's own uris). */
	readonly uris: Map<string, number>;
	/** The same of the clients of each tenant: one alone must not take all the room. */
	readonly by_tenant: Map<string, Map<string, number>>;
	/** How many clients want to hear of each task (the server's own ids). */
	readonly tasks: Map<string, number>;
	/** Uris that the instance running now was told of and took. */
	readonly told: Set<string>;
	/** Subscriptions that the server has not answered yet, by uri. */
	readonly asking: Map<string, Promise<Reply | undefined>>;
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
	remember(server: ServerPlan, key: InstanceKey, wish: Wish): void {
		countUp(this.#watch(server, key), wish);
	}

	/** Starts the servers that restored sessions watch: their news would be missed otherwise. */
	wakeWatched(): void {
		for (const watched of this.#watched.values()) {
			if (!isIdle(watched)) void this.#awake(watched, never);
		}
	}

	/** Subscribes, or says why the server refused. */
	async subscribe(
		server: ServerPlan,
		key: InstanceKey,
		wish: Wish,
		signal: AbortSignal,
	): Promise<Reply | undefined> {
		const watched = this.#watch(server, key);
		if (!this.#hasRoom(watched, wish)) return { kind: "fault", fault: this.#tooMany(server) };
		countUp(watched, wish);
		const problem = await this.#subscribe(watched, wish.uri, signal);
		if (problem !== undefined) {
			this.#forget(watched, wish);
			this.#releaseUnused(watched);
		}
		return problem;
	}

	/** Listens for what becomes of a task; false when its server does not tell. */
	async watchTask(
		server: ServerPlan,
		key: InstanceKey,
		task_id: string,
		signal: AbortSignal,
	): Promise<boolean> {
		const watched = this.#watch(server, key);
		const { tasks } = watched;
		if (!tasks.has(task_id) && tasks.size >= tasks_per_instance_max) return false;
		tasks.set(task_id, (tasks.get(task_id) ?? 0) + 1);
		const upstream = await this.#awake(watched, signal);
		if (upstream.ok && hasTasks(upstream.value)) {
			this.#listen(watched, upstream.value);
			return true;
		}
		countDown(tasks, task_id);
		this.#releaseUnused(watched);
		return false;
	}

	/** Takes a wish to hear of a task back. */
	forgetTask(key: InstanceKey, task_id: string): void {
		const watched = this.#watched.get(keyText(key));
		if (watched === undefined || !watched.tasks.has(task_id)) return;
		if (!countDown(watched.tasks, task_id) || watched.lease === undefined) return;
		this.#listen(watched, watched.lease.upstream);
		this.#releaseUnused(watched);
	}

	/** Takes a wish back. */
	unsubscribe(key: InstanceKey, wish: Wish): void {
		const { uri } = wish;
		const watched = this.#watched.get(keyText(key));
		if (watched === undefined || !watched.uris.has(uri)) return;
		if (!this.#forget(watched, wish)) return;
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
			if (watched !== undefined && !isIdle(watched)) {
				watched.lease ??= this.#context.hosting.tryAcquire(key, hold);
			}
			this.#listen(watched ?? this.#watch(server, key), upstream);
			return;
		}
		if (watched === undefined || watched.uris.size === 0) return;
		watched.lease ??= this.#context.hosting.tryAcquire(key, hold);
		for (const uri of watched.uris.keys()) {
			watched.told.add(uri);
			void this.#tell(upstream, "resources/subscribe", uri, never);
		}
	}

	/** An instance takes no more calls, or is gone. */
	onRetired(key: InstanceKey): void {
		const watched = this.#watched.get(keyText(key));
		if (watched === undefined) return;
		watched.listen?.close();
		watched.listen = undefined;
		watched.told.clear();
		this.#release(watched);
		if (isIdle(watched)) this.#watched.delete(keyText(key));
	}

	/**
	 * Subscribes at the server, once for all who want a resource at the same moment: what the
	 * server says to the first, it says to all of them.
	 */
	async #subscribe(watched: Watched, uri: string, signal: AbortSignal): Promise<Reply | undefined> {
		for (;;) {
			const asked = watched.asking.get(uri);
			if (asked === undefined) break;
			const said = await asked;
			if (said?.kind === "message") return { ...said, edits: [...said.edits] };
			// A client that left, or ran out of time, says nothing about the resource.
			if (said === undefined || signal.aborted) return said;
		}
		const asking = this.#ensure(watched, uri, signal);
		watched.asking.set(uri, asking);
		try {
			return await asking;
		} finally {
			watched.asking.delete(uri);
		}
	}

	async #ensure(watched: Watched, uri: string, signal: AbortSignal): Promise<Reply | undefined> {
		const awake = await this.#awake(watched, signal);
		if (!awake.ok) return { kind: "fault", fault: awake.problem };
		const upstream = awake.value;
		if (upstream.hello.era === "modern") {
			this.#listen(watched, upstream);
			return undefined;
		}
		if (watched.told.has(uri)) return undefined;
		const refused = await this.#tell(upstream, "resources/subscribe", uri, signal);
		if (refused === undefined) watched.told.add(uri);
		return refused;
	}

	/** The instance, started and kept awake. */
	async #awake(watched: Watched, signal: AbortSignal): Promise<Result<Upstream, Fault>> {
		if (watched.lease === undefined) {
			const wait_ms = watched.server.timeouts.start_ms;
			const lease = await this.#context.hosting.acquire(watched.key, {
				...hold,
				signal,
				wait_ms,
			});
			if (!lease.ok) return lease;
			if (watched.lease === undefined) watched.lease = lease.value;
			else lease.value.release();
		}
		return succeed(watched.lease.upstream);
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
		watched.listen.update(upstream, [...watched.uris.keys()], [...watched.tasks.keys()]);
	}

	#watch(server: ServerPlan, key: InstanceKey): Watched {
		const text = keyText(key);
		let watched = this.#watched.get(text);
		if (watched === undefined) {
			watched = {
				server,
				key,
				uris: new Map(),
				by_tenant: new Map(),
				tasks: new Map(),
				told: new Set(),
				asking: new Map(),
				lease: undefined,
				listen: undefined,
			};
			this.#watched.set(text, watched);
		}
		return watched;
	}

	/** True when nobody wants the uri any more. */
	#forget(watched: Watched, { uri, tenant }: Wish): boolean {
		const own = watched.by_tenant.get(tenant);
		if (own !== undefined && countDown(own, uri) && own.size === 0)
			watched.by_tenant.delete(tenant);
		if (!countDown(watched.uris, uri)) return false;
		watched.told.delete(uri);
		return true;
	}

	/**
	 * Whether a tenant may watch one more resource of an instance: where there are others, only as
	 * long as it watches fewer than there is room for. See `Admission`.
	 */
	#hasRoom({ key, uris, by_tenant }: Watched, { uri, tenant }: Wish): boolean {
		const own = by_tenant.get(tenant);
		if (own?.has(uri) === true) return true;
		const free = uris_per_instance_max - uris.size;
		// One that others watch takes no room, but counts as one of its own.
		if (free <= 0 && !uris.has(uri)) return false;
		if (key.scope_key !== "" || !this.#context.has_tenants) return true;
		return (own?.size ?? 0) < Math.max(free, 1);
	}

	#releaseUnused(watched: Watched): void {
		if (isIdle(watched)) this.#release(watched);
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

const hold = { kind: "hold" } as const;
const never = new AbortController().signal;
const tell_ms = 30_000;

/** True when no client wants to hear of anything. */
function isIdle({ uris, tasks }: Watched): boolean {
	return uris.size === 0 && tasks.size === 0;
}

function countUp({ uris, by_tenant }: Watched, { uri, tenant }: Wish): void {
	let own = by_tenant.get(tenant);
	if (own === undefined) {
		own = new Map();
		by_tenant.set(tenant, own);
	}
	for (const counts of [uris, own]) counts.set(uri, (counts.get(uri) ?? 0) + 1);
}

/** Takes one away; true when none is left. */
function countDown(counts: Map<string, number>, of: string): boolean {
	const count = counts.get(of) ?? 0;
	if (count > 1) {
		counts.set(of, count - 1);
		return false;
	}
	counts.delete(of);
	return true;
}

function keyText(key: InstanceKey): string {
	return JSON.stringify([key.server, key.scope_key, key.capabilities, key.place ?? 0]);
}
