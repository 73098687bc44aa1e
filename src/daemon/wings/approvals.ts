import { live_states } from "../../approvals/approval.ts";
import { Approvals } from "../../approvals/approvals.ts";
import { maySee } from "../../approvals/deciders.ts";
import { Outcomes } from "../../approvals/outcomes.ts";
import { ApprovalCallback } from "../../approvals/webhooks/callback.ts";
import { ApprovalWebhooks } from "../../approvals/webhooks/sender.ts";
import { default_approvals } from "../../config/approvals-plan.ts";
import type { Plan } from "../../config/plan.ts";
import { CallApprover } from "../../gateway/approving/call-approver.ts";
import { RiskCheck } from "../../policy/check-risk.ts";
import { SqlApprovalRepository } from "../../store/approval-repository.ts";
import type { Counter, Family } from "../../telemetry/metrics/instruments.ts";
import type { Registry } from "../../telemetry/metrics/registry.ts";
import { deciderOf } from "../decider.ts";
import type { Wing, WingParts } from "../wings.ts";

/** Calls that wait for people. */
export class ApprovalWing implements Wing {
	/** The calls themselves, whoever decides. */
	readonly store: Approvals;
	readonly approvals: CallApprover;
	readonly checks;
	/** Takes decisions of webhooks. */
	readonly callback: ApprovalCallback;
	readonly #webhooks: ApprovalWebhooks;
	readonly #parts: WingParts;
	#tried: Family<Counter> | undefined;

	constructor(parts: WingParts) {
		const { options, connection, box, live } = parts;
		const { clock, random, log } = options;
		this.#parts = parts;
		const repository = new SqlApprovalRepository(connection);
		this.store = new Approvals({
			clock,
			random,
			box,
			repository,
			onTrouble: (error) => log.error({ err: error }, "an approval could not be stored"),
		});
		this.approvals = new CallApprover({
			approvals: this.store,
			outcomes: new Outcomes({ clock, box, repository }),
			mayAsk: () => asksSomebody(parts.plan()),
			wait_ms: () => this.#plan.wait_ms,
			pageUrl: (id) => this.pageUrl(id),
		});
		this.checks = [
			new RiskCheck(() =>
				this.#plan.risk.length === 0 ? undefined : { risk: this.#plan.risk, demand: this.#plan },
			),
		];
		const hooks = () => parts.plan().approval_webhooks ?? [];
		const { redactor } = parts;
		this.callback = new ApprovalCallback({ clock, approvals: this.store, redactor, hooks });
		this.#webhooks = new ApprovalWebhooks({
			clock,
			log,
			hooks,
			redactor,
			links: ({ id }, { name, decides }) => ({
				page: this.pageUrl(id),
				dashboard: `${parts.url()}/#/approvals/${id}`,
				decision: decides ? `${parts.url()}/approvals/webhooks/${name}` : undefined,
			}),
			onTried: (hook, outcome) => this.#tried?.get(hook, outcome).add(),
		});
		this.store.onChange((approval) => this.#webhooks.changed(approval));
		this.store.onChange((approval) => {
			const { id, state, server, tool, principal, made_by } = approval;
			const about = { approval: id, state, server, tool, principal, made_by };
			log.info(about, "an approval changed");
			live.publish("approval", { id, state, server, tool }, (who) => {
				return maySee(approval, deciderOf(who));
			});
		});
	}

	/** The page on which people decide. */
	pageUrl(id: string): string {
		return `${this.#parts.url()}/approvals/${id}`;
	}

	async start(): Promise<void> {
		this.#measure(this.#parts.wings().telemetry.telemetry.registry);
		await this.store.restore();
	}

	/** Whether receivers have heard of what waits is not stored: they know it by its id. */
	listening(): void {
		for (const approval of this.store.pending) this.#webhooks.changed(approval);
	}

	async stop(): Promise<void> {
		this.store.close();
		await this.#webhooks.stop();
	}

	#measure(registry: Registry): void {
		this.#tried = registry.counter({
			name: "moorage.approvals.messages",
			help: "Tries to tell webhooks of approvals, and messages that were given up.",
			unit: "1",
			labels: ["webhook", "outcome"],
		});
		registry.observe(
			"gauge",
			{
				name: "moorage.approvals",
				help: "Calls that wait for people, or were agreed to and are not over.",
				unit: "1",
				labels: ["state"],
			},
			() => live_states.map((state) => ({ labels: [state], value: this.store.count(state) })),
		);
		const decided = registry.counter({
			name: "moorage.approvals.decided",
			help: "What became of calls that waited for people.",
			unit: "1",
			labels: ["server", "outcome"],
		});
		this.store.onChange(({ server, state }, before) => {
			if (before?.state === "pending" && state !== "pending") decided.get(server, state).add();
		});
	}

	get #plan() {
		return this.#parts.plan().approvals ?? default_approvals;
	}
}

/** Whether there is a call that people are asked about. */
function asksSomebody({ policy, approvals = default_approvals }: Plan): boolean {
	const of_tools = Object.values(policy.servers).flatMap(({ tools }) => tools);
	return (
		approvals.risk.length > 0 ||
		[...policy.rules, ...of_tools].some(({ approval }) => approval !== undefined)
	);
}
