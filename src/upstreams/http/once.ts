import { fail, type Result, succeed } from "../../lib/result.ts";
import { networkReason } from "./reasons.ts";
import type { Headers, Remote, RemoteRequest } from "./remote.ts";

/** The answer to a message that has no reply: what matters is its status. */
export interface Reply {
	readonly status: number;
	readonly headers: Headers;
}

/**
 * Sends one request and waits for the head of its answer. A body is of no interest: what comes
 * of a short one is dropped, and the connection of an endless one is given up.
 */
export function once(remote: Remote, request: RemoteRequest): Promise<Result<Reply, string>> {
	return new Promise((resolve) => {
		let unread_bytes = 65_536;
		const exchange = remote.send("control", request, {
			onSent: () => {},
			onHead: (status, headers) => resolve(succeed({ status, headers })),
			onData: (chunk) => {
				unread_bytes -= chunk.length;
				if (unread_bytes < 0) exchange.abort();
			},
			onEnd: () => {},
			onError: (error) => resolve(fail(networkReason(error))),
		});
	});
}
