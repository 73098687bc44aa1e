import type { IncomingMessage, ServerResponse } from "node:http";
import { type ApprovalCallback, callback_bytes_max } from "../approvals/webhooks/callback.ts";
import { readBody } from "../gateway/read-body.ts";
import { answerJson } from "../gateway/routes.ts";

const path_form = /^\/approvals\/webhooks\/([a-z0-9][a-z0-9-]{0,31})$/;

/** The name of the webhook whose decisions are posted to an address; undefined for all others. */
export function webhookAt(target: string): string | undefined {
	return path_form.exec(target.split("?", 1)[0] as string)?.[1];
}

/** Answers a decision that a webhook's receiver posts. */
export async function serveCallback(
	callback: ApprovalCallback,
	name: string,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	if (request.method !== "POST") {
		const message = "Decisions are posted here.";
		return answerJson(response, 405, { error: "method_not_allowed", message }, { allow: "POST" });
	}
	const body = await readBody(request, callback_bytes_max);
	if (!body.ok) {
		if (body.problem === "aborted") return;
		const message = `A decision has at most ${callback_bytes_max} bytes.`;
		return answerJson(response, 413, { error: "too_large", message }, { connection: "close" });
	}
	const said = (header: string) => {
		const value = request.headers[header];
		return typeof value === "string" ? value : "";
	};
	const headers = {
		id: said("webhook-id"),
		timestamp: said("webhook-timestamp"),
		signature: said("webhook-signature"),
	};
	const taken = await callback.take(name, headers, body.value.toString());
	if (taken.ok) {
		const { id, state } = taken.value;
		return answerJson(response, 200, { approval: id, state });
	}
	const { status, code, message } = taken.problem;
	answerJson(response, status, { error: code, message });
}
