import { createHmac } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Channel, Notice } from "./notice.ts";
import { postJson } from "./post.ts";

/**
 * Posts the alert as JSON, signed as the Standard Webhooks specification says: the receiver
 * computes HMAC-SHA256 over `id.timestamp.body` with the secret and compares.
 */
export function webhookChannel(plan: { url: string; secret: string }, clock: Clock): Channel {
	return async (notice) => {
		const body = JSON.stringify(payloadOf(notice));
		const timestamp = String(Math.floor(clock.now() / 1000));
		const signature = signWebhook(plan.secret, notice.id, timestamp, body);
		const headers = {
			"webhook-id": notice.id,
			"webhook-timestamp": timestamp,
			"webhook-signature": signature,
		};
		return await postJson(plan.url, body, headers, clock);
	};
}

/** The value of `webhook-signature`. A secret that begins with `whsec_` is base64 behind it. */
export function signWebhook(secret: string, id: string, timestamp: string, body: string): string {
	const prefix = "whsec_";
	const key = secret.startsWith(prefix)
		? Buffer.from(secret.slice(prefix.length), "base64")
		: Buffer.from(secret);
	const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
	return `v1,${mac}`;
}

function payloadOf(notice: Notice): object {
	const { id: _, news, since_ms, at_ms, ...rest } = notice;
	return {
		type: `alert.${news}`,
		timestamp: new Date(at_ms).toISOString(),
		data: { ...rest, since: new Date(since_ms).toISOString() },
	};
}
