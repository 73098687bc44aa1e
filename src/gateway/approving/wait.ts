import type { Approval } from "../../approvals/approval.ts";
import type { Approvals } from "../../approvals/approvals.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { tellProgress } from "./progress.ts";

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
	const until_ms = clock.monotonic() + options.wait_ms;
	let current: Approval | undefined = approval;
	for (let step = 1; current?.state === "pending"; step += 1) {
		const left_ms = until_ms - clock.monotonic();
		if (left_ms <= 0 || call.signal.aborted) break;
		tellProgress(call, step, `Waiting for approval ${approval.id}: ${options.url}`);
		const nap_ms = Math.min(left_ms, progress_every_ms);
		current = await options.approvals.decided(approval.id, nap_ms, call.signal);
	}
	return current;
}
