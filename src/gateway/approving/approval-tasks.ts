import { type Approval, isLive } from "../../approvals/approval.ts";
import type { Approvals } from "../../approvals/approvals.ts";
import type { Outcome, Outcomes } from "../../approvals/outcomes.ts";
import { assert } from "../../lib/assert.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { fault_rpc_codes } from "../../protocol/fault.ts";
import { memberSpan, rawText, readJsonText } from "../../wire/object.ts";
import { approval_place } from "../bridge/task-ids.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import { checkedCall, toolFacts } from "../checked-call.ts";
import type { ApprovalTaskDesk, GatewayContext } from "../context.ts";
import { answersOf } from "../edges/modern-resume.ts";
import { recheck } from "../steps/decide.ts";
import { obstacleOf, outcomeOf } from "./call-outcome.ts";
import { deciderOf } from "./caller.ts";
import { type BrokenOff, TaskRun } from "./task-run.ts";
import { keptUntil, type TaskFacts, taskDetails, taskSummary } from "./task-view.ts";

/** So long a request about a task waits for a call that has just begun to run. */
const wait_ms = 1_000;

/** What tasks of calls that wait for people are made with. */
export interface ApprovalTasksOptions {
	readonly approvals: Approvals;
	readonly outcomes: Outcomes;
	/** The page on which people decide. */
	pageUrl(id: string): string;
	/** Whether something is configured that people are asked about. */
	mayAsk(): boolean;
}

/**
 * Calls that wait for people, as tasks of their callers (SEP-2663). A task is its approval: it is
 * found again after a restart, and nothing is done for it but on a request of its owner. The first
 * such request after the decision runs the call, with the roles, switches and limits of then; the
 * claim in the store sees to it that it runs once.
 */
export class ApprovalTasks implements ApprovalTaskDesk {
	readonly #options: ApprovalTasksOptions;
	/** Calls on their way, by approval. */
	readonly #runs = new Map<string, TaskRun>();
	/** Why approved calls did not run when they were to, by approval. */
	readonly #obstacles = new Map<string, string>();

