import type { ApprovalWebhookPlan } from "../../src/config/approval-webhooks.ts";
import { type WebhookHeaders, webhookHeaders } from "../../src/lib/webhook-signature.ts";

/** A receiver that decides, called `chat`, or what a test makes of it. */
export function sampleHook(change: Partial<ApprovalWebhookPlan> = {}): ApprovalWebhookPlan {
	return {
		name: "chat",
		url: "http://127.0.0.1:9/hook",
		secret: "a secret that both know",
		tenant: undefined,
		roles: ["approver"],
		decides: true,
		...change,
	};
}

/** What the headers of a message say that is signed at a time. */
export function signedHeaders(
	secret: string,
	id: string,
	now_ms: number,
	body: string,
): WebhookHeaders {
	const headers = webhookHeaders(secret, id, now_ms, body);
	return {
		id,
		timestamp: headers["webhook-timestamp"] as string,
		signature: headers["webhook-signature"] as string,
	};
}
