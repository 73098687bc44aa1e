import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../test/support/fake-clock.ts";
import type { FakeStart, FakeUpstream } from "../../test/support/fake-driver.ts";
import { type FakeHouse, fakeHouse, serverPlan } from "../../test/support/fake-house.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { IdlePlan, ServerPlan } from "../config/plan.ts";
import { admission_hold_ms } from "./admission.ts";
import type { InstanceKey, Lease } from "./hosting.ts";
import { state_transitions } from "./states.ts";

/**
 * Hosting under a random but replayable life: crashes, slow and hanging starts, calls that
 * come, wait, give up and finish, changed configurations, and a stop in the middle of it all.
 * SIMULATION_SEED replays one seed, SIMULATION_SEEDS runs more of them.
 */

const capabilities = ["{}", '{"roots":{}}', '{"sampling":{}}'] as const;
const calls_max = 4;
const queue_wait_ms = 5_000;
const places_max = 2;
const moves = 250;
/** Longest start of the healthy server. */
const good_start_ms = 200;
const drain_ms = 3_000;

const { instances: usual } = serverPlan("any");
const instances = { ...usual, queue_wait_ms };

interface Attempt {
	readonly key: InstanceKey;
	readonly asked_at_ms: number;
	readonly wait_ms: number;
	/** True when it had to wait for its turn. */
	readonly queued: boolean;
	readonly abort: AbortController;
	answers: number;
	answered_at_ms: number | undefined;
}

interface Held {
	readonly key: InstanceKey;
	readonly lease: Lease;
}

class World {
	readonly #random: SeededRandom;
	readonly #house: FakeHouse;
	readonly #attempts: Attempt[] = [];
	readonly #plans = new Map<string, ServerPlan>();
	#held: Held[] = [];
	#version = 1;
	#good_ready = false;
	#stopped = false;

