import { availableParallelism } from "node:os";
import type { ServerPlan } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import { fail, type Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import { StartAdmission } from "./admission.ts";
import { gatewayStopping, unknownServer } from "./failure.ts";
import { guardEvents, guarded } from "./guard.ts";
import type { InstanceKey } from "./instance-key.ts";
import type { Lease } from "./lease.ts";
import type { LogLine } from "./lines.ts";
import { type AcquireOptions, drain_ms_max, HostedServer } from "./server.ts";
import type { ServerStatus } from "./status.ts";
import type { HostingOptions, Surroundings } from "./surroundings.ts";

export type { InstanceKey } from "./instance-key.ts";
export type { Lease } from "./lease.ts";
export type { LogLine } from "./lines.ts";
export type { AcquireOptions } from "./server.ts";
export type { ServerStatus } from "./status.ts";
export type { HostingOptions } from "./surroundings.ts";

/** How long calls in flight may go on when the gateway stops. */
export const drain_at_stop_ms = 5_000;

/**
 * Runs the servers of a plan: starts, watches, restarts and ends their instances, and hands
 * out leases on them. No server ever waits for another, except for its turn to start.
 */
export class Hosting {
	readonly #around: Surroundings;
	readonly #servers = new Map<string, HostedServer>();
	/** Names of the plan, in its order. */
	#order: readonly string[] = [];
	#stopping: Promise<void> | undefined;

	/** Does nothing yet; the first servers start with `apply`. */
	constructor(options: HostingOptions) {
		const places_max = options.starts_max ?? Math.max(2, 2 * availableParallelism());
		this.#around = {
			...options,
			events: guardEvents(options.events, options.log),
			admission: new StartAdmission({ clock: options.clock, places_max }),
		};
	}

	/**
	 * Makes the given servers the ones that are hosted. Eager ones start; what is gone or runs
	 * in another way than before is drained and ended; the rest is left alone.
	 */
	apply(servers: readonly ServerPlan[]): void {
		if (this.#stopping !== undefined) return;
		for (const plan of servers) {
			const { driver } = plan.spec;
			assert(this.#around.drivers[driver] !== undefined, `there is no driver "${driver}"`);
		}
		const kept = new Set(servers.map((plan) => plan.name));
		this.#order = [...kept];
		for (const server of [...this.#servers.values()]) {
			if (!kept.has(server.name)) this.#remove(server);
		}
		for (const plan of servers) {
			const server = this.#servers.get(plan.name) ?? new HostedServer(plan, this.#around);
			this.#servers.set(plan.name, server);
			server.adopt(plan);
		}
	}

	/**
	 * A lease on an instance, started first where that is needed. Waits at most `wait_ms`; a
	 * server that has failed answers at once with the reason.
	 */
	async acquire(key: InstanceKey, options: AcquireOptions): Promise<Result<Lease, Fault>> {
		const { random } = this.#around;
		if (this.#stopping !== undefined) return fail(gatewayStopping(random, key.server));
		const server = this.#hosted(key.server);
		if (server === undefined) return fail(unknownServer(random, key.server));
		return server.acquire(key, options);
	}

	/** A lease on an instance that is ready and has room; undefined otherwise. */
	tryAcquire(key: InstanceKey): Lease | undefined {
		if (this.#stopping !== undefined) return undefined;
		return this.#servers.get(key.server)?.tryAcquire(key);
	}

	/** Nobody will ask for this key again, as when a session ends: its instance ends too. */
	dismiss(key: InstanceKey): void {
		this.#servers.get(key.server)?.dismiss(key);
	}

	/** What a server offers has become known, or unknown: see `HostingOptions.isKnown`. */
	reconsider(server: string): void {
		this.#hosted(server)?.reconsider();
	}

	/** Every server, in the order of the plan. */
	statuses(): ServerStatus[] {
		return this.#order.flatMap((name) => this.#hosted(name)?.status() ?? []);
	}

	status(server: string): ServerStatus | undefined {
		return this.#hosted(server)?.status();
	}

	/** The last lines a server wrote, or that were noted about it; oldest first. */
	lines(server: string): readonly LogLine[] {
		return this.#servers.get(server)?.journal.lines.all() ?? [];
	}

	/** Calls the listener for each further line until the returned function is called. */
	follow(server: string, listener: (line: LogLine) => void): () => void {
		const lines = this.#servers.get(server)?.journal.lines;
		if (lines === undefined) return () => undefined;
		return lines.follow(guarded(listener, this.#around.log));
	}

	/** Adds an event line to a server's lines. */
	note(server: string, text: string): void {
		this.#servers.get(server)?.journal.lines.push("event", 0, text);
	}

	/**
	 * Resolves when the server is ready or has failed, when nothing is about to happen to it,
	 * or when the wait is over.
	 */
	async settled(server: string, options: { signal?: AbortSignal; wait_ms: number }): Promise<void> {
		await this.#hosted(server)?.settled(options);
	}

	/** Prepares and starts a server anew; resolves when it is ready or has failed. */
	async restart(server: string): Promise<void> {
		if (this.#stopping !== undefined) return;
		await this.#hosted(server)?.restart();
	}

	/**
	 * Drains and closes everything; resolves when nothing is left, in bounded time. No lease is
	 * given from now on.
	 */
	stop(options: { drain_ms?: number } = {}): Promise<void> {
		this.#stopping ??= this.#stop(options.drain_ms ?? drain_at_stop_ms);
		return this.#stopping;
	}

	async #stop(drain_ms: number): Promise<void> {
		const servers = [...this.#servers.values()];
		for (const server of servers) {
			const fault = () => gatewayStopping(this.#around.random, server.name);
			server.remove({ why: "the gateway stops", drain_ms, fault });
		}
		await Promise.all(servers.map((server) => server.emptied()));
		this.#order = [];
	}

	#remove(server: HostedServer): void {
		if (server.plan === undefined) return;
		const fault = () => unknownServer(this.#around.random, server.name);
		server.remove({ why: "removed", drain_ms: drain_ms_max, fault });
		void server.emptied().then(() => {
			// It may have come back in the meantime.
			if (server.plan === undefined && this.#stopping === undefined) {
				this.#servers.delete(server.name);
			}
		});
	}

	/** A server that is in the plan; one that only drains is no longer known. */
	#hosted(name: string): HostedServer | undefined {
		const server = this.#servers.get(name);
		return server?.plan === undefined ? undefined : server;
	}
}
