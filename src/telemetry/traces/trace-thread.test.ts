import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { sampleRecord } from "../../../test/support/call-records.ts";
import { type LineProcess, startLineProcess } from "../../../test/support/line-process.ts";
import { systemClock } from "../../lib/clock.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import { TraceThread, type TraceThreadOptions } from "./trace-thread.ts";

interface Span {
	readonly name: string;
	readonly spanId: string;
	readonly startTimeUnixNano: string;
}

interface Traces {
	readonly kind: string;
	readonly auth: string;
	readonly body?: { readonly resourceSpans: { readonly scopeSpans: { spans: Span[] }[] }[] };
}

function threadTo(context: TestContext, port: number, changes: Partial<TraceThreadOptions> = {}) {
	const lost: [number, string][] = [];
	const sent = { batches: 0, shed: 0 };
	const thread = new TraceThread({
		clock: systemClock,
		data: {
			target: { url: `http://127.0.0.1:${port}/v1/traces`, headers: { authorization: "Bearer c" } },
			resource: {
				attributes: { "service.name": "moorage" },
				scope: { name: "moorage", version: "1" },
			},
		},
		redactor: new SecretRedactor(),
		onBatches(batches) {
			sent.batches += batches;
		},
		onShed(calls) {
			sent.shed += calls;
		},
		onLost: (calls, why) => lost.push([calls, why]),
		...changes,
	});
	context.after(() => thread.close(0));
	return { thread, lost, sent };
}

async function collectorFor(context: TestContext, ...args: string[]): Promise<LineProcess> {
	const collector = await startLineProcess("otlp-collector", ...args);
	context.after(() => collector.stop());
	return collector;
}

const spansIn = ({ body }: Traces) => body?.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
const idOf = (n: number) => n.toString(16).padStart(16, "0");

test("a collector is sent the spans of every call, in order, also of the last ones", async (t) => {
	const collector = await collectorFor(t);
	const { thread, lost, sent } = threadTo(t, collector.port);
	const calls = 1_300;
	const last = idOf(calls * 16);
	for (let n = 1; n <= calls; n += 1)
		thread.add(sampleRecord({ span_id: idOf(n * 16) }), "ordinary");
	await thread.close(10_000);
	await collector.find<Traces>((one) => spansIn(one).some(({ spanId }) => spanId === last));
	const seen = collector.lines as unknown as Traces[];
	const own = seen
		.filter(({ kind }) => kind === "traces")
		.flatMap(spansIn)
		.filter(({ spanId }) => spanId.endsWith("0"));
	assert.deepEqual(
		own.map(({ spanId }) => spanId),
		Array.from({ length: calls }, (_, n) => idOf((n + 1) * 16)),
	);
	assert.deepEqual(lost, []);
	assert.equal(sent.batches, seen.filter(({ kind }) => kind === "traces").length);
});

test("a span begins when its call came, to the microsecond, and holds no secret", async (t) => {
	const collector = await collectorFor(t);
	const redactor = new SecretRedactor();
	redactor.add("hunter22");
	const { thread } = threadTo(t, collector.port, { redactor });
	thread.add(sampleRecord({ name: "push-hunter22", ts_ms: 1_767_225_600_000.25 }), "ordinary");
	const seen = await collector.find<Traces>(({ kind }) => kind === "traces");
	const [own] = spansIn(seen);
	assert.equal(own?.name, "tools/call push-[redacted]");
	assert.equal(own?.startTimeUnixNano, "1767225600000250000");
	assert.doesNotMatch(JSON.stringify(seen), /hunter22/);
	assert.equal(seen.auth, "Bearer c");
});

test("calls that a collector does not take are counted, and nobody waits for it", async (t) => {
	const { thread, lost } = threadTo(t, 1);
	for (let n = 0; n < 50; n += 1) thread.add(sampleRecord(), "ordinary");
	await thread.close(1);
	const calls = lost.reduce((sum, [count]) => sum + count, 0);
	assert.equal(calls, 50);
});

test("what waits for the collector has an end, and what comes beyond it is counted", async (t) => {
	const collector = await collectorFor(t);
	const { thread, lost } = threadTo(t, collector.port, { calls_waiting_max: 600 });
	for (let n = 0; n < 1_112; n += 1) thread.add(sampleRecord({ span_id: idOf(n * 16) }), "notable");
	await thread.close(10_000);
	assert.deepEqual(lost, [[512, "too much waits for the collector"]]);
	await collector.find<Traces>((one) =>
		spansIn(one).some(({ spanId }) => spanId === idOf(599 * 16)),
	);
});

test("where a collector is too slow errors are kept, and ordinary calls left out and counted", async (t) => {
	const collector = await collectorFor(t);
	const { thread, lost, sent } = threadTo(t, collector.port, { calls_waiting_max: 600 });
	const failed: string[] = [];
	for (let n = 0; n < 2_000; n += 1) {
		const span_id = idOf(n * 16);
		if (n % 10 === 9) failed.push(span_id);
		thread.add(sampleRecord({ span_id }), n % 10 === 9 ? "notable" : "ordinary");
	}
	await thread.close(10_000);
	assert.deepEqual(lost, []);
	// Of the first 300 there are 30 that are notable: 270 ordinary ones had room.
	assert.equal(sent.shed, 1_800 - 270);
	await collector.find<Traces>((one) =>
		spansIn(one).some(({ spanId }) => spanId === failed.at(-1)),
	);
	const traces = (collector.lines as unknown as Traces[]).filter(({ kind }) => kind === "traces");
	const seen = new Set(traces.flatMap(spansIn).map(({ spanId }) => spanId));
	assert.deepEqual(
		failed.filter((id) => !seen.has(id)),
		[],
	);
});

test("a call after the end is not taken, and ends nothing", async (t) => {
	const { thread, lost } = threadTo(t, 1);
	await thread.close(1);
	thread.add(sampleRecord(), "ordinary");
	await thread.close(1);
	assert.deepEqual(lost, []);
});
