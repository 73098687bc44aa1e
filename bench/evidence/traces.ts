import { CallMetrics } from "../../src/telemetry/metrics/call-metrics.ts";
import { Registry } from "../../src/telemetry/metrics/registry.ts";
import { encodeSpans } from "../../src/telemetry/otlp/encode.ts";
import { spansOf } from "../../src/telemetry/traces/call-spans.ts";
import { timedLine } from "../../test/support/call-line.ts";
import { sampleRecord } from "../../test/support/call-record.ts";

/** As many as one export has at the most. */
const batch = 256;
const batches = 40;
const rounds = 15;
const hash = "ab".repeat(32);
const resource = {
	attributes: { "service.name": "moorage", "service.version": "1" },
	scope: { name: "moorage", version: "1" },
};

/** CPU of one thread for each call: of what is counted, and of a trace that is made. */
export function measureTraces(): Record<string, number> {
	const metrics = new CallMetrics(new Registry());
	let number = 0;
	const calls = Array.from({ length: batches }, () =>
		Array.from({ length: batch }, () => {
			const id = `0198a000-0000-7000-8000-${String(number++).padStart(12, "0")}`;
			return sampleRecord({ id, request_id: String(number), inputHash: () => hash });
		}),
	);
	const traced = calls.map((records) => records.map((record) => timedLine(record)));
	return {
		metrics_us: median(() => {
			for (const records of calls) for (const record of records) metrics.count(record);
		}),
		trace_us: median(() => {
			for (const batch of traced) encodeSpans(spansOf(batch), resource);
		}),
	};
}

/** Of several rounds, after as many that are not counted. */
function median(work: () => void): number {
	const times: number[] = [];
	for (let round = 0; round < 2 * rounds; round += 1) {
		const before = process.threadCpuUsage();
		work();
		const { user, system } = process.threadCpuUsage(before);
		if (round >= rounds) times.push((user + system) / (batch * batches));
	}
	times.sort((a, b) => a - b);
	return Math.round((times[rounds >> 1] ?? 0) * 100) / 100;
}
