import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { failedRecord, sampleRecord } from "../../../test/support/call-records.ts";
import { CallMetrics } from "./call-metrics.ts";
import { renderExposition } from "./exposition.ts";
import { Counter, Family, Histogram, LabelCap } from "./instruments.ts";
import { Registry } from "./registry.ts";

async function scrape(registry: Registry): Promise<string[]> {
	return renderExposition(await registry.snapshot()).split("\n");
}

test("a value falls into the first bucket that is not below it", () => {
	fc.assert(
		fc.property(fc.double({ min: 0, max: 20, noNaN: true }), (value) => {
			const bounds = [0.5, 1, 5, 10];
			const histogram = new Histogram(bounds);
			histogram.observe(value);
			const expected = bounds.findIndex((bound) => value <= bound);
			assert.equal(histogram.counts.indexOf(1), expected < 0 ? bounds.length : expected);
			assert.deepEqual([histogram.count, histogram.sum], [1, value]);
		}),
	);
});

test("series beyond the limit are counted together, so that no caller fills the memory", () => {
	const info = { name: "m", help: "", unit: "1", labels: ["a", "b"], series_max: 4 } as const;
	const family = new Family(info, () => new Counter());
	for (let index = 0; index < 100; index++) family.get(String(index), "x").add();
	assert.equal(family.series.length, 4);
	assert.equal(family.get("_other", "_other").value, 97);
	assert.equal(
		family.series.reduce((sum, { instrument }) => sum + instrument.value, 0),
		100,
	);
});

test("a label has so many values, and one for all others", () => {
	const cap = new LabelCap(2);
	assert.deepEqual(
		["a", "b", "c", "a", "d"].map((value) => cap.admit(value)),
		["a", "b", "_other", "a", "_other"],
	);
});

test("the text format has names, units and cumulative buckets, and escapes what callers wrote", async () => {
	const registry = new Registry();
	const counter = registry.counter({ name: "a.b", help: "x\ny", unit: "By", labels: ["mcp.c"] });
	counter.get('q"\\\n').add(3);
	const histogram = registry.histogram({ name: "h", help: "h", unit: "s", labels: [] }, [1, 2]);
	for (const value of [0.5, 1.5, 9]) histogram.get().observe(value);
	registry.observe("gauge", { name: "g", help: "g", unit: "1", labels: [] }, () => [
		{ labels: [], value: Number.POSITIVE_INFINITY },
	]);
	assert.deepEqual(await scrape(registry), [
		"# HELP a_b_bytes_total x\\ny",
		"# TYPE a_b_bytes_total counter",
		'a_b_bytes_total{mcp_c="q\\"\\\\\\n"} 3',
		"# HELP h_seconds h",
		"# TYPE h_seconds histogram",
		'h_seconds_bucket{le="1"} 1',
		'h_seconds_bucket{le="2"} 2',
		'h_seconds_bucket{le="+Inf"} 3',
		"h_seconds_sum 11",
		"h_seconds_count 3",
		"# HELP g g",
		"# TYPE g gauge",
		"g +Inf",
		"",
	]);
});

test("calls are counted by tool, tenant and outcome, with buckets below ten milliseconds", async () => {
	const registry = new Registry();
	const metrics = new CallMetrics(registry);
	metrics.count(sampleRecord({ duration_ms: 1.5, wake_ms: 1 }));
	metrics.count(failedRecord());
	metrics.count(
		sampleRecord({ status: "client_error", code: "policy_denied", decision: "deny", rule: "r" }),
	);
	const lines = await scrape(registry);
	const call = 'server="git",method="tools/call",tool="push",tenant="acme"';
	for (const line of [
		`moorage_calls_total{${call},status="ok"} 1`,
		`moorage_calls_total{${call},status="server_error"} 1`,
		'moorage_call_errors_total{server="git",tool="push",code="tool_error"} 1',
		'moorage_call_duration_seconds_bucket{server="git",tool="push",tenant="acme",le="0.002"} 1',
		'moorage_call_stage_duration_seconds_count{server="git",stage="wake"} 1',
		'moorage_policy_decisions_total{decision="deny",rule="r"} 1',
		'mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",gen_ai_tool_name="push",error_type="tool_error"} 1',
	]) {
		assert.ok(lines.includes(line), line);
	}
});

test("names that callers make up never become labels", async () => {
	const registry = new Registry();
	const metrics = new CallMetrics(registry);
	const unknown = { status: "client_error", code: "not_offered" } as const;
	for (let index = 0; index < 50; index++) {
		metrics.count(sampleRecord({ ...unknown, name: `made-up-${index}` }));
		metrics.count(sampleRecord({ method: `made-up/${index}`, name: undefined }));
	}
	const lines = (await scrape(registry)).join("\n");
	assert.doesNotMatch(lines, /made-up/);
	assert.match(lines, /tool="_unknown",tenant="acme",status="client_error"} 50/);
	assert.match(lines, /method="_other".*status="ok"} 50/);
});

test("whether arguments fit at the first try is counted, and so is the try after", async () => {
	const registry = new Registry();
	const metrics = new CallMetrics(registry);
	const wrong = { status: "client_error", code: "rpc_-32602" } as const;
	const at = (ts_ms: number, change = {}) => metrics.count(sampleRecord({ ts_ms, ...change }));
	at(0);
	at(1_000, wrong);
	at(2_000, wrong);
	at(3_000);
	at(4_000, wrong);
	at(4_000 + 5 * 60_000 + 1);
	at(9_000, { status: "client_error", code: "policy_denied" });
	const lines = await scrape(registry);
	const tool = 'server="git",tool="push"';
	for (const line of [
		`moorage_tool_first_tries_total{${tool},outcome="accepted"} 2`,
		`moorage_tool_first_tries_total{${tool},outcome="rejected"} 2`,
		`moorage_tool_retries_total{${tool},outcome="rejected"} 1`,
		`moorage_tool_retries_total{${tool},outcome="accepted"} 1`,
	]) {
		assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
	}
});
