import type { MetricSnapshot } from "../metrics/registry.ts";
import type { Attributes, AttributeValue, Span } from "../traces/span.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** What the exported signals come from. */
export interface Resource {
	/** `service.name`, `service.version`, ... */
	readonly attributes: Readonly<Record<string, AttributeValue>>;
	/** Name and version of the program that measured. */
	readonly scope: { readonly name: string; readonly version: string };
}

const status_error = 2;
const temporality_cumulative = 2;

/** An `ExportTraceServiceRequest` (opentelemetry-proto 1.x, trace/v1). */
export function encodeSpans(spans: Iterable<Span>, resource: Resource): Buffer {
	const writer = new ProtoWriter();
	const known = new Map<Attributes, Buffer>();
	writer.message(1, (of_resource) => {
		of_resource.message(1, (out) => writeAttributes(out, 1, resource.attributes));
		of_resource.message(2, (scope) => {
			scope.message(1, (out) => out.text(1, resource.scope.name).text(2, resource.scope.version));
			for (const span of spans) scope.message(2, (out) => writeSpan(out, span, known));
		});
	});
	return writer.finish();
}

/** The start of what is counted, and when it was looked at. */
interface Times {
	readonly started_ms: number;
	readonly now_ms: number;
}

/** An `ExportMetricsServiceRequest` (metrics/v1); everything counts from `started_ms` on. */
export function encodeMetrics(
	metrics: readonly MetricSnapshot[],
	resource: Resource,
	times: Times,
): Buffer {
	const writer = new ProtoWriter();
	writer.message(1, (of_resource) => {
		of_resource.message(1, (out) => writeAttributes(out, 1, resource.attributes));
		of_resource.message(2, (scope) => {
			scope.message(1, (out) => out.text(1, resource.scope.name).text(2, resource.scope.version));
			for (const metric of metrics) {
				if (metric.points.length > 0) scope.message(2, (out) => writeMetric(out, metric, times));
			}
		});
	});
	return writer.finish();
}

/** `known` has what spans of the batch share, as it was written before. */
function writeSpan(out: ProtoWriter, span: Span, known: Map<Attributes, Buffer>): void {
	out.hex(1, span.trace_id).hex(2, span.span_id).hex(4, span.parent_span_id);
	out.text(5, span.name).uint(6, span.kind);
	out.nanos(7, span.start_ms).nanos(8, span.end_ms);
	writeAttributes(out, 9, span.attributes);
	const { error, shared } = span;
	let bytes = known.get(shared);
	if (bytes === undefined) {
		const writer = new ProtoWriter();
		writeAttributes(writer, 9, shared);
		bytes = writer.finish();
		known.set(shared, bytes);
	}
	out.raw(bytes);
	if (error !== undefined) out.message(15, (status) => status.text(2, error).uint(3, status_error));
}

function writeMetric(out: ProtoWriter, metric: MetricSnapshot, times: Times): void {
	const { name, help, unit, labels } = metric.info;
	out.text(1, name).text(2, help).text(3, unit);
	if (metric.kind === "histogram") {
		out.message(9, (histogram) => {
			for (const point of metric.points) {
				histogram.message(1, (data) => {
					data.nanos(2, times.started_ms).nanos(3, times.now_ms);
					data.fixed64(4, BigInt(point.count)).double(5, point.sum);
					data.packedFixed64(6, point.counts).packedDoubles(7, point.bounds);
					writeLabels(data, 9, labels, point.labels);
				});
			}
			histogram.uint(2, temporality_cumulative);
		});
		return;
	}
	out.message(metric.kind === "gauge" ? 5 : 7, (data) => {
		for (const point of metric.points) {
			data.message(1, (one) => {
				one.nanos(2, times.started_ms).nanos(3, times.now_ms).double(4, point.value);
				writeLabels(one, 7, labels, point.labels);
			});
		}
		if (metric.kind === "counter") data.uint(2, temporality_cumulative).bool(3, true);
	});
}

/** An empty label says that there is nothing to say. */
function writeLabels(
	out: ProtoWriter,
	field: number,
	names: readonly string[],
	values: readonly string[],
): void {
	for (const [index, name] of names.entries()) {
		const value = values[index] as string;
		if (value !== "") writeAttribute(out, field, name, value);
	}
}

function writeAttributes(out: ProtoWriter, field: number, attributes: Attributes): void {
	for (const name of Object.keys(attributes)) {
		const value = attributes[name];
		if (value !== undefined) writeAttribute(out, field, name, value);
	}
}

function writeAttribute(
	out: ProtoWriter,
	field: number,
	name: string,
	value: AttributeValue,
): void {
	if (typeof value === "string") {
		out.textPair(field, name, value);
		return;
	}
	out.message(field, (pair) => {
		pair.text(1, name);
		pair.message(2, (any) => {
			if (typeof value === "boolean") any.bool(2, value);
			else if (Number.isSafeInteger(value)) any.int64(3, value);
			else any.double(4, value);
		});
	});
}
