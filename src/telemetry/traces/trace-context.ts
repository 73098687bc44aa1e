/** The part of a trace that a request belongs to (W3C Trace Context, level 2). */
export interface TraceContext {
	/** 32 lower-case hex digits, not all zero. */
	readonly trace_id: string;
	/** The caller's span: 16 lower-case hex digits, not all zero. */
	readonly span_id: string;
	/** Whether the caller keeps its part. */
	readonly sampled: boolean;
}

const traceparent_pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const trace_id_none = "0".repeat(32);
const span_id_none = "0".repeat(16);
/** A version to come may have more parts, but no more than this is looked at. */
const traceparent_chars_max = 256;

/** Reads a `traceparent`; undefined for one that the specification says to ignore. */
export function parseTraceparent(text: string): TraceContext | undefined {
	if (text.length > traceparent_chars_max) return undefined;
	const found = traceparent_pattern.exec(text);
	if (found === null) return undefined;
	const [, version, trace_id, span_id, flags, more] = found;
	if (version === undefined || trace_id === undefined || span_id === undefined) return undefined;
	if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
	if (trace_id === trace_id_none || span_id === span_id_none) return undefined;
	return { trace_id, span_id, sampled: (Number.parseInt(flags as string, 16) & 1) === 1 };
}

/** The `traceparent` that tells the next one of its caller's span. */
export function formatTraceparent({ trace_id, span_id, sampled }: TraceContext): string {
	return `00-${trace_id}-${span_id}-${sampled ? "01" : "00"}`;
}

const baggage_members_max = 180;
const baggage_bytes_max = 8192;

/**
 * The members of a `baggage` (W3C Baggage) whose keys are on the list, as they were written;
 * undefined when none is. What a caller writes there is not to be trusted, and not ours to spread.
 */
export function filterBaggage(text: string, keys: readonly string[]): string | undefined {
	if (keys.length === 0 || text.length > baggage_bytes_max) return undefined;
	const kept = text
		.split(",", baggage_members_max)
		.map((member) => member.trim())
		.filter((member) => keys.includes(member.split(/[=;]/, 1)[0]?.trim() ?? ""));
	return kept.length === 0 ? undefined : kept.join(",");
}
