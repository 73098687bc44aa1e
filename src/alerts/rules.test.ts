import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { failedRecord, sampleRecord } from "../../test/support/call-records.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import { built_in_rules, default_alerts, type RulePlan } from "../config/alert-rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import { CallAggregator } from "./aggregator.ts";
import { Alerts } from "./engine.ts";
import type { AlertFacts, Expiring } from "./facts.ts";

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
let rules: readonly RulePlan[];

beforeEach(async () => {
	clock = new FakeClock();
	rules = default_alerts.rules;
	jump_ms = 0;
	store = await openTestStore(clock);
	facts = {
		crashed: () => [],
		expiring: async () => [],
		disk: async () => ({ path: "/data", free_bytes: 80 * 2 ** 30, total_bytes: 100 * 2 ** 30 }),
		lost: () => ({}),
	};
	build();
});
afterEach(() => store.database.close());

/** A built-in rule with other numbers. */
function ruleLike(name: string, changes: Partial<RulePlan>): RulePlan {
	const rule = default_alerts.rules.find((one) => one.name === name);
	assert.ok(rule !== undefined);
	return { ...rule, ...changes };
}

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
		plan: () => ({ ...default_alerts, rules }),
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

/** Rules of which an alert was seen to fire, and to be over. */
const seen = { firing: new Set<string>(), resolved: new Set<string>() };

async function firing(): Promise<string[]> {
	const all = await alerts.list();
	for (const { rule, state } of all) if (state !== "pending") seen[state].add(rule);
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
	await pass(12 * minute_ms);
	assert.deepEqual(await firing(), []);
});

test("a few slow calls say nothing of a tool, and neither does a tool that hardly is known", async () => {
	for (let hour = 0; hour < 3; hour++) {
		calls(100, sampleRecord({ duration_ms: 100 }));
		calls(60, sampleRecord({ name: "new", duration_ms: 100 }));
		await keep();
		await clock.advance(hour_ms);
	}
	calls(49, sampleRecord({ duration_ms: 5_000 }));
	calls(100, sampleRecord({ name: "new", duration_ms: 5_000 }));
	await pass(2 * minute_ms);
	assert.deepEqual(await firing(), []);
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
	await pass(20 * minute_ms);
	assert.deepEqual(await firing(), []);
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

test("a rule that looks back for a day sees the whole day", async () => {
	rules = [ruleLike("tool_error_rate", { within_ms: day_ms, min_count: 100 })];
	for (let hour = 0; hour < 20; hour += 1) {
		calls(10, sampleRecord(hour < 10 ? { status: "server_error", code: "tool_error" } : {}));
		await pass(hour_ms / 2);
		await clock.advance(hour_ms / 2);
	}
	const [alert] = await alerts.list();
	assert.match(alert?.summary ?? "", /50% of the calls of .* failed: 100 of 200 in 24h/);
});

test("a baseline of a day is known a day after the first call, whatever the minute", async () => {
	rules = [ruleLike("tenant_rate", { baseline_ms: day_ms })];
	await clock.advance(5 * minute_ms);
	for (let hour = 0; hour < 26; hour += 1) {
		calls(60, sampleRecord());
		await keep();
		await clock.advance(hour_ms);
	}
	calls(200, sampleRecord());
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
	await pass(7 * minute_ms);
	assert.deepEqual(await firing(), []);
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
	await pass(12 * minute_ms);
	assert.deepEqual(await firing(), []);
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

/** What is told of as about to expire at a time. */
async function expiringAt(at_ms: number, one: Omit<Expiring, "name">): Promise<string[]> {
	facts = { ...facts, expiring: async () => [{ name: "it", ...one }] };
	jump_ms = at_ms - clock.now();
	await look();
	const found = await firing();
	facts = { ...facts, expiring: async () => [] };
	await pass(20 * minute_ms);
	assert.deepEqual(await firing(), []);
	return found;
}

test("what is about to expire raises an alert a week before, and as long as it matters", async () => {
	const began_ms = clock.now();
	const at = (days: number) => began_ms + days * day_ms;
	const key = { kind: "key", expires_at_ms: at(30) } as const;
	const secret = { kind: "secret", since_ms: at(-60), expires_at_ms: at(30) } as const;
	const short = { kind: "grant", since_ms: at(26), expires_at_ms: at(30) } as const;
	const certificate = { kind: "certificate", since_ms: at(-60), expires_at_ms: at(30) } as const;
	const cases: [number, Omit<Expiring, "name">, boolean][] = [
		[22.9, key, false],
		[23.1, key, true],
		[31, key, true],
		// Nobody has missed it for a week.
		[37.1, key, false],
		[22.9, secret, false],
		[23.1, secret, true],
		[300, secret, true],
		[300, certificate, true],
		// A quarter of four days.
		[28.9, short, false],
		[29.1, short, true],
		[31.1, short, false],
	];
	for (const [days, one, is_told] of cases) {
		const expected = is_told ? [`about_to_expire ${one.kind}/it`] : [];
		assert.deepEqual(await expiringAt(at(days), one), expected, `${one.kind} after ${days} days`);
	}
});

test("a disk that is nearly full raises an alert", async () => {
	const disk = { path: "/data", free_bytes: 9 * 2 ** 30, total_bytes: 100 * 2 ** 30 };
	facts = { ...facts, disk: async () => disk };
	await look();
	assert.deepEqual(await firing(), ["disk_nearly_full /data"]);
	facts = { ...facts, disk: async () => ({ ...disk, free_bytes: 11 * 2 ** 30 }) };
	await look();
	assert.deepEqual(await firing(), []);
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

test("a clock that is ahead for a while takes nothing of what is usual", async () => {
	for (let hour = 0; hour < 30; hour += 1) {
		calls(60, sampleRecord());
		await keep();
		await clock.advance(hour_ms);
	}
	jump_ms = 365 * day_ms;
	await pass(10 * minute_ms);
	jump_ms = 0;
	calls(120, sampleRecord());
	await look();
	assert.deepEqual(await firing(), ["tenant_rate acme"]);
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

test("every rule that is on from the start was seen to fire and to be over", () => {
	const names = built_in_rules.map(({ name }) => name).toSorted();
	assert.deepEqual([...seen.firing].toSorted(), names);
	assert.deepEqual([...seen.resolved].toSorted(), names);
});
