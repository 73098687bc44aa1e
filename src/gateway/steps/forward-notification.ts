import { assert } from "../../lib/assert.ts";
import { isLoudEnough } from "../../protocol/log-levels.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { applyEdits } from "../../wire/splice.ts";
import { task_status, taskMessageEdits } from "../bridge/legacy-tasks.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { taskNews } from "./hold-task.ts";
import { legacyTaskView } from "./legacy-task-view.ts";

/**
 * Passes a notification of the server on to the call's client. Log messages are held to the
 * level the client asked for; a modern client that asked for none gets none (logging,
 * 2026-07-28).
 */
export function forwardNotification(call: Call, message: Message, context: GatewayContext): void {
	if (message.method === "notifications/message") {
		const { era, log_level } = call.client;
		if (era === "modern" && log_level === undefined) return;
		const level = readString(message.bytes, memberSpan(message.params, "level"));
		if (!isLoudEnough(level, log_level)) return;
	}
	const news = taskNews(message);
	if (news !== undefined && call.lease !== undefined) {
		context.task_holds.onPush(call.lease.key, news);
	}
	const about_task = message.meta !== undefined || message.method === task_status;
	const view = about_task ? legacyTaskView(call, context) : undefined;
	const edits = view === undefined ? [] : taskMessageEdits(message, view);
	if (edits !== undefined) call.sink.notify(edited(message, edits));
}

/** A server's request as the client of the call is to see it. */
export function asSeen(call: Call, message: Message, context: GatewayContext): Message {
	const view = legacyTaskView(call, context);
	return edited(message, (view === undefined ? undefined : taskMessageEdits(message, view)) ?? []);
}

function edited(message: Message, edits: readonly Edit[]): Message {
	if (edits.length === 0) return message;
	const indexed = indexMessage(applyEdits(message.bytes, edits));
	assert(indexed.ok, "a message with another task id is a message");
	return indexed.value;
}
