import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { failedRecord, sampleRecord } from "../../test/support/call-records.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import { default_alerts } from "../config/alert-rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import { CallAggregator } from "./aggregator.ts";
import { Alerts } from "./engine.ts";
import type { AlertFacts } from "./facts.ts";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;

let clock: FakeClock;
/** How far the wall clock was set forth or back. */
let jump_ms: number;
let store: TestStore;
let aggregator: CallAggregator;
let alerts: Alerts;
let facts: AlertFacts;

beforeEach(async () => {
	clock = new FakeClock();
	jump_ms = 0;
	store = await openTestStore(clock);
	facts = {
		crashed: () => [],
		expiring: () => [],
		disk: async () => ({ path: "/data", free_bytes: 80 * 2 ** 30, total_bytes: 100 * 2 ** 30 }),
		lost: () => ({}),
	};
	build();
});
afterEach(() => store.database.close());

function build(): void {
	const redactor = { text: (value: string) => value };
	const wall: Clock = {
		now: () => clock.now() + jump_ms,
		monotonic: () => clock.monotonic(),
		after: (delay_ms, fn) => clock.after(delay_ms, fn),
		afterIdle: (delay_ms, fn) => clock.afterIdle(delay_ms, fn),
	};
	aggregator = new CallAggregator({ clock: wall, writer: store.writer, redactor });
	alerts = new Alerts({
		clock: wall,
		random: new SeededRandom(clock.now()),
		log: new MemoryLog(),
		repository: store.repositories.alerts,
		writer: store.writer,
		aggregator,
		facts: {
			crashed: () => facts.crashed(),
			expiring: () => facts.expiring(),
			disk: () => facts.disk(),
			lost: () => facts.lost(),
		},
		redactor,
		plan: () => default_alerts,
		onChange: () => undefined,
		onTried: () => undefined,
	});
}

/** Time passes, and the rules are looked at once a minute. */
async function pass(duration_ms: number): Promise<void> {
	const end_ms = clock.now() + duration_ms;
	while (clock.now() < end_ms) {
		const looking = alerts.evaluateNow();
		await clock.advance(Math.min(minute_ms, end_ms - clock.now()));
		await looking;
	}
	await look();
}

async function look(): Promise<void> {
	let done = false;
	const looking = alerts.evaluateNow().then(() => {
		done = true;
	});
	while (!done) await clock.advance(1);
	await looking;
}

function calls(count: number, record: CallRecord): void {
	for (let index = 0; index < count; index++) aggregator.count(record);
}

/** Writes what was counted without looking at rules, for the days before. */
async function keep(): Promise<void> {
	const kept = aggregator.flush();
	await clock.advance(10);
	assert.equal(await kept, true);
}

async function firing(): Promise<string[]> {
	const all = await alerts.list();
	return all.flatMap(({ rule, subject, state }) =>
		state === "firing" ? [`${rule} ${subject}`] : [],
	);
}

test("a tool of which more than 2% of the calls fail in five minutes raises an alert", async () => {
	calls(97, sampleRecord());
	calls(3, failedRecord());
	await look();
	assert.deepEqual(await firing(), ["tool_error_rate git/push"]);
	const [alert] = await alerts.list();
	assert.match(alert?.summary ?? "", /3\.0% of the calls of git\/push failed: 3 of 100 in 5m/);
});

test("one failure in two calls is no alarm, and neither are 2% or what callers do wrong", async () => {
	calls(1, sampleRecord());
	calls(1, failedRecord());
	calls(98, sampleRecord({ name: "pull" }));
	calls(2, failedRecord({ name: "pull" }));
	calls(50, sampleRecord({ name: "status", status: "client_error", code: "rpc_-32602" }));
	await look();
	assert.deepEqual(await firing(), []);
});

test("an alert is over once nothing has failed for a while", async () => {
	calls(50, failedRecord());
	await look();
	assert.equal((await firing()).length, 1);
	await pass(12 * minute_ms);
	assert.deepEqual(await firing(), []);
	assert.equal((await alerts.list())[0]?.state, "resolved");
});

test("a tool three times as slow as it is as a rule raises an alert, once it has been so", async () => {
	for (let hour = 0; hour < 3; hour++) {
		calls(100, sampleRecord({ duration_ms: 100 }));
		await keep();
		await clock.advance(hour_ms);
	}
	calls(60, sampleRecord({ duration_ms: 250 }));
	await look();
	assert.deepEqual(await firing(), []);
	calls(60, sampleRecord({ duration_ms: 500 }));
	await look();
	assert.deepEqual(await firing(), []);
	await pass(minute_ms);
	assert.deepEqual(await firing(), ["tool_latency git/push"]);
});

test("a tool that is fast remains fast three times as slow", async () => {
	for (let hour = 0; hour < 3; hour++) {
		calls(100, sampleRecord({ duration_ms: 1 }));
		await keep();
		await clock.advance(hour_ms);
	}
	calls(100, sampleRecord({ duration_ms: 10 }));
	await pass(2 * minute_ms);
	assert.deepEqual(await firing(), []);
});

test("a tenant with ten times the calls of its last seven days raises an alert", async () => {
	for (let hour = 0; hour < 7 * 24; hour += 1) {
		calls(60, sampleRecord());
		await keep();
		await clock.advance(hour_ms);
	}
	calls(99, sampleRecord());
	await look();
	assert.deepEqual(await firing(), [], "ten times the usual ten in ten minutes is a hundred");
	calls(20, sampleRecord());
	await look();
	assert.deepEqual(await firing(), ["tenant_rate acme"]);
});

