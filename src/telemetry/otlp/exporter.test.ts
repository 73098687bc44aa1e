import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { timedLine } from "../../../test/support/call-line.ts";
import { sampleRecord } from "../../../test/support/call-records.ts";
import { startLineProcess } from "../../../test/support/line-process.ts";
import { systemClock } from "../../lib/clock.ts";
import type { TimedLine } from "../call-line.ts";
import { Registry } from "../metrics/registry.ts";
import { spansOf } from "../traces/call-spans.ts";
import { stageSpanId } from "../traces/span.ts";
import { encodeMetrics, encodeSpans } from "./encode.ts";
import { OtlpExporter } from "./exporter.ts";
import { rejectedItems } from "./partial-success.ts";

const resource = {
	attributes: { "service.name": "moorage", ready: true, port: 8642, share: 0.5 },
	scope: { name: "moorage", version: "1" },
};

interface Seen {
	readonly kind: string;
	readonly auth?: string;
	// oxlint-disable-next-line typescript/no-explicit-any -- decoded by the official code
	readonly body: any;
}

function exporterTo(port: number, lost: [number, string][]) {
	return new OtlpExporter<TimedLine>({
		clock: systemClock,
		target: {
			url: `http://127.0.0.1:${port}/v1/traces`,
			headers: { authorization: "Bearer collector" },
		},
		delay_ms: 5,
		retry_ms: 5,
		tries_max: 3,
		queue_max: 20,
		batch_max: 10,
		timeout_ms: 200,
		encode: (records) => encodeSpans(spansOf(records), resource),
		onLost: (items, why) => lost.push([items, why]),
	});
}

