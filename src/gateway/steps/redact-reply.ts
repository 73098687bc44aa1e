import { indexMessage } from "../../wire/index-message.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/**
 * Takes secrets out of what a server answers, where the configuration wants that. By default an
 * answer reaches its caller byte for byte. It comes first on the way back: all that is looked for
 * in a reply afterwards is looked for in the redacted one.
 */
export function redactReply(_call: Call, reply: Reply, context: GatewayContext): Reply {
	const redactor = context.resultRedactor();
	if (redactor === undefined || reply.kind !== "message") return reply;
	const { bytes } = reply.message;
	const safe = redactor.bytes(bytes);
	if (safe === bytes) return reply;
	const indexed = indexMessage(safe);
	if (indexed.ok) return { ...reply, message: indexed.value };
	// A secret stood where JSON has no room for a marker: as a number, or across two texts.
	const value = redactor.json(JSON.parse(bytes.toString()));
	const again = indexMessage(Buffer.from(JSON.stringify(value)));
	if (again.ok) return { ...reply, message: again.value };
	return {
		kind: "error",
		code: -32603,
		message: "The answer could not be shown safely.",
	};
}