test("a tenant that is younger than a day is compared with nothing, and one of a day with that", async () => {
	calls(60, sampleRecord());
	await keep();
	await clock.advance(hour_ms);
	calls(5_000, sampleRecord());
	await look();
	assert.deepEqual(await firing(), []);
	await clock.advance(day_ms + hour_ms);
	calls(5_000, sampleRecord());
	await look();
	assert.deepEqual(await firing(), ["tenant_rate acme"]);
});

test("one call of a tool that does not exist raises an alert that names it and its caller", async () => {
	aggregator.count(
		sampleRecord({ name: "rm_rf", endpoint: "mcp", status: "client_error", code: "not_offered" }),
	);
	await look();
	assert.deepEqual(await firing(), ["unknown_tool mcp"]);
	const [alert] = await alerts.list();
	assert.match(alert?.summary ?? "", /tools\/call "rm_rf" by acme\/ana/);
});

test("a spike of refusals raises an alert, also where nobody knows who it was", async () => {
	const denied = { status: "client_error", code: "policy_denied", decision: "deny" } as const;
	calls(9, sampleRecord(denied));
	await look();
	assert.deepEqual(await firing(), []);
	calls(1, sampleRecord(denied));
	for (let index = 0; index < 10; index++) aggregator.note("denied", "-", "credential_unknown");
	await look();
	assert.deepEqual((await firing()).toSorted(), [
		"failed_authorizations -",
		"failed_authorizations acme",
	]);
});

test("refusals that are usual raise no alert", async () => {
	const denied = { status: "client_error", code: "policy_denied", decision: "deny" } as const;
	for (let hour = 0; hour < 26; hour++) {
		calls(60, sampleRecord(denied));
		await keep();
		await clock.advance(hour_ms);
	}
	calls(20, sampleRecord(denied));
	await look();
	assert.deepEqual(await firing(), []);
	calls(20, sampleRecord(denied));
	await look();
	assert.deepEqual(await firing(), ["failed_authorizations acme"]);
});

test("a server in a crash loop raises an alert with the reason, and none while it is tried again", async () => {
	facts = { ...facts, crashed: () => [{ server: "git", reason: "it exited with code 1." }] };
	await look();
	assert.deepEqual(await firing(), ["crash_loop git"]);
	facts = { ...facts, crashed: () => [] };
	await pass(9 * minute_ms);
	assert.deepEqual(await firing(), ["crash_loop git"]);
	await pass(2 * minute_ms);
	assert.deepEqual(await firing(), []);
});

test("a tool that is described otherwise raises an alert for an hour", async () => {
	aggregator.note("drift", "git", 'tool "push" was changed');
	await look();
	assert.deepEqual(await firing(), ["tool_drift git"]);
	await pass(62 * minute_ms);
	assert.deepEqual(await firing(), []);
});

test("what is about to expire raises an alert a week before", async () => {
	const expires_at_ms = clock.now() + 8 * day_ms;
	facts = { ...facts, expiring: () => [{ kind: "key", name: "ana-laptop", expires_at_ms }] };
	await look();
	assert.deepEqual(await firing(), []);
	await clock.advance(day_ms);
	await look();
	assert.deepEqual(await firing(), ["about_to_expire key/ana-laptop"]);
});

test("a disk that is nearly full raises an alert", async () => {
	const disk = { path: "/data", free_bytes: 9 * 2 ** 30, total_bytes: 100 * 2 ** 30 };
	facts = { ...facts, disk: async () => disk };
	await look();
	assert.deepEqual(await firing(), ["disk_nearly_full /data"]);
});

test("evidence that could not be kept raises an alert, once for each loss", async () => {
	facts = { ...facts, lost: () => ({ audit: 3, telemetry: 0 }) };
	await look();
	assert.deepEqual(await firing(), ["evidence_lost audit"]);
	await pass(8 * minute_ms);
	assert.deepEqual(await firing(), []);
});

test("alerts that fire go on after a restart, and are told once", async () => {
	calls(50, failedRecord());
	await look();
	const before = await alerts.list();
	await clock.advance(1_000);
	build();
	await alerts.restore();
	await look();
	const after = await alerts.list();
	assert.deepEqual(
		after.map(({ id, state, told }) => [id, state, told]),
		before.map(({ id, state, told }) => [id, state, told]),
	);
});

test("a store that cannot be read neither begins nor ends an alert", async () => {
	calls(50, failedRecord());
	await look();
	const repository = store.repositories.alerts;
	const sums = repository.sums.bind(repository);
	repository.sums = () => Promise.reject(new Error("the disk is full"));
	await clock.advance(day_ms);
	await look();
	repository.sums = sums;
	assert.deepEqual(await firing(), ["tool_error_rate git/push"]);
});

test("a clock that jumps back or forth leaves alerts in a state that makes sense", async () => {
	calls(50, failedRecord());
	await look();
	for (const [index, ms] of [-day_ms, day_ms, -10 * day_ms].entries()) {
		jump_ms = ms;
		await look();
		assert.ok((await firing()).length <= 1 + index);
		calls(50, failedRecord({ name: `pull${index}` }));
		await look();
		assert.ok((await firing()).includes(`tool_error_rate git/pull${index}`));
	}
});

test("silenced alerts fire without a word until the silence is over", async () => {
	const until_ms = clock.now() + 10 * minute_ms;
	await alerts.silence({
		rule: "tool_*",
		subject: "git/*",
		until_ms,
		reason: "known",
		created_by: "ana",
	});
	calls(50, failedRecord());
	await look();
	assert.equal((await alerts.list())[0]?.told, 0);
	const [silence] = alerts.silences();
	assert.equal(await alerts.unsilence(silence?.id ?? ""), true);
	assert.equal(await alerts.unsilence(silence?.id ?? ""), false);
	calls(50, failedRecord());
	await look();
	assert.equal((await alerts.list())[0]?.told, 1);
});
