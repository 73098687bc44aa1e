import type { Approval } from "../../approvals/approval.ts";
import type { Approvals } from "../../approvals/approvals.ts";
import { composeNotification } from "../../wire/compose.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/** How often a caller hears that its call still waits. */
const progress_every_ms = 5_000;

/**
 * Waits for a decision, at most `wait_ms`, and tells the caller's client that it does, where that
 * asked for progress.
 */
export async function waitWithProgress(
	call: Call,
	approval: Approval,
	options: { readonly approvals: Approvals; readonly wait_ms: number; readonly url: string },
	{ clock }: GatewayContext,
): Promise<Approval | undefined> {
	const token = progressToken(call);
	const until_ms = clock.monotonic() + options.wait_ms;
	let current: Approval | undefined = approval;
	for (let step = 1; current?.state === "pending"; step += 1) {
		const left_ms = until_ms - clock.monotonic();
		if (left_ms <= 0 || call.signal.aborted) break;
		if (token !== undefined) {
			const message = `Waiting for approval ${approval.id}: ${options.url}`;
			const params = `"progress":${step},"message":${JSON.stringify(message)}`;
			call.sink.notify(
				composeNotification("notifications/progress", `{"progressToken":${token},${params}}`),
			);
		}
		const nap_ms = Math.min(left_ms, progress_every_ms);
		current = await options.approvals.decided(approval.id, nap_ms, call.signal);
	}
	return current;
}

function progressToken({ message }: Call): string | undefined {
	const span = memberSpan(message.meta, "progressToken");
	return span && rawText(message.bytes, span);
}
