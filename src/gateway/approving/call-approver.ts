import type { Approval, ApprovalRequest } from "../../approvals/approval.ts";
import { hashArguments } from "../../approvals/arguments-hash.ts";
import { whyNotDecide } from "../../approvals/deciders.ts";
import type { Fate } from "../../approvals/machine.ts";
import { assert } from "../../lib/assert.ts";
import type { Timer } from "../../lib/clock.ts";
import { type Result, succeed } from "../../lib/result.ts";
import type { CheckedCall } from "../../policy/check.ts";
import type { Demand } from "../../protocol/demand.ts";
import type { FaultCode } from "../../protocol/fault.ts";
import { indexMessage } from "../../wire/index-message.ts";
import { memberSpan, readJsonText } from "../../wire/object.ts";
import { applyEdits, objectEdits } from "../../wire/splice.ts";
import { needsInput } from "../bridge/rounds.ts";
import type { Call, Reply } from "../call.ts";
import type { CallApprovals, GatewayContext } from "../context.ts";
import { parked_ms } from "../parking/parked-calls.ts";
import { recheck } from "../steps/decide.ts";
import { ApprovalTasks, type ApprovalTasksOptions } from "./approval-tasks.ts";
import { askClient } from "./ask-client.ts";
import { deciderOf, takesTask } from "./caller.ts";
import { askModes } from "./caller-capabilities.ts";
import { answerOf, fitsForm, formQuestion, urlQuestion } from "./questions.ts";
import { deniedText, pendingText } from "./texts.ts";
import { waitWithProgress } from "./wait.ts";

/** What calls are approved with. */
export interface CallApproverOptions extends ApprovalTasksOptions {
	/** How long a call waits for a decision before it is answered as pending. */
	wait_ms(): number;
}

/**
 * Calls that a person has to agree to: the caller's client is asked where it can be, everybody
 * else is waited for, and what was agreed to goes to its server exactly once.
 */
export class CallApprover implements CallApprovals {
	/** The same calls, for callers that ask about them as tasks. */
	readonly tasks: ApprovalTasks;
	readonly #options: CallApproverOptions;
	/** Approved calls whose server asked its client something: the next round is the same call. */
	readonly #rounds = new Map<string, Timer>();

	constructor(options: CallApproverOptions) {
		this.#options = options;
		this.tasks = new ApprovalTasks(options);
	}

	async settle(
		call: Call,
		{ approval: demand, rule }: { readonly approval: Demand; readonly rule?: string },
		context: GatewayContext,
	): Promise<Reply | undefined> {
		const { checked } = call.notes;
		assert(checked !== undefined, "a call is checked before it is approved");
		const opened = await this.#approvalOf(call, requestOf(checked, demand, rule));
		if (!opened.ok) return refusal(call, "overloaded", opened.problem, context);
		const approval = opened.value;
		call.notes.approval_id = approval.id;
		const known = await this.#decided(call, approval, context);
		switch (known?.state) {
			case "approved":
				return this.#goOn(call, known, checked, context);
			case "running":
				return this.#nextRound(call, known, checked, context);
			case "done":
			case "unknown":
				return this.#runsAlready(call, known, context);
			case "pending":
				return this.#pending(call, known, context);
			case "denied":
				return refusal(call, "approval_denied", deniedText(known), context);
			default: {
				const text = `Nobody decided about this call in time (${approval.id}).`;
				return refusal(call, "approval_denied", text, context);
			}
		}
	}

	async ended(call: Call, reply: Reply, context: GatewayContext): Promise<void> {
		const id = call.notes.claimed;
		if (id === undefined) return;
		if (needsInput(reply)) {
			const forget = () => {
				this.#rounds.delete(id);
				void this.#options.approvals.finish(id, "unknown");
			};
			this.#rounds.set(id, context.clock.afterIdle(parked_ms, forget));
			return;
		}
		const fate = fateOf(reply);
		// Before it is known to be over: whoever asks about its task then finds it.
		if (fate !== "unsent" && takesTask(call)) await this.tasks.keep(call, id, reply, context);
		await this.#options.approvals.finish(id, fate);
	}

