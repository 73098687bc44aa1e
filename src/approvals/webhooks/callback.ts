import * as z from "zod";
import type { ApprovalWebhookPlan } from "../../config/approval-webhooks.ts";
import { partsOfPrincipal } from "../../identity/principal.ts";
import type { Clock } from "../../lib/clock.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { isSignedWebhook, type WebhookHeaders } from "../../lib/webhook-signature.ts";
import type { Redactor } from "../../secrets/redactor.ts";
import type { Approval } from "../approval.ts";
import type { Approvals } from "../approvals.ts";
import { type DecisionProblem, reason_chars_max } from "../machine.ts";
import { type Shown, shownArguments } from "./message.ts";

/** Largest decision. */
export const callback_bytes_max = 16 * 1024;
/** How far the receiver's clock may be from ours, in either direction. */
const apart_ms_max = 5 * 60_000;
/** Ids are remembered at most; more in ten minutes are refused. */
const ids_max = 10_000;
const id_chars_max = 256;

const decision_schema = z.strictObject({
	type: z.literal("approval.decision"),
	approval: z.string().max(100),
	verdict: z.enum(["approve", "deny"]),
	arguments_hash: z.string().max(200),
	reason: z.string().max(reason_chars_max).optional(),
	person: z.string().max(300).optional(),
});

type DecisionBody = z.infer<typeof decision_schema>;

/** Why a decision was not taken: for the receiver, with the HTTP status that says the same. */
export interface CallbackProblem {
	readonly status: number;
	readonly code: string;
	readonly message: string;
}

/** What callbacks are taken with. */
export interface ApprovalCallbackOptions {
	readonly clock: Clock;
	readonly approvals: Approvals;
	/** The one that messages are sent through. */
	readonly redactor: Redactor;
	/** As the configuration has them now. */
	hooks(): readonly ApprovalWebhookPlan[];
}

/**
 * Takes decisions that the receiver of a webhook has signed. Each message counts once: its time
 * must be near, and its id new. Ids are forgotten with the process, so messages from before its
 * start are refused, too.
 */
export class ApprovalCallback {
	readonly #options: ApprovalCallbackOptions;
	/** When each id that was used need no longer be known. */
	readonly #used = new Map<string, number>();
	readonly #started_s: number;

	constructor(options: ApprovalCallbackOptions) {
		this.#options = options;
		this.#started_s = Math.floor(options.clock.now() / 1000);
	}

	/** The approval after the decision of the webhook of that name. */
	async take(
		name: string,
		headers: WebhookHeaders,
		body: string,
	): Promise<Result<Approval, CallbackProblem>> {
		const hook = this.#options.hooks().find((one) => one.name === name && one.decides);
		const is_signed = isSignedWebhook(hook?.secret ?? "", headers, body);
		// Which names there are is told to nobody else.
		if (hook === undefined || !is_signed) return fail(problems.unsigned);
		const replayed = this.#use(name, headers);
		if (replayed !== undefined) return fail(replayed);
		const decision = readDecision(body);
		if (decision === undefined) return fail(problems.invalid);
		try {
			return await this.#decide(hook, decision);
		} catch (error) {
			// Nobody has heard of it: the very same message may come again.
			this.#used.delete(keyOf(name, headers));
			throw error;
		}
	}