	constructor(seed: number) {
		this.#random = new SeededRandom(seed);
		const limits = { calls_per_server_max: calls_max, reply_bytes_max: 1_000_000 };
		this.#house = fakeHouse((server) => this.#script(server), {
			seed,
			limits: () => limits,
			starts_max: places_max,
		});
	}

	async live(): Promise<void> {
		const start = this.#random.chance(0.3) ? "eager" : "on-demand";
		this.#plans.set("good", serverPlan("good", { start, instances }));
		this.#plans.set("sleepy", serverPlan("sleepy", { start, instances, idle: this.#idle() }));
		for (const name of ["flaky", "slow", "broken"]) this.#configure(name);
		this.#apply();
		for (let move = 0; move < moves; move++) {
			await this.#move();
			await this.#advance();
			this.#check();
		}
		await this.#stop();
	}

	/** How the next start of a server goes. */
	#script(server: string): FakeStart {
		const random = this.#random;
		const close_ms = random.below(500);
		const after_ms = random.below(good_start_ms);
		switch (server) {
			case "good":
				return { after_ms, close_ms };
			case "sleepy":
				return { after_ms, close_ms, ...this.#sleep() };
			case "slow":
				return { after_ms: random.chance(0.5) ? "hang" : random.below(9_000), close_ms };
			case "broken":
				return { after_ms, fault: random.chance(0.9) ? "server_exited" : "command_missing" };
			default:
				if (random.chance(0.4)) return { after_ms, fault: "server_protocol", close_ms };
				return random.chance(0.5)
					? { after_ms, close_ms }
					: { after_ms, close_ms, lives_ms: random.below(90_000) };
		}
	}

	#sleep(): Pick<FakeStart, "sleep"> {
		const random = this.#random;
		if (random.chance(0.2)) return {};
		const freezes = random.chance(0.9);
		return { sleep: { freeze_ms: random.below(50), freezes, reclaims_bytes: random.below(9) } };
	}

	async #move(): Promise<void> {
		const random = this.#random;
		const dice = random.below(100);
		if (dice < 45) this.#acquire();
		else if (dice < 52) this.#tryAcquire();
		else if (dice < 74) this.#release();
		else if (dice < 80) this.#cancel();
		else if (dice < 87) this.#crash();
		else if (dice < 92) this.#change();
		else if (dice < 95) void this.#house.hosting.restart(this.#bad());
		else if (dice < 98) this.#house.hosting.dismiss(this.#keyOf(this.#bad()));
		else void this.#house.hosting.settled(this.#bad(), { wait_ms: random.below(5_000) });
	}

	/** Mostly short pauses, sometimes long enough for retries and stable minutes. */
	async #advance(): Promise<void> {
		const random = this.#random;
		const delay_ms = random.chance(0.1) ? random.below(40_000) : random.below(400);
		await this.#house.clock.advance(delay_ms);
	}

	#acquire(): void {
		const name = this.#random.chance(0.3) ? "good" : this.#bad();
		const key = this.#keyOf(name);
		const attempt: Attempt = {
			key,
			queued: this.#inUse(key) === calls_max,
			asked_at_ms: this.#house.clock.monotonic(),
			wait_ms: this.#random.below(name === "good" ? 60_000 : 12_000),
			abort: new AbortController(),
			answers: 0,
			answered_at_ms: undefined,
		};
		this.#attempts.push(attempt);
		const options = { signal: attempt.abort.signal, wait_ms: attempt.wait_ms };
		void this.#house.hosting.acquire(attempt.key, options).then((outcome) => {
			attempt.answers += 1;
			attempt.answered_at_ms = this.#house.clock.monotonic();
			if (outcome.ok) this.#hold(attempt.key, outcome.value);
			else if (name === "good" && this.#good_ready && !this.#stopped) {
				assert.match(outcome.problem.code, /^(queue_full|call_cancelled)$/);
				assert.ok(attempt.queued, "refused although there was room");
			}
		});
	}

	#tryAcquire(): void {
		const key = this.#keyOf(this.#random.chance(0.5) ? "good" : this.#bad());
		const lease = this.#house.hosting.tryAcquire(key);
		if (lease !== undefined) this.#hold(key, lease);
	}

	/** A lease must be on an open instance of the configuration in force, with the right key. */
	#hold(key: InstanceKey, lease: Lease): void {
		const upstream = lease.upstream as FakeUpstream;
		this.#held.push({ key, lease });
		assert.equal(upstream.server, key.server);
		assert.equal(upstream.capabilities, key.capabilities);
		assert.equal(upstream.state, "open");
		assert.deepEqual(upstream.spec, this.#plans.get(key.server)?.spec);
		assert.ok(this.#inUse(key) <= calls_max, "more leases than there is room for");
	}

	#release(): void {
		const index = this.#random.below(this.#held.length + 1);
		const [held] = this.#held.splice(index, 1);
		held?.lease.release();
		if (this.#random.chance(0.2)) held?.lease.release();
	}

	#cancel(): void {
		const open = this.#attempts.filter(({ answers }) => answers === 0);
		if (open.length > 0) this.#random.pick(open).abort.abort();
	}

	#crash(): void {
		const open = this.#house.driver.open_upstreams.filter(({ server }) => server !== "good");
		if (open.length > 0) this.#random.pick(open).crash();
	}

	#change(): void {
		const name = this.#bad();
		if (this.#random.chance(0.3)) this.#plans.delete(name);
		else this.#configure(name);
		this.#apply();
	}

	#configure(name: string): void {
		this.#version += 1;
		const start = this.#random.chance(0.5) ? "eager" : "on-demand";
		const timeouts = { start_ms: 60_000, call_ms: 60_000, stop_ms: 1_000 };
		const idle = this.#random.chance(0.5) ? this.#idle() : serverPlan(name).idle;
		const change = { start, timeouts, idle, instances } as const;
		this.#plans.set(name, serverPlan(name, change, this.#version));
	}

	/** A ladder so short that a life has many nights. */
	#idle(): IdlePlan {
		const random = this.#random;
		const time = (most_ms: number) => (random.chance(0.2) ? undefined : 1 + random.below(most_ms));
		return {
			keep: random.pick(["on-demand", "on-demand", "warm", "always"]),
			freeze_ms: time(500),
			reclaim_ms: time(1_000),
			stop_ms: time(2_000),
			warm_at: [],
			warm_on_list: false,
		};
	}

	#apply(): void {
		this.#house.hosting.apply([...this.#plans.values()]);
	}

	#bad(): string {
		return this.#random.pick(["flaky", "slow", "broken", "sleepy"]);
	}

	#keyOf(server: string): InstanceKey {
		// Everybody uses the one base instance of the healthy server: once ready, it stays so.
		const offered = server === "good" ? "{}" : this.#random.pick(capabilities);
		return { server, scope_key: "", capabilities: offered };
	}

	/** Leases held on the instance that serves a key now. */
	#inUse(key: InstanceKey): number {
		const spec = this.#plans.get(key.server)?.spec;
		const current = this.#held.filter(({ key: other, lease }) => {
			const upstream = lease.upstream as FakeUpstream;
			return (
				other.server === key.server &&
				other.capabilities === key.capabilities &&
				upstream.spec === spec &&
				upstream.state === "open" &&
				!this.#house.retired.some((retired) => retired.upstream === upstream)
			);
		});
		return current.length;
	}

	#check(): void {
		const { hosting, driver, clock } = this.#house;
		const now_ms = clock.monotonic();
		assert.ok(driver.starts_at_once_max <= 1, "two starts of one key at once");
		for (const { lease } of this.#held) {
			const upstream = lease.upstream as FakeUpstream;
			if (upstream.state !== "open") continue;
			const { log, frozen } = upstream.hibernation ?? { log: [], frozen: false };
			assert.ok(!frozen || log.at(-1) === "freeze", "used and left asleep");
		}
		for (const status of hosting.statuses()) {
			for (const { state, leases } of status.instances) {
				if (state === "frozen") assert.equal(leases, 0, "frozen in use");
			}
			const counted = status.instances.reduce((sum, { leases }) => sum + leases, 0);
			const held = this.#held.filter(({ key, lease }) => {
				const { state } = lease.upstream as FakeUpstream;
				return key.server === status.name && state === "open";
			});
			assert.equal(counted, held.length, `leases of ${status.name}`);
			for (const instance of status.instances) assert.ok(instance.leases >= 0);
			for (const instance of status.instances) assert.ok(instance.waiting <= calls_max);
		}
		for (const attempt of this.#attempts) {
			assert.ok(attempt.answers <= 1, "answered twice");
			const wait_ms = Math.max(attempt.wait_ms, queue_wait_ms);
			const deadline_ms = attempt.asked_at_ms + wait_ms;
			if (now_ms > deadline_ms) assert.equal(attempt.answers, 1, "not answered in time");
			const waited_ms = (attempt.answered_at_ms ?? now_ms) - attempt.asked_at_ms;
			if (attempt.key.server !== "good" || attempt.queued) continue;
			const first_tries_max = 3 * capabilities.length;
			const turns_max = Math.ceil(first_tries_max / places_max);
			assert.ok(waited_ms <= good_start_ms + turns_max * admission_hold_ms, "delayed start");
			if (this.#good_ready && attempt.asked_at_ms === now_ms) assert.equal(waited_ms, 0);
		}
		this.#good_ready = hosting.status("good")?.state === "ready";
	}

	async #stop(): Promise<void> {
		const { hosting, driver, clock } = this.#house;
		this.#stopped = true;
		const stopping = hosting.stop({ drain_ms });
		await settle();
		for (const attempt of this.#attempts) assert.equal(attempt.answers, 1, "never answered");
		const begun = [...driver.starts.values()].reduce((sum, count) => sum + count, 0);
		await clock.advance(drain_ms + 5_000);
		await stopping;
		const left = driver.upstreams.filter(({ state }) => state !== "closed");
		assert.deepEqual(left, [], "something is left");
		for (const [key, count] of driver.starting) assert.equal(count, 0, `${key} still starts`);
		for (const { lease } of this.#held) lease.release();
		await clock.advance(200_000);
		const begun_later = [...driver.starts.values()].reduce((sum, count) => sum + count, 0);
		assert.equal(begun_later, begun, "something started after the stop");
		assert.equal(clock.pending, 0, "a timer is left");
		const defects = this.#house.log.lines.filter(({ message }) => /handler/.test(message));
		assert.deepEqual(defects, []);
		this.#checkStates();
	}

	/** Between two reports of one instance only steps of the table happen. */
	#checkStates(): void {
		const last = new Map<string, string>();
		for (const status of this.#house.statuses) {
			for (const instance of status.instances) {
				if (instance.id === 0) continue;
				const id = `${status.name} ${instance.id}`;
				const before = last.get(id);
				// A server that was removed and came back counts its instances from one again.
				const first = instance.state === "starting";
				if (before !== undefined && before !== instance.state && !first) {
					const allowed = state_transitions[before as keyof typeof state_transitions];
					assert.ok(allowed.includes(instance.state), `${id}: ${before} -> ${instance.state}`);
				}
				last.set(id, instance.state);
			}
		}
	}
}

const replayed = process.env["SIMULATION_SEED"];
const seeds =
	replayed === undefined
		? Array.from({ length: Number(process.env["SIMULATION_SEEDS"] ?? 60) }, (_, seed) => seed)
		: [Number(replayed)];

test("whatever happens, every promise of hosting is kept", async () => {
	for (const seed of seeds) {
		try {
			await new World(seed).live();
		} catch (error) {
			throw new Error(`seed ${seed}; SIMULATION_SEED=${seed} replays it`, { cause: error });
		}
	}
});