function attributesOf(list: { key: string; value: Record<string, unknown> }[]) {
	return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test("a collector decodes the spans of a call: its own, and one for each part", async (t) => {
	const collector = await startLineProcess("otlp-collector");
	t.after(() => collector.stop());
	const exporter = exporterTo(collector.port, []);
	const record = sampleRecord({
		...{ policy_ms: 0.5, wake_ms: 1, audit_ms: 0.5 },
		...{ duration_ms: 10, code: undefined },
	});
	exporter.add(timedLine(record));
	const { body, auth } = await collector.find<Seen>(({ kind }) => kind === "traces");
	assert.equal(auth, "Bearer collector");
	const [from] = body.resourceSpans;
	assert.deepEqual(attributesOf(from.resource.attributes), {
		"service.name": "moorage",
		ready: true,
		port: "8642",
		share: 0.5,
	});
	const { spans } = from.scopeSpans[0];
	assert.deepEqual(
		spans.map(({ name, kind }: { name: string; kind: number }) => [name, kind]),
		[
			["tools/call push", 2],
			["moorage policy", 1],
			["moorage wake", 1],
			["moorage audit", 1],
			["tools/call push", 3],
		],
	);
	const [own, policy, , , upstream] = spans;
	assert.deepEqual(
		[own.traceId, own.spanId, own.parentSpanId],
		[record.trace_id, record.span_id, record.parent_span_id],
	);
	assert.equal(policy.parentSpanId, record.span_id);
	assert.equal(upstream.spanId, stageSpanId(record.span_id, "upstream"));
	assert.equal(own.startTimeUnixNano, `${record.ts_ms}000000`);
	assert.equal(BigInt(own.endTimeUnixNano) - BigInt(own.startTimeUnixNano), 10_000_000n);
	assert.equal(BigInt(upstream.endTimeUnixNano) - BigInt(upstream.startTimeUnixNano), 8_000_000n);
	const attributes = attributesOf(own.attributes);
	assert.equal(attributes["gen_ai.tool.name"], "push");
	assert.equal(attributes["moorage.tool.args_hash"], "ab".repeat(32));
	assert.equal(attributes["moorage.tenant"], "acme");
	await exporter.close(1_000);
	assert.deepEqual(exporter.counts, { exported: 1, lost: 0, waiting: 0 });
});

test("an error has its type and its status in the span", async (t) => {
	const collector = await startLineProcess("otlp-collector");
	t.after(() => collector.stop());
	const exporter = exporterTo(collector.port, []);
	const failed = { status: "client_error", code: "rpc_-32602", upstream_ms: 0 } as const;
	exporter.add(timedLine(sampleRecord(failed)));
	const { body } = await collector.find<Seen>(({ kind }) => kind === "traces");
	const [span] = body.resourceSpans[0].scopeSpans[0].spans;
	assert.deepEqual(span.status, { message: "-32602", code: 2 });
	const attributes = attributesOf(span.attributes);
	assert.equal(attributes["error.type"], "-32602");
	assert.equal(attributes["rpc.response.status_code"], "-32602");
	await exporter.close(1_000);
});

test("a collector decodes counters, gauges and histograms", async (t) => {
	const collector = await startLineProcess("otlp-collector");
	t.after(() => collector.stop());
	const registry = new Registry();
	registry
		.counter({ name: "moorage.calls", help: "c", unit: "1", labels: ["tool", "code"] })
		.get("a", "")
		.add(300);
	registry.histogram({ name: "h", help: "h", unit: "s", labels: [] }, [1, 2]).get().observe(1.5);
	registry.observe("gauge", { name: "g", help: "g", unit: "By", labels: [] }, () => [
		{ labels: [], value: -2.5 },
	]);
	const body = encodeMetrics(await registry.snapshot(), resource, { started_ms: 1, now_ms: 2.5 });
	await fetch(`http://127.0.0.1:${collector.port}/v1/metrics`, {
		method: "POST",
		headers: { "content-type": "application/x-protobuf" },
		body: new Uint8Array(body),
	});
	const seen = await collector.find<Seen>(({ kind }) => kind === "metrics");
	const { metrics } = seen.body.resourceMetrics[0].scopeMetrics[0];
	const [counter, histogram, gauge] = metrics;
	assert.equal(counter.sum.isMonotonic, true);
	assert.equal(counter.sum.aggregationTemporality, 2);
	assert.deepEqual(counter.sum.dataPoints, [
		{
			startTimeUnixNano: "1000000",
			timeUnixNano: "2500000",
			asDouble: 300,
			attributes: [{ key: "tool", value: { stringValue: "a" } }],
		},
	]);
	const [point] = histogram.histogram.dataPoints;
	assert.deepEqual(
		[point.count, point.sum, point.bucketCounts, point.explicitBounds],
		["1", 1.5, ["0", "1", "0"], [1, 2]],
	);
	assert.equal(gauge.gauge.dataPoints[0].asDouble, -2.5);
});

test("what a busy collector refuses for now is sent again", async (t) => {
	const collector = await startLineProcess("otlp-collector", "--refuse", "2");
	t.after(() => collector.stop());
	const lost: [number, string][] = [];
	const exporter = exporterTo(collector.port, lost);
	exporter.add(timedLine(sampleRecord()));
	await collector.find(({ kind }) => kind === "traces");
	await exporter.close(1_000);
	assert.deepEqual([exporter.counts.exported, lost], [1, []]);
});

test("what a collector rejects is counted as lost", async (t) => {
	const collector = await startLineProcess("otlp-collector", "--reject");
	t.after(() => collector.stop());
	const lost: [number, string][] = [];
	const exporter = exporterTo(collector.port, lost);
	for (let index = 0; index < 3; index++) exporter.add(timedLine(sampleRecord()));
	await exporter.close(5_000);
	assert.deepEqual(
		[exporter.counts, lost],
		[{ exported: 2, lost: 1, waiting: 0 }, [[1, "the collector rejected them"]]],
	);
});

test("a collector that is down costs nothing but the spans, and they are counted", async () => {
	const lost: [number, string][] = [];
	const exporter = exporterTo(1, lost);
	for (let index = 0; index < 50; index++) exporter.add(timedLine(sampleRecord()));
	await exporter.flush();
	const { exported, waiting } = exporter.counts;
	assert.deepEqual([exported, waiting], [0, 0]);
	assert.equal(
		lost.reduce((sum, [items]) => sum + items, 0),
		50,
	);
	await exporter.close(100);
});

test("a collector that hangs is given up in time, also when the gateway stops", async (t) => {
	const collector = await startLineProcess("otlp-collector", "--hang");
	t.after(() => collector.stop());
	const lost: [number, string][] = [];
	const exporter = exporterTo(collector.port, lost);
	exporter.add(timedLine(sampleRecord()));
	await exporter.close(50);
	assert.equal(exporter.counts.lost, 1);
});

test("a reply without an end is not read to its end", async (t) => {
	const collector = await startLineProcess("otlp-collector", "--endless");
	t.after(() => collector.stop());
	const lost: [number, string][] = [];
	const exporter = exporterTo(collector.port, lost);
	for (let n = 0; n < 2; n += 1) {
		exporter.add(timedLine(sampleRecord()));
		await exporter.flush();
	}
	await exporter.close(1_000);
	const why = "what answered is no OTLP collector; check the address";
	assert.deepEqual(
		[exporter.counts.exported, lost],
		[
			0,
			[
				[1, why],
				[1, why],
			],
		],
	);
});

test("a page that comes with status 200 has taken nothing, and is not asked again", async (t) => {
	let asked = 0;
	const server = createServer((request, response) => {
		asked += 1;
		request.resume();
		response.end("<!doctype html><title>Log in</title>");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	const lost: [number, string][] = [];
	const exporter = exporterTo((server.address() as AddressInfo).port, lost);
	exporter.add(timedLine(sampleRecord()));
	await exporter.close(1_000);
	assert.deepEqual(exporter.counts, { exported: 0, lost: 1, waiting: 0 });
	assert.deepEqual([asked, lost.length], [1, 1]);
});

test("a reply says what was rejected, in protobuf or in JSON", () => {
	const of = (bytes: readonly number[] | string) => rejectedItems(Buffer.from(bytes));
	assert.equal(of([]), 0);
	assert.equal(of([0x0a, 0x00]), 0, "an empty partial_success");
	assert.equal(of([0x0a, 0x02, 0x08, 0x03]), 3);
	assert.equal(of([0x0a, 0x03, 0x08, 0xac, 0x02]), 300);
	assert.equal(of([0x0a, 0x04, 0x12, 0x02, 0x6f, 0x6b]), 0, "a warning alone");
	assert.equal(of([0x10, 0x01, 0x0a, 0x02, 0x08, 0x01]), 1, "after a field of a later version");
	assert.equal(of("{}"), 0);
	assert.equal(of('{"partialSuccess":{}}'), 0);
	assert.equal(of('{"partialSuccess":null}'), 0);
	assert.equal(of('{"partialSuccess":{"rejectedSpans":"7","errorMessage":"no"}}'), 7);
	assert.equal(of('{"partialSuccess":{"rejectedDataPoints":2}}'), 2);
});

test("what is no reply of a collector is told from one that rejects nothing", () => {
	const garbage = [
		[0x0a],
		[0x0a, 0x05, 0x08],
		[0xff, 0xff],
		[0x0b, 0x01],
		[0x00, 0x01],
		[0x0a, 0x02, 0x08, 0x80],
		[0x0a, 0x02, 0x0a, 0x00],
		[0x0d, 0x01],
		Buffer.alloc(40, 0xff),
		...["<html></html>", "not found", "{", "[]", "\n"],
	];
	for (const bytes of garbage) {
		assert.equal(rejectedItems(Buffer.from(bytes as string)), undefined, String(bytes));
	}
});

test("no reply makes reading it fail", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
			const rejected = rejectedItems(Buffer.from(bytes));
			assert.ok(rejected === undefined || (Number.isSafeInteger(rejected) && rejected >= 0));
		}),
	);
});
