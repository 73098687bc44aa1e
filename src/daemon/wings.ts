import type { IncomingMessage, ServerResponse } from "node:http";
import type { LiveEvents } from "../admin/live.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan } from "../config/plan.ts";
import type { CallApprovals, TracePropagation } from "../gateway/context.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Switches } from "../gateway/switches.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { assert } from "../lib/assert.ts";
import type { Check } from "../policy/check.ts";
import type { FindRisk } from "../policy/current-policy.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { KnownSecrets, Redactor } from "../secrets/redactor.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { Connection } from "../store/tables.ts";
import type { Evidence } from "../telemetry/call-record.ts";
import type { DaemonEvidence } from "./evidence.ts";
import type { CredentialRooms } from "./expiring.ts";
import type { DaemonOptions } from "./options.ts";
import type { DaemonPolicyBackend } from "./policy-backend.ts";
import { AlertsWing } from "./wings/alerts.ts";
import { ApprovalWing } from "./wings/approvals.ts";
import { EvidenceWing } from "./wings/evidence.ts";
import { MemoryWing } from "./wings/memory.ts";
import { OffSwitchWing } from "./wings/off-switches.ts";
import { policyWing } from "./wings/policy.ts";
import { TelemetryWing } from "./wings/telemetry.ts";

/** What a wing may build on. */
export interface WingParts {
	/** Time, randomness, the log and the environment. */
	readonly options: DaemonOptions;
	/** What runs now. */
	plan(): Plan;
	/** Publishes what happens to whoever looks: `live.publish(kind, data, viewers?)`. */
	readonly live: LiveEvents;
	readonly connection: Connection;
	readonly writer: StoreWriter;
	readonly box: SecretBox;
	readonly redactor: Redactor & KnownSecrets;
	readonly catalogs: Catalogs;
	readonly hosting: Hosting;
	/** The server that one is a copy of; itself where it is none. */
	originOf(server: string): string;
	/** Where people reach the gateway, without a slash at the end. Not before it listens. */
	url(): string;
	/** Not before the house is built. */
	gateway(): Gateway;
	/** Where credentials are kept. Not before the house is built. */
	rooms(): CredentialRooms;
	/** What stands beside the others, by its name. Not before the wings are built. */
	wings(): Wings;
}

/**
 * A part of the house that stands beside the way of a call: it checks, decides or records calls.
 * Each is built in a file of its own in `wings/`, and named once below.
 */
export interface Wing {
	/** In the order in which they run. */
	readonly checks?: readonly Check[];
	readonly evidence?: readonly Evidence[];
	readonly approvals?: CallApprovals;
	/** How risk classes of tools are found now. */
	readonly findRisk?: () => FindRisk;
	/** What the admin API sees of the policy, and why others may not be let in. */
	readonly policy?: DaemonPolicyBackend;
	/** What the admin API sees of the evidence. */
	readonly house?: DaemonEvidence;
	readonly switches?: Switches;
	/** Reads what is stored; before the first request. */
	start?(): Promise<void> | void;
	/** Everything else has read what is stored, too. */
	opened?(): void;
	/** Requests are answered from now on, and where is known. */
	listening?(): void;
	/** What it could not keep since the start, by where: people are told of it. */
	lost?(): Readonly<Record<string, number>>;
	/** Another plan is used from now on. */
	use?(plan: Plan): void;
	/** Finishes what is begun; after the last request. */
	stop?(): Promise<void> | void;
}

/** All wings. The order of this list is the order of their checks and of their evidence. */
const builders: readonly ((parts: WingParts) => Wing)[] = [
	(parts) => new OffSwitchWing(parts),
	policyWing,
	(parts) => new ApprovalWing(parts),
	(parts) => new EvidenceWing(parts),
	(parts) => new TelemetryWing(parts),
	(parts) => new AlertsWing(parts),
	(parts) => new MemoryWing(parts),
];

/** The wings of one house, together. */
export class Wings {
	/** What the front door is given. */
	readonly front_door: {
		readonly checks: readonly Check[];
		readonly approvals: CallApprovals | undefined;
		readonly findRisk: (() => FindRisk) | undefined;
		readonly tracing: () => TracePropagation | undefined;
		readonly metrics: (request: IncomingMessage, response: ServerResponse) => void;
		readonly onRefused: (code: string) => void;
		readonly switches: Switches | undefined;
	};
	readonly evidence: readonly Evidence[];
	readonly #wings: readonly Wing[];
	#telemetry: TelemetryWing | undefined;

	constructor(parts: Omit<WingParts, "wings">) {
		this.#wings = builders.map((build) => build({ ...parts, wings: () => this }));
		this.evidence = this.#wings.flatMap(({ evidence }) => evidence ?? []);
		this.front_door = {
			checks: this.#wings.flatMap(({ checks }) => checks ?? []),
			approvals: this.#wings.find(({ approvals }) => approvals !== undefined)?.approvals,
			switches: this.#wings.find(({ switches }) => switches !== undefined)?.switches,
			findRisk: this.#wings.find(({ findRisk }) => findRisk !== undefined)?.findRisk,
			tracing: () => this.telemetry.tracing,
			metrics: (request, response) => void this.telemetry.serve(request, response),
			onRefused: (code) => this.alerts.refused(code),
		};
	}

	/** Who may do what, for the admin API. */
	get policy(): DaemonPolicyBackend {
		const policy = this.#wings.find((wing) => wing.policy !== undefined)?.policy;
		assert(policy !== undefined, "one of the wings decides");
		return policy;
	}

	/** What has happened, for the admin API. */
	get house(): DaemonEvidence {
		const house = this.#wings.find((wing) => wing.house !== undefined)?.house;
		assert(house !== undefined, "one of the wings keeps evidence");
		return house;
	}

	/** The wing of a kind. */
	of<Kind extends Wing>(kind: new (parts: WingParts) => Kind): Kind {
		const found = this.#wings.find((wing) => wing instanceof kind);
		assert(found instanceof kind, "every kind of wing that is asked for is built");
		return found;
	}

	async start(): Promise<void> {
		for (const wing of this.#wings) await wing.start?.();
	}

	opened(): void {
		for (const wing of this.#wings) wing.opened?.();
	}

	listening(): void {
		for (const wing of this.#wings) wing.listening?.();
	}

	/** Metrics and traces. */
	get telemetry(): TelemetryWing {
		// Every call asks for it, and more than once.
		this.#telemetry ??= this.#find(TelemetryWing);
		return this.#telemetry;
	}

	get alerts(): AlertsWing {
		return this.#find(AlertsWing);
	}

	/** What could not be kept since the start, by where. */
	lost(): Readonly<Record<string, number>> {
		return Object.assign({}, ...this.#wings.map((wing) => wing.lost?.() ?? {}));
	}

	use(plan: Plan): void {
		for (const wing of this.#wings) wing.use?.(plan);
	}

	#find<Kind extends Wing>(kind: new (parts: WingParts) => Kind): Kind {
		const found = this.#wings.find((wing) => wing instanceof kind);
		assert(found !== undefined, `there is no ${kind.name}`);
		return found as Kind;
	}

	/** Last built, first stopped. */
	async stop(): Promise<void> {
		for (const wing of this.#wings.toReversed()) await wing.stop?.();
	}
}
