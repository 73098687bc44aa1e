import type { Approval } from "../../approvals/approval.ts";
import type { AskOutcome } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import { readJsonText } from "../../wire/object.ts";

/** Arguments longer than this do not fit into a form: their page shows them. */
const form_chars_max = 4_000;

/** What a person answered. */
export type Answer =
	| { readonly kind: "page" }
	| { readonly kind: "approve" | "deny"; readonly reason: string | undefined }
	/** They sent the question away without an answer, or their client did. */
	| { readonly kind: "none" };

/** Sends the person to the page of an approval (elicitation, URL mode). */
export function urlQuestion(approval: Approval, url: string): Message {
	const message =
		`${nameOf(approval)} needs an approval before it runs. The page shows exactly what it is ` +
		"to be called with.";
	return question({ mode: "url", elicitationId: approval.id, url, message });
}

/** Whether a form can show all that is to be decided about. */
export function fitsForm(approval: Approval): boolean {
	return approval.arguments.length <= form_chars_max;
}

/** Asks the person who calls, who may decide (elicitation, form mode). */
export function formQuestion(approval: Approval): Message {
	const message =
		`${nameOf(approval)} needs your approval before it runs. It is to be called with exactly ` +
		`these arguments:\n${approval.arguments}`;
	return question({
		mode: "form",
		message,
		requestedSchema: {
			type: "object",
			properties: {
				approve: { type: "boolean", title: "Run it with these arguments" },
				reason: { type: "string", title: "Reason", maxLength: 1000 },
			},
			required: ["approve"],
		},
	});
}

/** What came back for a question. Whatever is no clear yes is none. */
export function answerOf(outcome: AskOutcome, mode: "url" | "form"): Answer {
	if (outcome.kind !== "result") return { kind: "none" };
	const result = readJsonText(outcome.json.toString()) as {
		action?: unknown;
		content?: { approve?: unknown; reason?: unknown };
	};
	const action = result?.action;
	const text = result?.content?.reason;
	const reason = typeof text === "string" && text !== "" ? text.slice(0, 1_000) : undefined;
	if (action === "decline") return { kind: "deny", reason };
	if (action !== "accept") return { kind: "none" };
	if (mode === "url") return { kind: "page" };
	const approves = result.content?.approve === true;
	return { kind: approves ? "approve" : "deny", reason };
}

function nameOf({ server, tool }: Approval): string {
	return `The tool "${tool}" of "${server}"`;
}

function question(params: object): Message {
	return composeRequest('"approval"', "elicitation/create", JSON.stringify(params));
}
