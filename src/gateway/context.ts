import type { Catalogs } from "../catalog/catalogs.ts";
import type { Limits, ServerPlan } from "../config/plan.ts";
import type { Hosting, InstanceKey } from "../hosting/hosting.ts";
import { homePlace } from "../hosting/places.ts";
import type { Principal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Check, Listed, Place, Verdict } from "../policy/check.ts";
import type { FindRisk } from "../policy/current-policy.ts";
import { type Fault, type FaultParts, makeFault } from "../protocol/fault.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type { SessionEvents } from "../sessions/events.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Evidence } from "../telemetry/call-record.ts";
import { type Log, logFault } from "../telemetry/log.ts";
import { OwnedTasks } from "./bridge/legacy-tasks.ts";
import { OfferedCapabilities } from "./bridge/offered-capabilities.ts";
import { TaskIds } from "./bridge/task-ids.ts";
import type { Call, ClientSide, Reply } from "./call.ts";
import { toolFacts } from "./checked-call.ts";
import type { Endpoint } from "./endpoint.ts";
import { ParkedCalls } from "./parking/parked-calls.ts";
import { callerOf, ownersOf, scopeKey, type Who } from "./scope.ts";
import { ServedTenants } from "./served-tenants.ts";
import { stopTasks } from "./stop-tasks.ts";
import { RunningCalls, type Switches } from "./switches.ts";
import { TaskHolds } from "./task-holds.ts";

/** What the gateway introduces itself as. */
export interface Product {
	readonly name: string;
	readonly title: string;
	readonly version: string;
}

/** What the gateway is built from. */
export interface GatewayOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly sessions: Sessions;
	/** What is sent to sessions on event streams. */
	readonly events: SessionEvents;
	readonly product: Product;
	/** 32 bytes that states given to clients are sealed with; the same after a restart. */
	readonly state_key: Buffer;
	/** Read on every use: a reload may change them. */
	limits(): Limits;
	/** What has to be true of a call before its server hears of it, in order; a reload changes it. */
	readonly checks?: readonly Check[];
	/** How risk classes are found now; without it every tool is taken for the worst. */
	readonly findRisk?: (() => FindRisk) | undefined;
	/** Who keeps evidence of calls. */
	readonly evidence?: readonly Evidence[];
	/** Decides calls that a person has to agree to. */
	readonly approvals?: CallApprovals | undefined;
	/** Lets people connect their own accounts at remote servers. */
	readonly connections?: CallConnections | undefined;
	/** What servers are told of traces; undefined where none are kept. */
	tracing?(): TracePropagation | undefined;
	/** Which version of a server runs, as people know it. */
	versionOf?(server: ServerPlan): string | undefined;
	/** Value of `WWW-Authenticate` for a token that lacks scopes (RFC 6750 section 3.1). */
	stepUp?(endpoint: Endpoint, scopes: readonly string[]): string;
	/** Whether there may be several tenants, so that none may take the room of others. */
	hasTenants?(): boolean;
	/** What is switched off. */
	readonly switches?: Switches | undefined;
	/** Takes secrets out of what servers answer; undefined where answers are left as they are. */
	resultRedactor?(): Pick<Redactor, "bytes" | "json"> | undefined;
}

/** How a trace goes on at servers. */
export interface TracePropagation {
	/** Whether a trace that the client does not ask to keep is likely to be kept. */
	keeps(trace_id: string): boolean;
	/** Keys of baggage that clients are trusted with. */
	readonly baggage: readonly string[];
}

/** Settles calls that need an approval; its reply ends the call, undefined lets it go on. */
export interface CallApprovals {
	settle(
		call: Call,
		ask: Extract<Verdict, { kind: "ask" }>,
		context: GatewayContext,
	): Promise<Reply | undefined>;
	/** A call that was let go on has its reply; resolves when what became of it is written down. */
	ended(call: Call, reply: Reply, context: GatewayContext): Promise<void>;
	/** Absent where callers wait for people only. */
	readonly tasks?: ApprovalTaskDesk;
}

/** Calls that wait for people, as tasks of their callers (SEP-2663). */
export interface ApprovalTaskDesk {
	/** Whether calls may become tasks now: clients are told that there are such. */
	readonly may_make: boolean;
	/**
	 * The server of a call whose task is asked about, and its own id of the task where it made one
	 * of the call; undefined where the caller has no such task at this address.
	 */
	find(
		call: Call,
		approval_id: string,
	): Promise<{ readonly server: string; readonly task_id: string | undefined } | undefined>;
	/** Answers `tasks/get`, `tasks/update` and `tasks/cancel`. */
	answer(call: Call, approval_id: string, context: GatewayContext): Promise<Reply>;
	/** Resolves when no call is on its way for a task. */
	idle(): Promise<void>;
}

/** Accounts of people at remote servers, as calls need them. */
export interface CallConnections {
	/** Where whoever calls connects their account; undefined where none is to be connected so. */
	pageFor(server: ServerPlan, who: Who): string | undefined;
	/** True once they have connected; false once `signal` aborts. */
	granted(server: ServerPlan, who: Who, signal: AbortSignal): Promise<boolean>;
}

const worst: FindRisk = () => "destructive";

