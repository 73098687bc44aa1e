import assert from "node:assert/strict";
import type { ServerPlan, StdioSpec } from "../../src/config/plan.ts";
import { declared_running } from "../../src/config/running.ts";
import { Hosting, type InstanceKey, type ServerStatus } from "../../src/hosting/hosting.ts";
import { baseKey } from "../../src/hosting/instance-key.ts";
import { asWritten } from "../../src/hosting/resolved.ts";
import type { HostingOptions } from "../../src/hosting/surroundings.ts";
import { succeed } from "../../src/lib/result.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import type { Upstream } from "../../src/upstreams/driver.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeDriver, type FakeStart } from "./fake-driver.ts";
import { QuietLog } from "./quiet-log.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Hosting with a clock, a driver and a randomness that a test owns. */
export interface FakeHouse {
	readonly hosting: Hosting;
	readonly clock: FakeClock;
	readonly driver: FakeDriver;
	readonly log: QuietLog;
	/** Every status that was reported, in its order. */
	readonly statuses: ServerStatus[];
	readonly readied: { readonly key: InstanceKey; readonly upstream: Upstream }[];
	readonly retired: { readonly key: InstanceKey; readonly upstream: Upstream }[];
}

/** A start that takes a tenth of a second and succeeds. */
export const good_start: FakeStart = { after_ms: 100 };

/** A server of the plan. Another `version` runs in another way. */
export function serverPlan(
	name: string,
	change: Partial<ServerPlan> = {},
	version = 1,
): ServerPlan {
	const spec: StdioSpec = {
		driver: "stdio",
		command: name,
		args: [String(version)],
		env: {},
		cwd: "/",
	};
	return {
		name,
		title: name,
		spec,
		scope: "shared",
		start: "on-demand",
		tools: { allow: [], deny: [] },
		timeouts: { start_ms: 10_000, call_ms: 60_000, stop_ms: 1_000 },
		...declared_running,
		instances: { ...declared_running.instances, queue_calls_max: 4 },
		// What these tests own does not sleep unless they say so.
		idle: { ...declared_running.idle, keep: "always" },
		// Nor is it asked for signs of life.
		health: { ...declared_running.health, ping_ms: undefined },
		fingerprint: `${name}-${version}-${change.start ?? "on-demand"}`,
		...change,
	};
}

/** Builds one; `script` says how each start goes, `change` replaces what it is built from. */
export function fakeHouse(
	script: (server: string, start: number) => FakeStart = () => good_start,
	change: Partial<HostingOptions> & { readonly seed?: number } = {},
): FakeHouse {
	const clock = new FakeClock();
	const driver = new FakeDriver(script);
	const log = new QuietLog();
	const statuses: ServerStatus[] = [];
	const readied: FakeHouse["readied"] = [];
	const retired: FakeHouse["retired"] = [];
	const hosting = new Hosting({
		redactor: new SecretRedactor(),
		clock,
		random: new SeededRandom(change.seed ?? 1),
		log,
		drivers: { stdio: driver },
		spawner: {
			spawn: () => Promise.reject(new Error("the fake driver starts no processes")),
		},
		resolve: async (spec) => succeed(asWritten(spec)),
		limits: () => ({ calls_per_server_max: 4, reply_bytes_max: 1_000_000 }),
		client_info: '{"name":"moorage","version":"0"}',
		events: {
			onReady: (key, upstream) => readied.push({ key, upstream }),
			onPush: () => {},
			onRequest: () => {},
			onState: (status) => statuses.push(status),
			onRetired: (key, upstream) => retired.push({ key, upstream }),
		},
		starts_max: 4,
		...change,
	});
	return { hosting, clock, driver, log, statuses, readied, retired };
}

/** An acquire and how it went. */
export interface Attempt {
	outcome: Awaited<ReturnType<Hosting["acquire"]>> | undefined;
	answered_at_ms: number | undefined;
}

/** Acquires the base instance of a server and tells when the outcome is there. */
export function acquire(
	house: FakeHouse,
	server: string,
	options: { wait_ms?: number; signal?: AbortSignal; key?: InstanceKey } = {},
): Attempt {
	const attempt: Attempt = { outcome: undefined, answered_at_ms: undefined };
	void house.hosting
		.acquire(options.key ?? baseKey(server), {
			signal: options.signal ?? new AbortController().signal,
			wait_ms: options.wait_ms ?? 30_000,
		})
		.then((outcome) => {
			attempt.outcome = outcome;
			attempt.answered_at_ms = house.clock.monotonic();
		});
	return attempt;
}

/** The lease an attempt was given. */
export function leaseOf(attempt: Attempt) {
	assert.ok(attempt.outcome?.ok, JSON.stringify(attempt.outcome));
	return attempt.outcome.value;
}

/** The fault an attempt was refused with. */
export function faultOf(attempt: Attempt) {
	assert.ok(attempt.outcome !== undefined && !attempt.outcome.ok, "should have been refused");
	return attempt.outcome.problem;
}

/** Stops a house and checks that it leaves nothing behind. */
export async function end(house: FakeHouse): Promise<void> {
	const stopping = house.hosting.stop({ drain_ms: 0 });
	await house.clock.advance(60_000);
	await stopping;
	assert.equal(house.driver.live_upstreams.length, 0);
}

/** The state of a server. */
export function stateOf(house: FakeHouse, server: string) {
	return house.hosting.status(server)?.state;
}
