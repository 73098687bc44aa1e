import { availableParallelism } from "node:os";
import type { ServerPlan } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { InstanceUsage } from "../upstreams/driver.ts";
import { StartAdmission } from "./admission.ts";
import { gatewayStopping, replaced, serverOff, speaksAgainst, unknownServer } from "./failure.ts";
import { guardEvents, guarded } from "./guard.ts";
import type { InstanceKey } from "./instance-key.ts";
import type { Lease } from "./lease.ts";
import type { AcquireOptions, Seeking } from "./leasing.ts";
import type { LogLine } from "./lines.ts";
import type { Oddity } from "./oddities.ts";
import type { Resolved } from "./resolved.ts";
import { drain_ms_max, HostedServer } from "./server.ts";
import type { ServerStatus } from "./status.ts";
import type { HostingOptions, Surroundings } from "./surroundings.ts";
import { Trial, type TrialContents } from "./trial.ts";

export type { InstanceKey } from "./instance-key.ts";
export type { Lease } from "./lease.ts";
export type { AcquireOptions, Seeking } from "./leasing.ts";
export type { LogLine } from "./lines.ts";
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
	/** New versions that run beside the one that takes the calls. */
	readonly #trials = new Map<string, Trial>();
	/** Versions that have been replaced, until nothing of them is left. */
	readonly #leaving = new Set<HostedServer>();
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
	 * server that has failed, or is switched off, answers at once with the reason. Where a new
	 * version on trial cannot be had, the old one is: nothing was sent yet.
	 */
	acquire(key: InstanceKey, options: AcquireOptions): Promise<Result<Lease, Fault>> {
		return this.#acquire(key, options, undefined);
	}

	async #acquire(
		key: InstanceKey,
		options: AcquireOptions,
		unavailable: Trial | undefined,
	): Promise<Result<Lease, Fault>> {
		const { random } = this.#around;
		if (this.#stopping !== undefined) return fail(gatewayStopping(random, key.server));
		const server = this.#hosted(key.server);
		if (server === undefined) return fail(unknownServer(random, key.server));
		const off = this.#around.switchedOff?.(key.server);
		if (off !== undefined) return fail(serverOff(random, key.server, off));
		const trial = this.#trials.get(key.server);
		const may_share = trial !== undefined && trial !== unavailable;
		const is_shared = may_share && trial.takes(callerOf(key, options.caller));
		const chosen = is_shared ? trial.server : server;
		const outcome = await chosen.acquire(key, options);
		if (outcome.ok) {
			const version = is_shared ? "new" : "old";
			return trial === undefined ? outcome : succeed(trial.watch(outcome.value, version));
		}
		if (options.signal.aborted) return outcome;
		// Another version took over while this call waited for the one that is gone.
		const given_up = is_shared && this.#trials.get(key.server) !== trial;
		const replaced = this.#servers.get(key.server) !== server;
		if (given_up || replaced) return this.#acquire(key, options, unavailable);
		if (!is_shared || !speaksAgainst(outcome.problem)) return outcome;
		trial.noteUnavailable();
		return this.#acquire(key, options, trial);
	}

	/** A lease on an instance that is ready, has room, and is not switched off; else undefined. */
	tryAcquire(key: InstanceKey, seeking: Seeking = {}): Lease | undefined {
		if (this.#stopping !== undefined || this.isOff(key.server)) return undefined;
		const server = this.#servers.get(key.server);
		// Nearly always there is no trial, and this is on the way of every call.
		const trial = this.#trials.size === 0 ? undefined : this.#trials.get(key.server);
		if (trial === undefined) return server?.tryAcquire(key, seeking);
		if (trial.takes(callerOf(key, seeking.caller))) return undefined;
		const lease = server?.tryAcquire(key, seeking);
		return lease && trial.watch(lease, "old");
	}

	/**
	 * Whether this call would have to wake or start something that nothing is wrong with. While
	 * a new version is on trial, nothing counts as asleep: versions may differ.
	 */
	sleeps(key: InstanceKey, seeking: Seeking = {}): boolean {
		if (this.#stopping !== undefined || this.#trials.has(key.server)) return false;
		if (this.isOff(key.server)) return false;
		return this.#hosted(key.server)?.sleeps(key, seeking) === true;
	}

	/** Whether this very instance is frozen. */
	isFrozen(key: InstanceKey): boolean {
		return this.#servers.get(key.server)?.isFrozen(key) === true;
	}

	/**
	 * Starts a new version of a server beside the one that takes its calls. One that is on trial
	 * already is given up. `onCount` is called after each call of the share it is given, and when
	 * it has failed for good.
	 */
	try(plan: ServerPlan, onCount: () => void, what: TrialContents = {}): Trial {
		this.#trials.get(plan.name)?.end("another version came");
		const current = this.#servers.get(plan.name);
		assert(current !== undefined, "only a server that is hosted has a new version");
		const trial = new Trial(plan, this.#around, {
			journal: current.journal,
			onCount,
			...what,
		});
		this.#trials.set(plan.name, trial);
		return trial;
	}

	/** A version on trial takes all calls from now on; calls in flight finish on the old. */
	goLive(trial: Trial): void {
		const { name } = trial.plan;
		if (this.#trials.get(name) !== trial) return;
		const old = this.#servers.get(name);
		this.#trials.delete(name);
		this.#servers.set(name, trial.server);
		trial.goLive();
		if (old !== undefined) this.#leave(old);
	}

	/** Resolves when nothing runs any more of versions of a server that were replaced. */
	async departed(server: string): Promise<void> {
		const old = [...this.#leaving].filter(({ name }) => name === server);
		await Promise.all(old.map((one) => one.emptied()));
	}

	/** A version on trial is given up; the old one takes all calls again. */
	giveUp(trial: Trial, why: string): void {
		const { name } = trial.plan;
		if (this.#trials.get(name) === trial) this.#trials.delete(name);
		this.#leaving.add(trial.server);
		trial.end(why);
		void trial.server.emptied().then(() => this.#leaving.delete(trial.server));
	}

	/** The version of a server that is on trial now. */
	trial(server: string): Trial | undefined {
		return this.#trials.get(server);
	}

	/** What a server was resolved to, once that is known. */
	resolved(server: string): Resolved | undefined {
		return this.#hosted(server)?.resolved;
	}

	/** Nobody will ask for this key again, as when a session ends: its instance ends too. */
	dismiss(key: InstanceKey): void {
		this.#servers.get(key.server)?.dismiss(key);
		this.#trials.get(key.server)?.server.dismiss(key);
	}

	/** A person has authorized the use of a server: what waited for that is tried again. */
	agreed(server: string): void {
		if (this.#stopping === undefined) this.#hosted(server)?.agreed();
	}

	/**
	 * What a server offers has become known, or unknown, or it was switched off, or on: see
	 * `HostingOptions.isKnown` and `HostingOptions.switchedOff`.
	 */
	reconsider(server: string): void {
		this.#hosted(server)?.reconsider();
		this.#trials.get(server)?.server.reconsider();
	}

	/** Whether nothing of a server is started now, see `HostingOptions.switchedOff`. */
	isOff(server: string): boolean {
		return this.#around.switchedOff?.(server) !== undefined;
	}

	/** Every server, in the order of the plan. */
	statuses(): ServerStatus[] {
		return this.#order.flatMap((name) => this.#hosted(name)?.status() ?? []);
	}

	status(server: string): ServerStatus | undefined {
		return this.#hosted(server)?.status();
	}

	/** What each instance of a server uses now, by their numbers. */
	async usage(server: string): Promise<ReadonlyMap<number, InstanceUsage>> {
		return (await this.#hosted(server)?.usage()) ?? new Map();
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

	/** What a server did that no server should, since this gateway has started. */
	oddities(server: string): readonly Oddity[] {
		return this.#servers.get(server)?.journal.oddities.all() ?? [];
	}

	/** A server did something that no server should: see `Oddities`. */
	noteOddity(server: string, text: string): void {
		this.#servers.get(server)?.journal.noteOddity(text);
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

	/**
	 * Keeps everything of a server from running until the returned function is called, so that
	 * its files can be copied as they are at one moment. Calls wait meanwhile.
	 */
	still(server: string): Promise<() => Promise<void>> {
		return this.#hosted(server)?.still() ?? Promise.resolve(() => Promise.resolve());
	}

	/** Resolves when nothing of a server that was taken out is left. */
	async gone(server: string): Promise<void> {
		const hosted = this.#servers.get(server);
		if (hosted?.plan === undefined) await hosted?.emptied();
	}

	/** Prepares and starts a server anew; resolves when it is ready or has failed. */
	async restart(server: string): Promise<void> {
		if (this.#stopping !== undefined) return;
		await this.#hosted(server)?.restart();
	}

	/** Wakes what sleeps of a server; where nothing runs, what was asked for last is started. */
	wake(server: string): void {
		if (this.#stopping === undefined) this.#hosted(server)?.wake();
	}

	/** Puts to sleep what of a server nobody uses now; false where there is nothing such. */
	freeze(server: string): boolean {
		if (this.#stopping !== undefined) return false;
		return this.#hosted(server)?.freeze() ?? false;
	}

	/** Exchanges instances whose values have changed, see `HostedServer.refreshValues`. */
	async refreshValues(): Promise<void> {
		if (this.#stopping !== undefined) return;
		await Promise.all([...this.#servers.values()].map((server) => server.refreshValues()));
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
		for (const trial of [...this.#trials.values()]) this.giveUp(trial, "the gateway stops");
		const servers = [...this.#servers.values(), ...this.#leaving];
		for (const server of servers) {
			const fault = () => gatewayStopping(this.#around.random, server.name);
			server.remove({ why: "the gateway stops", drain_ms, fault });
		}
		await Promise.all(servers.map((server) => server.emptied()));
		this.#order = [];
	}

	#leave(old: HostedServer): void {
		this.#leaving.add(old);
		const fault = () => replaced(this.#around.random, old.name);
		old.remove({ why: "replaced by a new version", drain_ms: drain_ms_max, fault });
		void old.emptied().then(() => this.#leaving.delete(old));
	}

	#remove(server: HostedServer): void {
		if (server.plan === undefined) return;
		const trial = this.#trials.get(server.name);
		if (trial !== undefined) this.giveUp(trial, "the server was removed");
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

/** Who a call counts as while versions share the calls; undefined: nobody in particular. */
function callerOf(key: InstanceKey, caller: string | undefined): string | undefined {
	return caller ?? (key.scope_key === "" ? undefined : key.scope_key);
}
