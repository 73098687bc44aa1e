import type { Plan } from "../../config/plan.ts";
import { DaemonEvidence } from "../evidence.ts";
import type { Wing, WingParts } from "../wings.ts";
import { AuditWing } from "./audit.ts";
import { CallsWing } from "./calls.ts";

/** The audit, the call log and the history. */
export class EvidenceWing implements Wing {
	readonly evidence;
	/** What the admin API sees of them. */
	readonly house: DaemonEvidence;
	/** Changes of the configuration are written down one after the other. */
	#noting: Promise<void> = Promise.resolve();
	readonly #wings: readonly [AuditWing, CallsWing];

	constructor(parts: WingParts) {
		const audit = new AuditWing(parts);
		const calls = new CallsWing(parts);
		this.#wings = [audit, calls];
		this.evidence = [...audit.evidence, ...calls.evidence];
		this.house = new DaemonEvidence({ parts, audit, calls });
	}

	async start(): Promise<void> {
		for (const wing of this.#wings) await wing.start();
		await this.house.start();
	}

	opened(): void {
		const [audit] = this.#wings;
		audit.opened();
	}

	use(plan: Plan): void {
		for (const wing of this.#wings) wing.use(plan);
		this.#noting = this.#noting.then(() => this.house.noteConfiguration());
	}

	lost(): Readonly<Record<string, number>> {
		const [audit, calls] = this.#wings;
		return { ...audit.lost(), ...calls.lost() };
	}

	async stop(): Promise<void> {
		await this.#noting;
		for (const wing of this.#wings) await wing.stop();
	}
}