	constructor(options: ApprovalTasksOptions) {
		this.#options = options;
		options.approvals.onChange((approval) => {
			if (isLive(approval)) return;
			const { id } = approval;
			this.#obstacles.delete(id);
			// Nobody answered in time: no end of a call will be told that could take it away.
			if (this.#runs.get(id)?.questions !== undefined) this.#runs.delete(id);
		});
	}

	get may_make(): boolean {
		return this.#options.mayAsk();
	}

	/** The task that a call becomes while people are asked about it. */
	async made(call: Call, approval: Approval, context: GatewayContext): Promise<Reply> {
		const task_id = context.tasks.expose(call.client.principal, placeOf(approval.id));
		const facts = await this.#factsOf(approval);
		return { kind: "result", json: `{"resultType":"task",${taskSummary(task_id, facts)}}` };
	}

	async find(call: Call, id: string) {
		const approval = await this.#options.approvals.find(id);
		if (approval?.principal !== call.principal.id || approval.endpoint !== call.endpoint.name) {
			return undefined;
		}
		const outcome = await this.#outcomeOf(approval);
		if (outcome?.kind === "task") return { server: outcome.server, task_id: outcome.task_id };
		return { server: approval.server, task_id: undefined };
	}

	async answer(call: Call, id: string, context: GatewayContext): Promise<Reply> {
		call.notes.approval_id = id;
		const approval = await this.#options.approvals.find(id);
		if (approval === undefined) return unknownTask(call);
		if (call.method === "tasks/cancel") return this.#cancel(call, approval);
		const refused = await mayStill(call, approval, context);
		if (refused !== undefined) return refused;
		if (call.method === "tasks/update") return this.#update(call, approval);
		const run = this.#runs.get(id) ?? this.#start(call, approval, context);
		await run?.changed(wait_ms);
		const now = (await this.#options.approvals.find(id)) ?? approval;
		const details = taskDetails(call.target?.exposed_name ?? "", await this.#factsOf(now));
		return { kind: "result", json: `{"resultType":"complete",${details}}` };
	}

	/** Keeps what an approved call came to, before anybody learns that it has. */
	async keep(call: Call, id: string, reply: Reply, context: GatewayContext): Promise<void> {
		const approval = await this.#options.approvals.find(id);
		assert(approval !== undefined, "a call runs with an approval");
		const outcome = brokenOff(this.#runs.get(id)?.broken_off) ?? outcomeOf(call, reply);
		await this.#options.outcomes.keep(id, outcome, keptUntil(approval, context.clock.now()));
	}

	/** Resolves when no server works on a call of a task any longer. */
	async idle(): Promise<void> {
		const runs = [...this.#runs.values()];
		// For answers of people nobody waits: they could not come in any more.
		await Promise.all(runs.flatMap(({ over, questions }) => (questions === undefined ? over : [])));
	}

	/** Sends an approved call on its way; undefined for any other. */
	#start(call: Call, approval: Approval, context: GatewayContext): TaskRun | undefined {
		if (approval.state !== "approved") return undefined;
		const run = new TaskRun({
			approval,
			context,
			onOver: (over, ran, reply) => this.#onOver(approval.id, over, ran, reply),
		});
		this.#runs.set(approval.id, run);
		run.start(call);
		return run;
	}

	async #onOver(id: string, run: TaskRun, call: Call, reply: Reply): Promise<void> {
		const { approvals } = this.#options;
		if (run.broken_off === "cancelled") await approvals.withdraw(id, deciderOf(call), undefined);
		const now = await approvals.find(id);
		const obstacle = now?.state === "approved" ? obstacleOf(reply) : undefined;
		if (obstacle === undefined) this.#obstacles.delete(id);
		else this.#obstacles.set(id, obstacle);
		this.#runs.delete(id);
	}

	#update(call: Call, { id }: Approval): Reply {
		const { bytes, params } = call.message;
		const span = memberSpan(params, "inputResponses");
		const raw = span === undefined ? "{}" : rawText(bytes, span);
		this.#runs.get(id)?.answer(call, { by_key: answersOf(call.message), raw });
		return done;
	}

	/** Takes the call back, or has its server told to stop; what has ended stays as it is. */
	async #cancel(call: Call, { id }: Approval): Promise<Reply> {
		const { approvals, outcomes } = this.#options;
		const run = this.#runs.get(id);
		if (run === undefined) {
			await approvals.withdraw(id, deciderOf(call), undefined);
			return done;
		}
		const waits_for_answers = run.questions !== undefined;
		run.breakOff("cancelled");
		await run.over;
		const left = await approvals.find(id);
		if (!waits_for_answers || left?.state !== "running") return done;
		// Between two rounds nothing is on its way whose end would be told.
		await outcomes.keep(id, { kind: "cancelled" }, keptUntil(left, left.created_at_ms));
		await approvals.finish(id, "done");
		this.#runs.delete(id);
		return done;
	}

	async #factsOf(approval: Approval): Promise<TaskFacts> {
		const { id } = approval;
		return {
			approval,
			url: this.#options.pageUrl(id),
			outcome: await this.#outcomeOf(approval),
			questions: this.#runs.get(id)?.questions,
			obstacle: this.#obstacles.get(id),
		};
	}

	async #outcomeOf(approval: Approval): Promise<Outcome | undefined> {
		return isLive(approval) ? undefined : this.#options.outcomes.find(approval.id);
	}
}

/** What is told of a run that was broken off, where its own end is no answer. */
function brokenOff(why: BrokenOff | undefined): Outcome | undefined {
	if (why !== "unanswered") return why && { kind: "cancelled" };
	const message =
		"Nobody answered in time what the server asked, so the call was broken off. Look first " +
		"whether it had its effect.";
	const json = JSON.stringify({ code: fault_rpc_codes.call_cancelled, message });
	return { kind: "error", json };
}

/**
 * Whether whoever asks could still make the call: who may not, because of a role, a rule or an off
 * switch, is told neither how it stands nor what it came to.
 */
async function mayStill(
	call: Call,
	approval: Approval,
	context: GatewayContext,
): Promise<Reply | undefined> {
	const { target } = call;
	assert(target !== undefined, "a task is found before it is asked about");
	const { tool: name } = approval;
	const checked = {
		...checkedCall(call, { server: target.server, name }, context),
		method: "tools/call",
		tool: toolFacts(target.server.name, name, context),
		arguments_raw: approval.arguments,
		args: () => readJsonText(approval.arguments),
	};
	const thought = await recheck(call, checked, context);
	return thought.kind === "refused" ? thought.reply : undefined;
}

/** An approval's place among tasks. */
function placeOf(id: string) {
	return { server: approval_place, task_id: id };
}

function unknownTask(call: Call): Reply {
	return rpcError(rpc_codes.invalid_params, `Unknown task: ${call.target?.exposed_name ?? ""}`);
}

const done: Reply = Object.freeze({ kind: "result", json: '{"resultType":"complete"}' });
