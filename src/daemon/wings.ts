import type { LiveEvents } from "../admin/live.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan } from "../config/plan.ts";
import type { CallApprovals } from "../gateway/context.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { assert } from "../lib/assert.ts";
import type { Check } from "../policy/check.ts";
import type { FindRisk } from "../policy/current-policy.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { Connection } from "../store/tables.ts";
import type { Evidence } from "../telemetry/call-record.ts";
import type { DaemonEvidence } from "./evidence.ts";
import type { DaemonOptions } from "./options.ts";
import { EvidenceWing } from "./wings/evidence.ts";
import { policyWing } from "./wings/policy.ts";

/** What a wing may build on. */
export interface WingParts {
	/** Time, randomness, the log and the environment. */
	readonly options: DaemonOptions;
	/** What runs now. */
	plan(): Plan;
	/** Publishes what happens to whoever looks: `live.publish(kind, data, roles?)`. */
	readonly live: LiveEvents;
	readonly connection: Connection;
	readonly writer: StoreWriter;
	readonly box: SecretBox;
	readonly redactor: Redactor;
	readonly catalogs: Catalogs;
	readonly hosting: Hosting;
	/** The server that one is a copy of; itself where it is none. */
	originOf(server: string): string;
	/** Not before the house is built. */
	gateway(): Gateway;
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
	/** What the admin API sees of the evidence. */
	readonly house?: DaemonEvidence;
	/** Reads what is stored; before the first request. */
	start?(): Promise<void> | void;
	/** Another plan is used from now on. */
	use?(plan: Plan): void;
	/** Finishes what is begun; after the last request. */
	stop?(): Promise<void> | void;
}

/** All wings. The order of this list is the order of their checks and of their evidence. */
const builders: readonly ((parts: WingParts) => Wing)[] = [
	policyWing,
	(parts) => new EvidenceWing(parts),
];

/** The wings of one house, together. */
export class Wings {
	/** What the front door is given. */
	readonly front_door: {
		readonly checks: readonly Check[];
		readonly approvals: CallApprovals | undefined;
		readonly findRisk: (() => FindRisk) | undefined;
	};
	readonly evidence: readonly Evidence[];
	readonly #wings: readonly Wing[];

	constructor(parts: WingParts) {
		this.#wings = builders.map((build) => build(parts));
		this.evidence = this.#wings.flatMap(({ evidence }) => evidence ?? []);
		this.front_door = {
			checks: this.#wings.flatMap(({ checks }) => checks ?? []),
			approvals: this.#wings.find(({ approvals }) => approvals !== undefined)?.approvals,
			findRisk: this.#wings.find(({ findRisk }) => findRisk !== undefined)?.findRisk,
		};
	}

	/** What has happened, for the admin API. */
	get house(): DaemonEvidence {
		const house = this.#wings.find((wing) => wing.house !== undefined)?.house;
		assert(house !== undefined, "one of the wings keeps evidence");
		return house;
	}

	async start(): Promise<void> {
		for (const wing of this.#wings) await wing.start?.();
	}

	use(plan: Plan): void {
		for (const wing of this.#wings) wing.use?.(plan);
	}

	/** Last built, first stopped. */
	async stop(): Promise<void> {
		for (const wing of this.#wings.toReversed()) await wing.stop?.();
	}
}
