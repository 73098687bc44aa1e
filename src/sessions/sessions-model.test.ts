import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import { Sessions } from "./sessions.ts";

const limits = { sessions_max: 3, idle_ms: 1_000, evict_ms: 300, touch_ms: 50 };
const owners = ["ann", "ben"];
const endpoints = ["time", "files"];

/** What a session should be, as plainly as it can be said. */
interface Modelled {
	readonly id: string;
	readonly endpoint: string;
	readonly principal: string;
	used_at_ms: number;
	stored_at_ms: number;
	log_level: string | undefined;
	readonly subscriptions: Set<string>;
	release: (() => void) | undefined;
}

/** One random step; `at` picks among the sessions ever made. */
interface Step {
	readonly kind:
		| "create"
		| "touch"
		| "end"
		| "level"
		| "subscribe"
		| "unsubscribe"
		| "hold"
		| "release"
		| "sweep"
		| "wait"
		| "restart";
	readonly at: number;
	readonly owner: number;
	readonly wait_ms: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom<Step["kind"]>(
		"create",
		"create",
		"touch",
		"end",
		"level",
		"subscribe",
		"unsubscribe",
		"hold",
		"release",
		"sweep",
		"wait",
		"wait",
		"restart",
	),
	at: fc.nat({ max: 20 }),
	owner: fc.nat({ max: 3 }),
	wait_ms: fc.constantFrom(1, 49, 50, 299, 300, 700, 1_000),
});

/** Sessions and their model, moved in step. The model is a list, the longest unused first. */
class Pair {
	readonly clock = new FakeClock();
	readonly #random = new SeededRandom(1);
	readonly #store: TestStore;
	readonly #ever: Modelled[] = [];
	#model: Modelled[] = [];
	#sessions: Sessions;

	constructor(store: TestStore, clock: FakeClock) {
		this.#store = store;
		this.clock = clock;
		this.#sessions = this.#make();
	}

	#make(): Sessions {
		return new Sessions({
			...limits,
			clock: this.clock,
			random: this.#random,
			writer: this.#store.writer,
			repository: this.#store.repositories.sessions,
		});
	}

	async step(step: Step): Promise<void> {
		const target = this.#ever.length === 0 ? undefined : this.#ever[step.at % this.#ever.length];
		const live = target !== undefined && this.#model.includes(target);
		if (step.kind === "create") this.#create(step);
		else if (step.kind === "wait") await this.clock.advance(step.wait_ms);
		else if (step.kind === "sweep") this.#sweep();
		else if (step.kind === "restart") await this.#restart();
		else if (target !== undefined) this.#change(step, target, live);
	}

	#create(step: Step): void {
		const endpoint = endpoints[step.owner >> 1] as string;
		const principal = owners[step.owner & 1] as string;
		const session = this.#sessions.create({
			endpoint,
			principal,
			revision: "2025-06-18",
			client_capabilities: "{}",
			client_info: "{}",
		});
		const now_ms = this.clock.now();
		if (this.#model.length === limits.sessions_max) {
			const oldest = this.#model.find((one) => one.release === undefined);
			const room = oldest !== undefined && now_ms - oldest.used_at_ms >= limits.evict_ms;
			assert.equal(session !== undefined, room, "room is made exactly when it may be");
			if (!room) return;
			this.#model = this.#model.filter((one) => one !== oldest);
		}
		assert.ok(session !== undefined);
		const made: Modelled = {
			id: session.id,
			endpoint,
			principal,
			used_at_ms: now_ms,
			stored_at_ms: now_ms,
			log_level: undefined,
			subscriptions: new Set(),
			release: undefined,
		};
		this.#model.push(made);
		this.#ever.push(made);
	}

	#change(step: Step, target: Modelled, live: boolean): void {
		const { id } = target;
		if (step.kind === "end") {
			assert.equal(this.#sessions.end(id), live);
			this.#model = this.#model.filter((one) => one !== target);
		} else if (step.kind === "touch") {
			this.#sessions.touch(id);
			if (live) this.#touch(target);
		} else if (step.kind === "level") {
			this.#sessions.setLogLevel(id, `level ${step.owner}`);
			if (live) target.log_level = `level ${step.owner}`;
		} else if (step.kind === "subscribe") {
			assert.equal(this.#sessions.subscribe(id, `a:${step.owner}`), live);
			if (live) target.subscriptions.add(`a:${step.owner}`);
		} else if (step.kind === "unsubscribe") {
			const had = live && target.subscriptions.delete(`a:${step.owner}`);
			assert.equal(this.#sessions.unsubscribe(id, `a:${step.owner}`), had);
		} else if (step.kind === "hold" && live) {
			target.release ??= this.#sessions.hold(id);
		} else if (step.kind === "release" && target.release !== undefined) {
			target.release();
			target.release = undefined;
			if (live) this.#touch(target);
		}
	}

	#touch(target: Modelled): void {
		const now_ms = this.clock.now();
		target.used_at_ms = now_ms;
		if (now_ms - target.stored_at_ms >= limits.touch_ms) target.stored_at_ms = now_ms;
		this.#model = [...this.#model.filter((one) => one !== target), target];
	}

	#isIdle(one: Modelled): boolean {
		return one.release === undefined && this.clock.now() - one.used_at_ms >= limits.idle_ms;
	}

	#sweep(): void {
		this.#sessions.sweep();
		this.#model = this.#model.filter((one) => !this.#isIdle(one));
	}

	async #restart(): Promise<void> {
		await this.#sessions.flush();
		this.#sessions = this.#make();
		await this.#sessions.restore();
		for (const one of this.#model) {
			one.used_at_ms = one.stored_at_ms;
			one.release = undefined;
		}
		this.#model = this.#model
			.filter((one) => !this.#isIdle(one))
			.toSorted((a, b) => a.used_at_ms - b.used_at_ms || (a.id < b.id ? -1 : 1));
	}

	/** Every session ever made is exactly as the model says, for everyone who may ask. */
	check(): void {
		assert.equal(this.#sessions.count, this.#model.length);
		for (const one of this.#ever) {
			const there = this.#model.includes(one) && !this.#isIdle(one);
			for (const endpoint of endpoints) {
				for (const principal of owners) {
					const own = one.endpoint === endpoint && one.principal === principal;
					const found = this.#sessions.get(one.id, endpoint, principal);
					assert.equal(found !== undefined, there && own);
					if (found === undefined) continue;
					assert.equal(found.used_at_ms, one.used_at_ms);
					assert.equal(found.log_level, one.log_level);
					assert.deepEqual(found.subscriptions, one.subscriptions);
				}
			}
			// Asking for an idle session ends it.
			if (!there) this.#model = this.#model.filter((other) => other !== one);
		}
	}
}

describe("sessions", () => {
	it("behave as a plain list would, over any steps and restarts", async () => {
		const property = fc.asyncProperty(
			fc.array(anyStep, { maxLength: 60, size: "max" }),
			async (steps) => {
				const clock = new FakeClock();
				const store = await openTestStore(clock);
				const pair = new Pair(store, clock);
				for (const step of steps) {
					await pair.step(step);
					pair.check();
				}
				await store.writer.flush();
				assert.deepEqual(store.troubles, []);
				await store.database.close();
			},
		);
		await fc.assert(property, { numRuns: 60 });
	});
});
