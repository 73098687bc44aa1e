import { Approvals } from "../../approvals/approvals.ts";
import { default_approvals } from "../../config/approvals-plan.ts";
import { CallApprover } from "../../gateway/approving/call-approver.ts";
import { RiskCheck } from "../../policy/check-risk.ts";
import { SqlApprovalRepository } from "../../store/approval-repository.ts";
import type { Wing, WingParts } from "../wings.ts";

/** Calls that wait for people. */
export class ApprovalWing implements Wing {
	/** The calls themselves, whoever decides. */
	readonly store: Approvals;
	readonly approvals: CallApprover;
	readonly checks;
	readonly #parts: WingParts;

	constructor(parts: WingParts) {
		const { options, connection, box, live } = parts;
		const { clock, random, log } = options;
		this.#parts = parts;
		this.store = new Approvals({
			clock,
			random,
			box,
			repository: new SqlApprovalRepository(connection),
			onTrouble: (error) => log.error({ err: error }, "an approval could not be stored"),
		});
		this.approvals = new CallApprover({
			approvals: this.store,
			wait_ms: () => this.#plan.wait_ms,
			pageUrl: (id) => this.pageUrl(id),
		});
		this.checks = [
			new RiskCheck(() =>
				this.#plan.risk.length === 0 ? undefined : { risk: this.#plan.risk, demand: this.#plan },
			),
		];
		this.store.onChange(({ id, state, server, tool, principal }) => {
			log.info({ approval: id, state, server, tool, principal }, "an approval changed");
			live.publish("approval", { id, state, server, tool }, ["operator", "auditor", "approver"]);
		});
	}

	/** The page on which people decide. */
	pageUrl(id: string): string {
		return `${this.#parts.url()}/approvals/${id}`;
	}

	start(): Promise<void> {
		return this.store.restore();
	}

	stop(): void {
		this.store.close();
	}

	get #plan() {
		return this.#parts.plan().approvals ?? default_approvals;
	}
}
