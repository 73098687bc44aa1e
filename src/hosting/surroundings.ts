import type { Limits, ServerPlan, ServerSpec } from "../config/plan.ts";
import type { OffsetAt } from "../config/warm-times.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type { Log } from "../telemetry/log.ts";
import type { Driver, DriverContext, Spawner, Upstream, UpstreamAsk } from "../upstreams/driver.ts";
import type { EraVerdicts } from "../upstreams/era-verdicts.ts";
import type { Message } from "../wire/message.ts";
import type { StartAdmission } from "./admission.ts";
import type { Egress } from "./egress/egress.ts";
import type { InstanceKey } from "./instance-key.ts";
import type { Locked, Resolved } from "./resolved.ts";
import type { SpecValues } from "./spec-values.ts";
import type { ServerStatus } from "./status.ts";
import type { Volumes } from "./volumes.ts";

/** What hosting tells the rest of the house. Handlers must not throw and should be quick. */
export interface HostingEvents {
	/** An instance has answered its handshake and takes calls from now on. */
	onReady(key: InstanceKey, upstream: Upstream): void;
	/** A message of a server that belongs to no call. */
	onPush(key: InstanceKey, message: Message): void;
	/**
	 * A request of a server that belongs to no call, or to more than one. `askers` are those it
	 * could mean, as they named themselves when they asked for their leases.
	 */
	onRequest(key: InstanceKey, ask: UpstreamAsk, askers: readonly string[]): void;
	/** A server, or one of its instances, changed its state. */
	onState(status: ServerStatus): void;
	/**
	 * An instance takes no new calls, or is gone: whoever holds a lease on it for longer than
	 * a call should give it back.
	 */
	onRetired?(key: InstanceKey, upstream: Upstream): void;
}

/** How a server that is resolved will be run: what its package may do, and how it is confined. */
export type ResolvePlan = Pick<ServerPlan, "packages" | "sandbox" | "untrusted" | "resources">;

/** Turns a server as configured into one that can be run directly. */
export type Resolve = (
	spec: ServerSpec,
	context: {
		readonly server: string;
		readonly plan: ResolvePlan;
		/** True when a person asked: what is installed is looked at to the last byte. */
		readonly verify?: boolean | undefined;
		/** What to run in place of what the lock says, as far as the server asks for it at all. */
		readonly locked?: Locked | undefined;
		/** Progress for people, one line at a time. */
		progress(line: string): void;
		/** Aborts when the outcome is no longer wanted. */
		readonly signal: AbortSignal;
	},
) => Promise<Result<Resolved, Fault>>;

/** The limits of the plan that hosting enforces. */
export type HostingLimits = Pick<Limits, "calls_per_server_max" | "reply_bytes_max">;

/** What hosting is built from. */
export interface HostingOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	/** Takes secrets out of what servers write, and out of why they fail. */
	readonly redactor: Redactor;
	/** By their kind. */
	readonly drivers: Readonly<Record<string, Driver<ServerSpec>>>;
	readonly spawner: Spawner;
	/** See `DriverContext.era_verdicts`. */
	readonly era_verdicts?: EraVerdicts | undefined;
	readonly resolve: Resolve;
	/** Puts in what references stand for; without it specs are run as they are. */
	readonly values?: Pick<SpecValues, "prepare" | "fillIn"> | undefined;
	/** See `DriverContext.owner`; without it everything is everybody's. */
	readonly ownerOf?: ((scope_key: string) => DriverContext["owner"]) | undefined;
	/** Where instances keep their files; without it nothing that runs is confined. */
	readonly volumes?: Volumes | undefined;
	/** Opens the ways out of sandboxes; without it their networks stay closed. */
	readonly egress?: Egress | undefined;
	/**
	 * Whether what a server offers is known without running it: then it need not be started with
	 * the gateway. Without it nothing is.
	 */
	readonly isKnown?: ((server: ServerPlan) => boolean) | undefined;
	/**
	 * Whether whatever runs of a server is somebody's, with an account that they have to connect
	 * first: nothing of it is started for nobody in particular. Without it no server is such a one.
	 */
	readonly isPersonal?: ((server: ServerPlan) => boolean) | undefined;
	/**
	 * Why nothing of a server may be started or woken now: a sentence; undefined where it may.
	 * Without it everything may. `Hosting.reconsider` has to be called when that changes.
	 */
	readonly switchedOff?: ((server: string) => string | undefined) | undefined;
	/** The zone that times of the day are in; by default the machine's own. */
	readonly offsetAt?: OffsetAt | undefined;
	/** Read on every use: a reload may change them. */
	limits(): HostingLimits;
	/** What servers are told of the client they talk to: a raw JSON object. */
	readonly client_info: string;
	readonly events: HostingEvents;
	/** Most servers starting at once; by default twice the number of cores, at least two. */
	readonly starts_max?: number;
}

/** What every part of hosting is given. */
export interface Surroundings extends HostingOptions {
	readonly admission: StartAdmission;
}