	/** The approval that a call belongs to already, as that of a task does; else that of the call. */
	async #approvalOf(call: Call, request: ApprovalRequest): Promise<Result<Approval, string>> {
		const { approvals } = this.#options;
		const { approval_id } = call.notes;
		const known = approval_id === undefined ? undefined : await approvals.find(approval_id);
		if (known !== undefined && isSameCall(known, request)) {
			return succeed((await approvals.demand(known.id, request.demand)) ?? known);
		}
		const opened = await approvals.open(request);
		return opened.ok ? succeed(opened.value.approval) : opened;
	}

	/** The approval once somebody has decided, or as it is when the wait is over. */
	async #decided(
		call: Call,
		approval: Approval,
		context: GatewayContext,
	): Promise<Approval | undefined> {
		if (approval.state !== "pending") return approval;
		const url = this.#options.pageUrl(approval.id);
		const modes = askModes(call.client);
		const own = whyNotDecide(approval, deciderOf(call)) === undefined;
		const { approvals } = this.#options;
		let asked: "asked" | "no answer" | "not asked" = "not asked";
		if (modes.has("url")) asked = await this.#ask(call, approval, "url", context);
		else if (own && modes.has("form") && fitsForm(approval)) {
			asked = await this.#ask(call, approval, "form", context);
		}
		if (call.signal.aborted || asked === "no answer" || takesTask(call)) {
			return approvals.find(approval.id);
		}
		const options = { approvals, wait_ms: this.#options.wait_ms(), url };
		const current = await approvals.find(approval.id);
		return current && waitWithProgress(call, current, options, context);
	}

	/** Asks the caller's client; resolves when it has answered, or others have decided. */
	async #ask(
		call: Call,
		approval: Approval,
		mode: "url" | "form",
		context: GatewayContext,
	): Promise<"asked" | "no answer"> {
		const { approvals } = this.#options;
		const url = this.#options.pageUrl(approval.id);
		const message = mode === "url" ? urlQuestion(approval, url) : formQuestion(approval);
		const over = new AbortController();
		const asking = askClient(call, message, over.signal).then((outcome) => {
			return outcome && answerOf(outcome, mode);
		});
		// A modern client's request has ended with the question: it hears more when it comes back.
		const others =
			call.client.era === "modern"
				? new Promise<undefined>(() => {})
				: approvals
						.decided(
							approval.id,
							this.#options.wait_ms(),
							AbortSignal.any([over.signal, call.signal]),
						)
						.then(() => undefined);
		const answer = await Promise.race([asking, others]);
		over.abort();
		if (answer === undefined) return "no answer";
		if (answer.kind === "page") return "asked";
		if (answer.kind === "none") return "no answer";
		const { kind: verdict, reason } = answer;
		const by = deciderOf(call);
		if (mode === "url") {
			// Whoever calls may always take their own call back, but nothing more.
			await approvals.withdraw(approval.id, by, reason);
			return "asked";
		}
		const seen_hash = approval.arguments_hash;
		const decision = { by, verdict, reason, via: "client", seen_hash, edited: undefined } as const;
		const decided = await approvals.decide(approval.id, decision);
		if (!decided.ok) context.log.info({ approval: approval.id }, decided.problem.message);
		return "asked";
	}

	/** The checks have their say about what is to run, and then it is claimed: once. */
	async #goOn(
		call: Call,
		approval: Approval,
		checked: CheckedCall,
		context: GatewayContext,
	): Promise<Reply | undefined> {
		if (hasAnswers(call)) return unseenAnswers(call, approval, context);
		const { approvals } = this.#options;
		const final = agreedCall(checked, approval, context);
		const thought = await recheck(call, final, context);
		if (thought.kind === "refused") return thought.reply;
		// With these arguments, or by now, it may be others who have to agree.
		const open = thought.demand && (await approvals.demand(approval.id, thought.demand));
		if (open !== undefined) return this.#pending(call, open, context);
		if (call.signal.aborted) return cancelled(call, context);
		const claimed = await approvals.claim(approval.id);
		if (claimed === undefined) return this.#runsAlready(call, approval, context);
		runAgreed(call, claimed, final);
		return undefined;
	}

	/** One more round of a call that runs, with the arguments of its first: what was agreed to. */
	async #nextRound(
		call: Call,
		approval: Approval,
		checked: CheckedCall,
		context: GatewayContext,
	): Promise<Reply | undefined> {
		if (!hasAnswers(call) || !this.#rounds.has(approval.id)) {
			return this.#runsAlready(call, approval, context);
		}
		const final = agreedCall(checked, approval, context);
		const thought = await recheck(call, final, context);
		if (thought.kind === "refused") return thought.reply;
		if (call.signal.aborted) return cancelled(call, context);
		const round = this.#rounds.get(approval.id);
		// The same answers were sent twice, or it took too long: only one goes on.
		if (round === undefined) return this.#runsAlready(call, approval, context);
		round.cancel();
		this.#rounds.delete(approval.id);
		runAgreed(call, approval, final);
		return undefined;
	}

	#runsAlready(call: Call, { id }: Approval, context: GatewayContext): Reply {
		const text =
			`The same call, which was approved (${id}), runs already or has just run. Make this call ` +
			"again to have another one approved.";
		return refusal(call, "approval_pending", text, context);
	}

	/** A client that knows tasks asks about this one; every other makes its call again. */
	#pending(call: Call, approval: Approval, context: GatewayContext): Reply | Promise<Reply> {
		if (takesTask(call)) return this.tasks.made(call, approval, context);
		const then =
			"Make the same call with the same arguments again later: once it is approved, it runs.";
		const text = pendingText(approval, this.#options.pageUrl(approval.id), then);
		return refusal(call, "approval_pending", text, context, retry_after_ms);
	}
}

