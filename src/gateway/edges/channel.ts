import type { Body } from "../../wire/body.ts";

/** The way back to a client for one request, or for what is pushed to it. */
export interface Channel {
	/** True when messages can be sent ahead of the final one. */
	readonly takes_streams: boolean;
	/** True when the final message has been given. */
	readonly finished: boolean;
	/** The recorded stream behind it, where there is one by now. */
	readonly stream?: string | undefined;
	/** Sends a message ahead of the final one; dropped when the client takes no streams. */
	send(bytes: Buffer): void;
	/** See `UpstreamRequest.backlog`; absent where what is sent is bounded in another way. */
	backlog?(): Promise<void> | undefined;
	/**
	 * True when so much waits unread that nothing should be added but what a call cannot go on
	 * without. Absent where a reader that is so far behind is cut off.
	 */
	readonly is_overrun?: boolean;
	/** Sends the final message and ends. Later calls do nothing. */
	finish(body: Body, status: number, headers?: Readonly<Record<string, string>>): void;
	/** Ends without a message. */
	end(status: number): void;
}
