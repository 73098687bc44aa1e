import { createHash } from "node:crypto";
import type { Redactor } from "../../secrets/redactor.ts";
import type { Approval } from "../approval.ts";

/** Arguments of more bytes are not sent. */
export const shown_bytes_max = 64 * 1024;

/** Enough to tell the questions of one approval apart. */
const digest_chars = 16;

/** What receivers are told of: a call waits, or what has been decided about it. */
export type ApprovalNews = "pending" | "approved" | "denied" | "expired";

/** Where people go from a message. None of these decides anything when it is opened. */
export interface ApprovalLinks {
	/** The page for phones, without scripts: whoever opens it signs in there. */
	readonly page: string;
	/** The same approval in the dashboard. */
	readonly dashboard: string;
	/** Where a signed decision is posted to; undefined where none is taken. */
	readonly decision: string | undefined;
}

/** How much of the arguments a message shows. */
export type Shown = "whole" | "redacted" | "omitted";

/** The arguments as a message has them. */
export interface ShownArguments {
	readonly shown: Shown;
	/** JSON: exactly the bytes that would run, or what is left of them without secrets. */
	readonly json: string | undefined;
}

/** What an approval is news of; undefined where nobody outside has a use for it. */
export function newsOf({ state }: Approval): ApprovalNews | undefined {
	return state === "running" || state === "done" || state === "unknown" ? undefined : state;
}

/** The same for the same news of the same question, however often it is sent. */
export function idOfNews({ id, arguments_hash, demand }: Approval, news: ApprovalNews): string {
	const about = JSON.stringify([arguments_hash, demand]);
	const digest = createHash("sha256").update(about).digest("base64url");
	return `${id}.${news}.${digest.slice(0, digest_chars)}`;
}

/** What receivers see of the arguments. Only who sees them whole can agree to them. */
export function shownArguments(approval: Approval, redactor: Redactor): ShownArguments {
	const raw = approval.arguments;
	if (Buffer.byteLength(raw) > shown_bytes_max) return { shown: "omitted", json: undefined };
	const value: unknown = JSON.parse(raw);
	const safe = JSON.stringify(redactor.json(value));
	// The text itself where nothing is secret: numbers and doubled members stay as they are.
	if (safe === JSON.stringify(value) && redactor.text(raw) === raw) {
		return { shown: "whole", json: raw };
	}
	return { shown: "redacted", json: redactor.text(safe) };
}

/** What is posted: JSON text. Secrets that are known here are taken out of it. */
export function messageOf(
	approval: Approval,
	news: ApprovalNews,
	links: ApprovalLinks,
	redactor: Redactor,
): string {
	const { demand, votes } = approval;
	const { shown, json } = shownArguments(approval, redactor);
	return JSON.stringify({
		type: `approval.${news}`,
		timestamp: new Date(approval.decided_at_ms ?? approval.created_at_ms).toISOString(),
		data: {
			approval: approval.id,
			state: approval.state,
			principal: approval.principal,
			made_by: approval.made_by,
			tenant: approval.tenant,
			client_name: redactor.text(approval.client_name),
			server: approval.server,
			tool: approval.tool,
			risk: approval.risk,
			rule: approval.rule,
			arguments_json: json,
			arguments_shown: shown,
			arguments_hash: approval.arguments_hash,
			edited_by: approval.edited_by,
			needed: demand.count,
			approvers: demand.approvers,
			also_among: demand.also_among,
			other_than_caller: demand.other_than_caller,
			expires: new Date(approval.expires_at_ms).toISOString(),
			votes: votes.map(({ approver, person, verdict, reason }) => ({
				approver,
				person,
				verdict,
				reason: reason === undefined ? undefined : redactor.text(reason),
			})),
			/** The same call may have run before: nobody knows. */
			after: approval.after,
			links,
		},
	});
}
