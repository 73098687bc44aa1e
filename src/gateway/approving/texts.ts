import type { Approval } from "../../approvals/approval.ts";

/** What callers are told of their calls that wait for people. */

/** Why a call has not run, and what to do meanwhile: `then` is a sentence. */
export function pendingText({ id, expires_at_ms, after }: Approval, url: string, then: string) {
	const again = after === undefined ? "" : unknownText(after);
	return (
		`This call waits for a person's approval (${id}). It has not run. ${then} ${again}` +
		`Who may decide does so at ${url} until ${new Date(expires_at_ms).toISOString()}.`
	);
}

function unknownText(after: string): string {
	return (
		`It may have run before, under ${after}: the gateway was stopped while it did, so nobody ` +
		"knows here. Look first whether it had its effect. "
	);
}

/** That somebody refused, and why. */
export function deniedText({ id, votes }: Approval): string {
	const against = votes.findLast(({ verdict }) => verdict === "deny");
	const reason = against?.reason === undefined ? "." : `: ${against.reason}`;
	return `This call was not approved (${id})${reason}`;
}
