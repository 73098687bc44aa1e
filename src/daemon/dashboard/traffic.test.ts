import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import { TrafficCounter } from "./traffic.ts";

function createScene() {
	const clock = new FakeClock();
	const traffic = new TrafficCounter(clock);
	// As the gateway calls it.
	const { after } = traffic;
	const call = (server: string | undefined, duration_ms: number, status = "ok") =>
		after({ server, duration_ms, status } as CallRecord);
	return { clock, traffic, call };
}

test("a server that nobody called has no rates", () => {
	const { traffic } = createScene();
	assert.deepEqual(traffic.read("a"), { calls_per_s: 0, error_rate: 0, calls: 0, spark: [] });
});

test("calls are counted by server and second, and all together", async () => {
	const { clock, traffic, call } = createScene();
	for (let second = 0; second < 10; second += 1) {
		for (let count = 0; count < 5; count += 1) call("a", 1);
		call("b", 1, "server_error");
		await clock.advance(1_000);
	}
	call(undefined, 1);
	const a = traffic.read("a");
	assert.deepEqual([a.calls_per_s, a.calls, a.error_rate], [5, 50, 0]);
	assert.deepEqual(a.spark.slice(-12), [0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0]);
	assert.equal(traffic.read("b").error_rate, 1);
	assert.equal(traffic.read().calls, 61);
});

test("quantiles are right to within a quarter", () => {
	const { traffic, call } = createScene();
	for (let at = 1; at <= 100; at += 1) call("a", at);
	const { p50_ms = 0, p99_ms = 0 } = traffic.read("a");
	assert.ok(p50_ms > 40 && p50_ms < 63, String(p50_ms));
	assert.ok(p99_ms > 79 && p99_ms < 124, String(p99_ms));
});

test("what is older than a minute is forgotten, however long nobody looked", async () => {
	const { clock, traffic, call } = createScene();
	call("a", 5);
	await clock.advance(59_000);
	assert.equal(traffic.read("a").calls, 1);
	await clock.advance(1_000);
	assert.equal(traffic.read("a").calls, 0);
	call("a", 5);
	await clock.advance(3_600_000);
	assert.equal(traffic.read("a").calls, 0);
});

test("servers that are gone are forgotten", () => {
	const { traffic, call } = createScene();
	call("a", 1);
	traffic.keep(new Set(["b"]));
	assert.equal(traffic.read("a").calls, 0);
});
