import { composeNotification } from "../../wire/compose.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import type { Call } from "../call.ts";

/** Tells the caller's client that its call waits, where that asked for progress. */
export function tellProgress(call: Call, step: number, message: string): void {
	const span = memberSpan(call.message.meta, "progressToken");
	if (span === undefined) return;
	const token = rawText(call.message.bytes, span);
	const params = `"progressToken":${token},"progress":${step},"message":${JSON.stringify(message)}`;
	call.sink.notify(composeNotification("notifications/progress", `{${params}}`));
}
