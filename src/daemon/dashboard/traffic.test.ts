import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import { TrafficCounter } from "./traffic.ts";

function createScene() {
	const clock = new FakeClock();
	const traffic = new TrafficCounter(clock);
	// As the gateway calls it.
	const { after } = traffic;
	const call = (server: string | undefined, duration_ms: number, status = "ok") =>
		after({ server, duration_ms, status, tenant: "acme" } as CallRecord);
	const callFor = (tenant: string) =>
		after({ server: "a", duration_ms: 1, status: "ok", tenant } as CallRecord);
	return { clock, traffic, call, callFor };
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

test("whatever was counted when, a minute is told as if it were counted anew", async () => {
	const { clock, traffic, call } = createScene();
	const counted: { at_s: number; duration_ms: number; failed: boolean }[] = [];
	const random = new SeededRandom(7);
	for (let step = 0; step < 200; step += 1) {
		const at_s = Math.floor(clock.monotonic() / 1_000);
		const count = random.fraction() < 0.3 ? 0 : random.below(20);
		for (let made = 0; made < count; made += 1) {
			const [duration_ms, failed] = [random.fraction() * 500, random.fraction() < 0.2];
			counted.push({ at_s, duration_ms, failed });
			call("a", duration_ms, failed ? "server_error" : "ok");
		}
		const now = counted.filter((one) => one.at_s > at_s - 60);
		const { calls, error_rate, p50_ms = 0, spark } = traffic.read("a");
		assert.equal(calls, now.length);
		assert.equal(
			spark.reduce((sum, one) => sum + one, 0),
			now.length,
		);
		if (now.length > 0) {
			assert.equal(error_rate, now.filter(({ failed }) => failed).length / now.length);
			const sorted = now.map(({ duration_ms }) => duration_ms).toSorted((a, b) => a - b);
			const middle = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
			assert.ok(p50_ms >= middle / 1.25 && p50_ms <= middle * 1.25, `${p50_ms} for ${middle}`);
		}
		await clock.advance(random.fraction() < 0.05 ? 30_000 : 1_000);
	}
});

test("servers that are gone are forgotten", () => {
	const { traffic, call } = createScene();
	call("a", 1);
	traffic.keep(new Set(["b"]));
	assert.equal(traffic.read("a").calls, 0);
});

test("calls are counted by tenant, and tenants that are quiet are named no more", async () => {
	const { clock, traffic, callFor } = createScene();
	callFor("acme");
	callFor("acme");
	callFor("globex");
	assert.deepEqual(traffic.tenants().toSorted(), ["acme", "globex"]);
	assert.equal(traffic.readTenant("acme").calls, 2);
	assert.equal(traffic.readTenant("nobody").calls, 0);
	await clock.advance(61_000);
	callFor("globex");
	assert.deepEqual(traffic.tenants(), ["globex"]);
	assert.equal(traffic.readTenant("acme").calls, 0);
});

test("however many tenants there are, a bounded number is counted, and quiet ones make room", async () => {
	const { clock, traffic, callFor } = createScene();
	for (let at = 0; at < 600; at += 1) callFor(`t${at}`);
	assert.equal(traffic.tenants().length, 500);
	assert.equal(traffic.readTenant("t599").calls, 0);
	assert.equal(traffic.read().calls, 600);
	await clock.advance(61_000);
	callFor("t599");
	assert.deepEqual(traffic.tenants(), ["t599"]);
});
