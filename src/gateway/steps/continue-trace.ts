import { meta_keys } from "../../protocol/meta.ts";
import { stageSpanId } from "../../telemetry/traces/span.ts";
import {
	filterBaggage,
	formatTraceparent,
	parseTraceparent,
} from "../../telemetry/traces/trace-context.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type MetaChange, metaEdits } from "../bridge/request-edits.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { traceOfCall } from "../recording.ts";

/**
 * The server is told of the trace as a child of this call (`_meta.traceparent`, SEP-414). Without
 * tracing here the client's own goes on as it came. Baggage stays here unless its keys are trusted.
 */
export function continueTrace(call: Call, context: GatewayContext): undefined {
	const hello = call.lease?.upstream.hello;
	if (hello === undefined) return undefined;
	const { tracing } = context;
	if (tracing !== undefined) {
		const { trace_id, span_id, sampled } = traceOfCall(call);
		call.traceparent = formatTraceparent({
			trace_id,
			span_id: stageSpanId(span_id, "upstream"),
			sampled: sampled === true || tracing.keeps(trace_id),
		});
	} else if (parseTraceparent(call.trace_header ?? "") !== undefined) {
		call.traceparent = call.trace_header;
	}
	// Into another era it is part of the same change of `_meta`: see translateRequest.
	if (hello.era !== call.client.era) return undefined;
	call.edits.push(...metaEdits(call.message, traceChange(call, context)));
	return undefined;
}

/** What becomes of `_meta` for the sake of the trace. */
export function traceChange({ message, traceparent }: Call, context: GatewayContext): MetaChange {
	const { tracing } = context;
	const baggage = memberSpan(message.meta, meta_keys.baggage);
	// Nearly always there is nothing to do.
	if (tracing === undefined && baggage === undefined) return {};
	const set: Record<string, string> = {};
	if (tracing !== undefined && traceparent !== undefined) {
		// Made here, of hex digits and hyphens: nothing in it needs an escape.
		set[meta_keys.traceparent] = `"${traceparent}"`;
	}
	if (baggage === undefined) return { set };
	const text = readString(message.bytes, baggage) ?? "";
	const kept = filterBaggage(text, tracing?.baggage ?? []);
	if (kept === undefined) return { set, remove: [meta_keys.baggage] };
	return { set: { ...set, [meta_keys.baggage]: JSON.stringify(kept) } };
}