/** What the checks look at once people have agreed: their arguments, which may be others. */
function agreedCall(
	checked: CheckedCall,
	{ arguments: arguments_raw }: Approval,
	context: GatewayContext,
): CheckedCall {
	return { ...checked, arguments_raw, args: lazily(arguments_raw), now_ms: context.clock.now() };
}

/** Lets a call go on as what people agreed to, whichever arguments its client sent. */
function runAgreed(call: Call, { id, arguments: agreed }: Approval, final: CheckedCall): void {
	const asked = call.notes.checked?.arguments_raw ?? "{}";
	call.notes.claimed = id;
	call.notes.checked = final;
	const { message } = call;
	if (asked === agreed || message.params === undefined) return;
	const edits = objectEdits(message.bytes, message.params, { set: { arguments: agreed } });
	call.edits.push(...edits);
	// The evidence is to have what ran, not what its caller once asked for.
	const changed = indexMessage(applyEdits(message.bytes, edits));
	assert(changed.ok, "a call stays one with other arguments");
	call.notes.agreed = changed.value;
	call.notes.input_hash = undefined;
	// What the client put into headers was of the arguments that it sent.
	call.param_headers = undefined;
}

/** Whether a call answers what its server asked in an earlier round. */
function hasAnswers({ message: { params } }: Call): boolean {
	return ["inputResponses", "requestState"].some((key) => memberSpan(params, key) !== undefined);
}

/** Answers to questions of no round of this approval: nobody who agreed has seen them. */
function unseenAnswers(call: Call, { id }: Approval, context: GatewayContext): Reply {
	const text =
		`This call is approved (${id}), but not the inputResponses and requestState that came with ` +
		"it. Make it again without them; what its server then asks can be answered.";
	return refusal(call, "approval_pending", text, context);
}

function cancelled(call: Call, context: GatewayContext): Reply {
	return refusal(call, "call_cancelled", "The call was cancelled before it ran.", context);
}

/** When it is worth asking again. */
const retry_after_ms = 15_000;

/** What becomes of a call's approval once the call has its reply. */
function fateOf(reply: Reply): Fate {
	// A JSON-RPC error of our own comes before anything is sent.
	if (reply.kind === "error") return "unsent";
	if (reply.kind === "fault") return reply.fault.retry_safe ? "unsent" : "unknown";
	return "done";
}

function isSameCall(one: Approval, other: ApprovalRequest): boolean {
	return (
		one.principal === other.principal &&
		one.made_by === other.made_by &&
		one.server === other.server &&
		one.tool === other.tool &&
		one.asked_hash === other.asked_hash
	);
}

function requestOf(
	checked: CheckedCall,
	demand: Demand,
	rule: string | undefined,
): ApprovalRequest {
	const { principal, made_by, client, endpoint, server, method, name, tool } = checked;
	const asked = checked.arguments_raw ?? "{}";
	return {
		principal: principal.id,
		made_by: made_by?.id,
		tenant: principal.tenant,
		client: principal.client,
		client_name: client.name,
		endpoint,
		server,
		tool: method === "tools/call" ? (name ?? "") : `${method} ${name ?? ""}`,
		risk: tool?.risk,
		rule,
		demand,
		asked,
		asked_hash: hashArguments(asked),
	};
}

function lazily(json: string): () => unknown {
	let value: unknown;
	let parsed = false;
	return () => {
		if (!parsed) value = readJsonText(json);
		parsed = true;
		return value;
	};
}

function refusal(
	call: Call,
	code: FaultCode,
	message: string,
	context: GatewayContext,
	retry_ms?: number,
): Reply {
	const server = call.target?.server.name;
	const parts = { code, message, level: "info", server, retry_safe: true } as const;
	const more = retry_ms === undefined ? {} : { retry_after_ms: retry_ms };
	return { kind: "fault", fault: context.fault({ ...parts, ...more }, context.fieldsOf(call)) };
}
