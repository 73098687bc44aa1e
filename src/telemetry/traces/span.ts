import { hexDigit, hexNumber } from "./hex.ts";

/** What a span stands for (OTLP `SpanKind`). */
export const span_kinds = { internal: 1, server: 2, client: 3 } as const;

/** A value of an attribute. */
export type AttributeValue = string | number | boolean;

/** Attributes by name; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** One span, as it is exported. */
export interface Span {
	readonly trace_id: string;
	readonly span_id: string;
	readonly parent_span_id: string | undefined;
	readonly name: string;
	readonly kind: (typeof span_kinds)[keyof typeof span_kinds];
	/** Wall-clock milliseconds, with fractions. */
	readonly start_ms: number;
	readonly end_ms: number;
	readonly attributes: Attributes;
	/** More attributes: one object for all spans of a batch that have the same. */
	readonly shared: Attributes;
	/** Why it failed; undefined where it did not. */
	readonly error: string | undefined;
}

/** The parts of a call that have spans of their own, in the order in which they happen. */
export const stages = ["policy", "approval", "queue", "wake", "audit", "upstream"] as const;
export type Stage = (typeof stages)[number];

/**
 * The id of a part's span. It follows from the call's own, so that a server can be told whose
 * child it is before anybody knows whether the call is exported at all.
 */
export function stageSpanId(span_id: string, stage: Stage): string {
	const at = span_id.length - 1;
	const last = hexNumber(span_id, at, at + 1) ^ (stages.indexOf(stage) + 1);
	return span_id.slice(0, at) + hexDigit(last);
}
