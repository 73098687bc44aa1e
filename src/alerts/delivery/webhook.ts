import type { Clock } from "../../lib/clock.ts";
import { webhookHeaders } from "../../lib/webhook-signature.ts";
import type { Channel, Notice } from "./notice.ts";
import { postJson } from "./post.ts";

/** Posts the alert as JSON, signed so that its receiver can check whom it is from. */
export function webhookChannel(plan: { url: string; secret: string }, clock: Clock): Channel {
	return async (notice) => {
		const body = JSON.stringify(payloadOf(notice));
		const headers = webhookHeaders(plan.secret, notice.id, clock.now(), body);
		return await postJson(plan.url, body, headers, clock);
	};
}

function payloadOf(notice: Notice): object {
	const { id: _, news, since_ms, at_ms, ...rest } = notice;
	return {
		type: `alert.${news}`,
		timestamp: new Date(at_ms).toISOString(),
		data: { ...rest, since: new Date(since_ms).toISOString() },
	};
}