	/** Why a message may not be used, or not once more. */
	#use(name: string, headers: WebhookHeaders): CallbackProblem | undefined {
		const { id, timestamp } = headers;
		const now_ms = this.#options.clock.now();
		const sent_s = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
		const is_near = Math.abs(sent_s * 1000 - now_ms) <= apart_ms_max;
		if (!is_near || sent_s < this.#started_s) return problems.old;
		if (id === "" || id.length > id_chars_max) return problems.invalid;
		for (const [used, until_ms] of this.#used) {
			if (until_ms > now_ms) break;
			this.#used.delete(used);
		}
		const key = keyOf(name, headers);
		if (this.#used.has(key)) return problems.replayed;
		if (this.#used.size >= ids_max) return problems.busy;
		// A message from a clock that is ahead stays near for twice the time.
		this.#used.set(key, now_ms + 2 * apart_ms_max + 1000);
		return undefined;
	}

	async #decide(
		hook: ApprovalWebhookPlan,
		{ approval: id, verdict, arguments_hash, reason, person }: DecisionBody,
	): Promise<Result<Approval, CallbackProblem>> {
		const { approvals, redactor } = this.#options;
		const approval = await approvals.find(id);
		if (approval === undefined || (hook.tenant ?? approval.tenant) !== approval.tenant) {
			return fail(problems.unknown);
		}
		const { shown } = shownArguments(approval, redactor);
		const refused = verdict === "approve" ? whyNotApprove[shown] : undefined;
		if (refused !== undefined) return fail(notAllowed(refused));
		const nobody = whyNotFor(approval, person);
		if (nobody !== undefined) return fail(notAllowed(nobody));
		const { tenant } = approval;
		const decided = await approvals.decide(id, {
			by: { id: deciderId(hook.name), tenant, roles: hook.roles, person },
			verdict,
			reason,
			via: "webhook",
			seen_hash: arguments_hash,
			edited: undefined,
		});
		if (decided.ok) return succeed(decided.value);
		const { code, message } = decided.problem;
		return fail({ status: statuses[code], code, message });
	}
}

/** As whom a webhook decides: no person has an id like it. */
export function deciderId(name: string): string {
	return `webhook:${name}`;
}

function keyOf(name: string, { id }: WebhookHeaders): string {
	return `${name} ${id}`;
}

/** Nobody agrees to what the receiver was not shown. A refusal needs no look at it. */
const whyNotApprove: Readonly<Record<Shown, string | undefined>> = {
	whole: undefined,
	redacted: "The arguments hold secrets that were not sent. Decide on the approval's page.",
	omitted: "The arguments were too long to be sent. Decide on the approval's page.",
};

/** Why a webhook may not decide for whom it names. */
function whyNotFor(approval: Approval, person: string | undefined): string | undefined {
	const { demand, principal, tenant } = approval;
	if (person === undefined) {
		if (!demand.other_than_caller && demand.count === 1) return undefined;
		return "Say who decided as `person`: it matters here that people differ.";
	}
	// In the form of the caller's own id: in another one, the caller would be somebody else.
	const is_full = person.includes("/") === principal.includes("/");
	const { tenant: theirs, user } = partsOfPrincipal(person);
	if (is_full && theirs === tenant && /^[^\s/]+$/.test(user)) return undefined;
	return `\`person\` is the id of a principal of the caller's tenant, ${tenant}.`;
}

function notAllowed(message: string): CallbackProblem {
	return { status: 403, code: "not_allowed", message };
}

function readDecision(body: string): DecisionBody | undefined {
	try {
		return decision_schema.safeParse(JSON.parse(body)).data;
	} catch {
		return undefined;
	}
}

const statuses: Readonly<Record<DecisionProblem["code"], number>> = {
	unknown: 404,
	not_pending: 409,
	not_allowed: 403,
	arguments_changed: 409,
	invalid: 400,
};

const problems = {
	unsigned: {
		status: 401,
		code: "signature_wrong",
		message:
			"There is no webhook of that name that decides, or this is not signed with its secret. Sign " +
			"`webhook-id.webhook-timestamp.body` with HMAC-SHA256.",
	},
	old: {
		status: 401,
		code: "timestamp_wrong",
		message:
			"`webhook-timestamp` is over five minutes away, or from before the gateway's start. Sign it " +
			"anew with the seconds of now.",
	},
	replayed: {
		status: 409,
		code: "used_already",
		message: "A message with this `webhook-id` was taken already. Each one counts once.",
	},
	busy: { status: 429, code: "too_many", message: "Too many decisions. Try again in ten minutes." },
	invalid: {
		status: 400,
		code: "invalid",
		message:
			"A decision is JSON with `type` (`approval.decision`), `approval`, `verdict` (`approve` or " +
			"`deny`) and `arguments_hash`; it may have `reason` and `person`. `webhook-id` is not empty.",
	},
	unknown: { status: 404, code: "unknown", message: "There is no such approval." },
} as const satisfies Record<string, CallbackProblem>;
