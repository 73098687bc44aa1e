import { createHash } from "node:crypto";
import type { ServerPlan } from "../config/plan.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { trialFailed, trialGivenUp } from "./failure.ts";
import { baseKey, type InstanceKey } from "./instance-key.ts";
import type { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import { resolve_ms_max } from "./preparation.ts";
import type { Locked, Resolved } from "./resolved.ts";
import { HostedServer } from "./server.ts";
import type { ServerStatus } from "./status.ts";
import type { HostingEvents, Surroundings } from "./surroundings.ts";

/** How many calls a version was given during a trial, and how many of them failed. */
export interface CallCount {
	readonly calls: number;
	readonly failed: number;
}

/** What a version on trial is made of, where that is not what its server has. */
export interface TrialContents {
	/** What it runs, where that is not what the lock says. */
	readonly locked?: Locked | undefined;
	/** A server whose volumes it uses, and that does not run: until it goes live. */
	readonly volumes_of?: string | undefined;
}

/** What a trial is made with. */
export interface TrialOptions extends TrialContents {
	readonly journal: Journal;
	/** Called after each call of its share, and when it has failed for good. */
	readonly onCount: () => void;
}

/**
 * A new version of a server, run beside the one that takes the calls. Nobody hears of it until
 * it goes live, except for the share of the calls it is given.
 */
export class Trial {
	readonly plan: ServerPlan;
	readonly server: HostedServer;
	/**
	 * Resolves once: with a lease on its first instance, or with why there is none; with undefined
	 * where no instance can be without a person of whom it is.
	 */
	readonly ready: Promise<Result<Lease | undefined, Fault>>;
	readonly #around: Surroundings;
	readonly #readied: { readonly key: InstanceKey; readonly upstream: Upstream }[] = [];
	readonly #given_up = Promise.withResolvers<Result<Lease, Fault>>();
	readonly #onCount: () => void;
	#percent = 0;
	#new_count: CallCount = no_calls;
	#old_count: CallCount = no_calls;
	#tried = false;
	#failure: string | undefined;
	#live = false;

	constructor(plan: ServerPlan, around: Surroundings, options: TrialOptions) {
		this.plan = plan;
		this.#around = around;
		this.#onCount = options.onCount;
		const events = this.#events(around.events);
		const { journal, locked, volumes_of } = options;
		const lasts = () => !this.#live;
		const volumes =
			volumes_of === undefined
				? around.volumes
				: around.volumes?.borrow({ server: plan.name, from: volumes_of, lasts });
		// What an administrator deploys is tried all the same: it may be what makes it right again.
		// But only tried: what ends later is not started again while its server is off.
		const switchedOff = (name: string) => (this.#tried ? around.switchedOff?.(name) : undefined);
		const own = { ...around, events, volumes, switchedOff };
		this.server = new HostedServer(plan, own, { journal, locked });
		this.server.adopt(plan);
		this.ready = Promise.race([this.#start(), this.#given_up.promise]);
		void this.ready.then(() => {
			this.#tried = true;
		});
	}

	/** What it was resolved to; undefined until then. */
	get resolved(): Resolved | undefined {
		return this.server.resolved;
	}

	/** Share of the calls it gets, in percent. */
	get percent(): number {
		return this.#percent;
	}

	/** The calls of its share. */
	get new_count(): CallCount {
		return this.#new_count;
	}

	/** The calls that went to the old version meanwhile: some fail with any version. */
	get old_count(): CallCount {
		return this.#old_count;
	}

	/** Why it does not run any more though it was ready once, and is shared by all: a sentence. */
	get failure(): string | undefined {
		return this.#failure;
	}

	/** A call of its share found nothing that could take it. */
	noteUnavailable(): void {
		this.#new_count = counted(this.#new_count, false);
		this.#onCount();
	}

	/** Gives it a share of the calls; `counted` are those that a run before this one counted. */
	share(
		percent: number,
		counted?: { readonly new_count: CallCount; readonly old_count: CallCount },
	) {
		this.#percent = percent;
		if (counted === undefined) return;
		this.#new_count = counted.new_count;
		this.#old_count = counted.old_count;
	}

	/**
	 * Whether a call is one of its share. All calls of one caller go the same way, so that nobody
	 * meets two versions in turn; calls of nobody in particular are drawn.
	 */
	takes(caller: string | undefined): boolean {
		if (this.#percent === 0) return false;
		return this.#place(caller) < this.#percent / 100;
	}

	/** A lease that tells how its call ended; `version` says on which of the two it is. */
	watch(lease: Lease, version: "new" | "old"): Lease {
		return {
			upstream: lease.upstream,
			key: lease.key,
			callsOver: () => lease.callsOver(),
			hold: () => lease.hold(),
			noteQuestion: () => lease.noteQuestion(),
			release: () => lease.release(),
			report: (ok) => {
				if (version === "new") this.#new_count = counted(this.#new_count, ok);
				else this.#old_count = counted(this.#old_count, ok);
				this.#onCount();
			},
		};
	}

	/** See `HostingOptions.isPersonal`. */
	get #is_personal(): boolean {
		return this.#around.isPersonal?.(this.plan) === true;
	}

	/** It is the server from now on: what happens to it is told like anything else. */
	goLive(): void {
		this.#live = true;
		this.server.followLock();
		for (const { key, upstream } of this.#readied.splice(0)) {
			this.#around.events.onReady(key, upstream);
		}
	}

	/** Ends it; who waits for it hears that it was given up. */
	end(why: string): void {
		const { random } = this.#around;
		this.#given_up.resolve(fail(trialGivenUp(random, this.plan.name, why)));
		const fault = () => trialGivenUp(random, this.plan.name, why);
		this.server.remove({ why: `new version given up: ${why}`, drain_ms: 0, fault });
	}

	/** The first start decides: a version that needs several tries is not better than the old. */
	async #start(): Promise<Result<Lease | undefined, Fault>> {
		if (this.#is_personal) return succeed(undefined);
		const wait_ms = resolve_ms_max + this.plan.timeouts.start_ms;
		const { signal } = new AbortController();
		return await this.server.acquire(baseKey(this.plan.name), { signal, wait_ms });
	}

	#events(events: HostingEvents): HostingEvents {
		return {
			...events,
			onReady: (key, upstream) => {
				if (this.#live) events.onReady(key, upstream);
				else this.#readied.push({ key, upstream });
			},
			onRetired: (key, upstream) => {
				const place = this.#readied.findIndex((one) => one.upstream === upstream);
				if (place >= 0) this.#readied.splice(place, 1);
				else events.onRetired?.(key, upstream);
			},
			onState: (status) => {
				if (this.#live) events.onState(status);
				else this.#onState(status);
			},
		};
	}

	#onState({ reason, code, state }: ServerStatus): void {
		if (reason === undefined) return;
		if (this.#tried) {
			// What fails for one person may be theirs; their calls tell.
			if (state !== "failed" || this.plan.scope !== "shared") return;
			this.#failure = reason;
			this.#onCount();
			return;
		}
		// That people have yet to connect their accounts says nothing against a version.
		if (this.#is_personal && code === "authorization_required") return;
		this.#given_up.resolve(fail(trialFailed(this.#around.random, this.plan.name, reason)));
	}

	/** A caller's place between 0 and 1, the same for every trial of this plan. */
	#place(caller: string | undefined): number {
		if (caller === undefined) return this.#around.random.fraction();
		const text = `${this.plan.fingerprint}\0${caller}`;
		return createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
	}
}

const no_calls: CallCount = { calls: 0, failed: 0 };

function counted({ calls, failed }: CallCount, ok: boolean): CallCount {
	return { calls: calls + 1, failed: failed + (ok ? 0 : 1) };
}
