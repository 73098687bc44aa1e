import { type Call, type CallParts, type CallSink, makeCall } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/** Nobody is told or asked anything while an edge answers. */
const no_sink: CallSink = {
	notify: () => undefined,
	ask: (ask) => ask.answer({ kind: "error", json: '{"code":-32601,"message":"Not here"}' }),
};

/**
 * A request that its edge answers itself, such as `initialize`. It does not go the way of other
 * calls, and is recorded like them: see `recordCall`.
 */
export function edgeCall(
	parts: Omit<CallParts, "id" | "method" | "sink">,
	{ clock, random }: GatewayContext,
): Call {
	const method = parts.message.method ?? "";
	return makeCall({ ...parts, id: random.uuid(), method, sink: no_sink }, clock);
}
