import { createHmac, timingSafeEqual } from "node:crypto";

/** What a signed webhook says of itself, in its headers. */
export interface WebhookHeaders {
	/** `webhook-id`: the same however often the same message is sent. */
	readonly id: string;
	/** `webhook-timestamp`: seconds since the epoch, as text. */
	readonly timestamp: string;
	/** `webhook-signature`: one or more of `v1,<base64>`, with spaces between them. */
	readonly signature: string;
}

/** The bytes that a secret stands for: one that begins with `whsec_` is base64 behind it. */
export function webhookKey(secret: string): Buffer {
	const prefix = "whsec_";
	return secret.startsWith(prefix)
		? Buffer.from(secret.slice(prefix.length), "base64")
		: Buffer.from(secret);
}

/**
 * The value of `webhook-signature`, as the Standard Webhooks specification says: HMAC-SHA256 over
 * `id.timestamp.body`.
 */
export function signWebhook(secret: string, id: string, timestamp: string, body: string): string {
	const mac = createHmac("sha256", webhookKey(secret)).update(`${id}.${timestamp}.${body}`);
	return `v1,${mac.digest("base64")}`;
}

/** The headers of a message that is signed now. */
export function webhookHeaders(
	secret: string,
	id: string,
	now_ms: number,
	body: string,
): Record<string, string> {
	const timestamp = String(Math.floor(now_ms / 1000));
	return {
		"webhook-id": id,
		"webhook-timestamp": timestamp,
		"webhook-signature": signWebhook(secret, id, timestamp, body),
	};
}

/** Whether one of the signatures is that of the body; how long it takes says nothing. */
export function isSignedWebhook(
	secret: string,
	{ id, timestamp, signature }: WebhookHeaders,
	body: string,
): boolean {
	const expected = Buffer.from(signWebhook(secret, id, timestamp, body));
	return signature.split(" ").some((one) => {
		const presented = Buffer.from(one);
		return presented.length === expected.length && timingSafeEqual(presented, expected);
	});
}
