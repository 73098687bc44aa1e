import type { Result } from "../../../lib/result.ts";
import type { Reply } from "../once.ts";
import type { UpstreamAuth } from "./upstream-auth.ts";

/** Whether a server says that it does not know, or not allow, who asks. */
export function isUnauthorized(status: number): boolean {
	return status === 401 || status === 403;
}

/**
 * Sends a message that has no reply, and once more where it was refused and authorization came
 * about. `send` takes the headers anew each time it is called.
 */
export async function sendAuthorized(
	auth: UpstreamAuth | undefined,
	send: () => Promise<Result<Reply, string>>,
): Promise<Result<Reply, string>> {
	const token = auth?.token;
	const first = await send();
	if (auth === undefined || !first.ok || !isUnauthorized(first.value.status)) return first;
	const { status, headers } = first.value;
	const outcome = await auth.onRefused({ status, headers, token, rounds: 0 });
	return outcome.ok && outcome.value === "retry" ? send() : first;
}
