import { isLoudEnough } from "../../protocol/log-levels.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import type { Call } from "../call.ts";

/**
 * Passes a notification of the server on to the call's client. Log messages are held to the
 * level the client asked for; a modern client that asked for none gets none (logging,
 * 2026-07-28).
 */
export function forwardNotification(call: Call, message: Message): void {
	if (message.method === "notifications/message") {
		const { era, log_level } = call.client;
		if (era === "modern" && log_level === undefined) return;
		const level = readString(message.bytes, memberSpan(message.params, "level"));
		if (!isLoudEnough(level, log_level)) return;
	}
	call.sink.notify(message);
}