/** What every step of the pipeline is given. */
export class GatewayContext {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly sessions: Sessions;
	readonly events: SessionEvents;
	readonly product: Product;
	/** Modern calls that wait for their client's answers. */
	readonly parked: ParkedCalls;
	/** Ids of tasks, as their owners see them. */
	readonly tasks: TaskIds;
	/** Tasks of 2025-11-25 and the sessions they were made for. */
	readonly owned_tasks = new OwnedTasks();
	/** Instances that are kept awake for tasks. */
	readonly task_holds: TaskHolds;
	/** What legacy servers are started for. */
	readonly offered = new OfferedCapabilities();
	readonly evidence: readonly Evidence[];
	readonly approvals: CallApprovals | undefined;
	readonly connections: CallConnections | undefined;
	/** For whom shared instances have worked. */
	readonly served = new ServedTenants();
	/** What an off switch can stop. */
	readonly running = new RunningCalls();
	readonly switches: Switches | undefined;
	readonly #options: GatewayOptions;
	readonly #limits: () => Limits;
	/** Faults whose line is written: their ids stand in the log once. */
	readonly #logged = new WeakSet<Fault>();

	/** Takes secrets out of what servers answer; undefined where answers are left as they are. */
	resultRedactor(): Pick<Redactor, "bytes" | "json"> | undefined {
		return this.#options.resultRedactor?.();
	}

	constructor(options: GatewayOptions) {
		this.clock = options.clock;
		this.random = options.random;
		this.log = options.log;
		this.hosting = options.hosting;
		this.catalogs = options.catalogs;
		this.sessions = options.sessions;
		this.events = options.events;
		this.product = options.product;
		const { clock, random, state_key: key } = options;
		this.parked = new ParkedCalls({ clock, random, key });
		this.tasks = new TaskIds(key);
		this.task_holds = new TaskHolds(clock);
		this.#limits = options.limits;
		this.#options = options;
		this.evidence = options.evidence ?? [];
		this.approvals = options.approvals;
		this.connections = options.connections;
		this.switches = options.switches;
		this.switches?.onChange((change) => {
			this.running.stop(change, this);
			stopTasks(change, this);
		});
	}

	/** The checks of now: a call that has begun keeps those it began with. */
	get checks(): readonly Check[] {
		return this.#options.checks ?? [];
	}

	/** How risk classes are found now. */
	get findRisk(): FindRisk {
		return this.#options.findRisk?.() ?? worst;
	}

	/** Which version of a server runs, as people know it. */
	versionOf(server: ServerPlan): string | undefined {
		return this.#options.versionOf?.(server) ?? server.fingerprint.slice(0, 12);
	}

	/** The challenge for a token that lacks scopes which a call needs. */
	stepUp(endpoint: Endpoint, scopes: readonly string[]): string {
		const header = this.#options.stepUp?.(endpoint, scopes);
		return header ?? `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`;
	}

	/** Whether lists depend on who asks. */
	get filters_lists(): boolean {
		return this.checks.some(({ mayList }) => mayList !== undefined);
	}

	/** Whether a list may show this principal something: what could never be allowed stays out. */
	mayList(who: Principal, item: Omit<Listed, "tool">): boolean {
		const tool = item.kind === "tool" ? toolFacts(item.server, item.name, this) : undefined;
		const listed = { ...item, tool };
		return this.checks.every((check) => check.mayList?.(who, listed) !== false);
	}

	/** Whether anything of a server could be allowed to this principal. */
	mayUse(who: Principal, place: Place): boolean {
		return this.checks.every((check) => check.mayUse?.(who, place) !== false);
	}

	get tracing(): TracePropagation | undefined {
		return this.#options.tracing?.();
	}

	/** Whether there may be several tenants, so that none may take the room of others. */
	get has_tenants(): boolean {
		return this.#options.hasTenants?.() === true;
	}

	get limits(): Limits {
		return this.#limits();
	}

	/** A fault of the gateway's own making, logged. */
	fault(parts: FaultParts, fields: object = {}): Fault {
		return this.report(makeFault(this.random, parts), fields);
	}

	/** Logs a fault that somebody is told of, unless it is logged already. */
	report(fault: Fault, fields: object = {}): Fault {
		if (this.#logged.has(fault)) return fault;
		this.#logged.add(fault);
		logFault(this.log, fault, fields);
		return fault;
	}

	/** A defect of ours that a call ran into: its stack goes to the log, an id to the client. */
	defect(error: unknown, call: { id: string; method: string }): Fault {
		return this.fault(
			{
				code: "internal",
				message:
					"Moorage failed to handle this request. The gateway's log has the detail under " +
					"this error's id.",
				detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
				level: "error",
				retry_safe: false,
			},
			{ request_id: call.id, method: call.method },
		);
	}

	/** Which instance of a server this client uses. */
	instanceKey(server: ServerPlan, client: ClientSide): InstanceKey {
		const modern = this.catalogs.get(server.name)?.era === "modern";
		const key = {
			server: server.name,
			scope_key: scopeKey(server.scope, client),
			// A modern server hears the capabilities with every request, so all clients share.
			capabilities: modern ? "{}" : this.offered.offer(server.name, client.capabilities),
		};
		const { replicas } = server.instances;
		const caller = callerOf(client);
		if (server.scope !== "shared" || replicas === 1 || caller === undefined) return key;
		return { ...key, place: homePlace(caller, replicas) };
	}

	/**
	 * Which instance works on a task of this client, as far as this run of the gateway has seen it
	 * made; undefined where it is whichever the client uses anyway.
	 */
	taskKey(server: ServerPlan, client: ClientSide, task_id: string): InstanceKey | undefined {
		const key = this.task_holds.find(ownersOf(client), server.name, task_id);
		// One person's sessions share their tasks, but not the instances of `scope: session`.
		return key?.scope_key === scopeKey(server.scope, client) ? key : undefined;
	}

	/** Where a call goes, for log lines. */
	fieldsOf(call: Call): object {
		return {
			request_id: call.id,
			endpoint: call.endpoint.name,
			method: call.method,
			server: call.target?.server.name,
		};
	}
}
