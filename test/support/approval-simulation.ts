import assert from "node:assert/strict";
import type { Approval } from "../../src/approvals/approval.ts";
import { Approvals } from "../../src/approvals/approvals.ts";
import { hashArguments } from "../../src/approvals/arguments-hash.ts";
import { agreeing, type Fate } from "../../src/approvals/machine.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";
import type { ApprovalRepository } from "../../src/store/approval-repository.ts";
import { decision, person, sampleRequest } from "./approval-samples.ts";
import { FakeClock, settle } from "./fake-clock.ts";
import { SeededRandom } from "./seeded-random.ts";
import { openTestStore, type TestStore } from "./test-store.ts";

/** One life of the gateway; a kill begins another one on the same store. */
interface Life {
	readonly approvals: Approvals;
	killed: boolean;
}

const callers = 4;
const rounds = 60;

/**
 * Callers that make the same few calls again and again, approvers that decide at the same time, a
 * store that answers late, and a gateway that is killed in between. The seed decides everything.
 */
export class ApprovalSimulation {
	readonly #random: SeededRandom;
	readonly #clock = new FakeClock();
	readonly #store: TestStore;
	readonly #box: SecretBox;
	readonly #running: Promise<void>[] = [];
	/** How often the call of each approval was handed to its server, which saw it. */
	readonly #executed = new Map<string, number>();
	#life: Life;
	/** What was seen, by name; a simulation that sees nothing proves nothing. */
	readonly seen = new Map<string, number>();

	static async begin(seed: number): Promise<ApprovalSimulation> {
		return new ApprovalSimulation(seed, await openTestStore(new FakeClock()));
	}

	private constructor(seed: number, store: TestStore) {
		this.#random = new SeededRandom(seed);
		this.#store = store;
		this.#box = new SecretBox(this.#random.bytes(box_key_bytes), this.#random);
		this.#life = this.#live();
	}

	/** Plays until nothing more happens, and checks what became of everything. */
	async play(): Promise<void> {
		await this.#driven(this.#life.approvals.restore());
		for (let round = 0; round < rounds; round += 1) {
			const what = this.#random.below(10);
			if (what < 4) this.#keep(this.#call(this.#life));
			else if (what < 9) this.#keep(this.#decide(this.#life));
			else await this.#kill();
			await this.#clock.advance(this.#random.below(3_000));
		}
		await this.#clock.advance(10 * 60_000);
		await Promise.all(this.#running);
		await this.#kill();
		await this.#check();
		this.#life.approvals.close();
		await this.#store.database.close();
	}

	async #check(): Promise<void> {
		const admin = { id: "admin", tenant: "", roles: ["admin"] };
		const everything = await this.#driven(this.#life.approvals.list(admin));
		for (const approval of everything) {
			const times = this.#executed.get(approval.id) ?? 0;
			assert.ok(times <= 1, `${approval.id} was executed ${times} times`);
			if (approval.state === "done") assert.equal(times, 1, `${approval.id} is done`);
			if (times === 1) assert.match(approval.state, /^(done|unknown)$/);
			assert.notEqual(approval.state, "running", "a call runs that nobody makes");
			this.#see(approval.state);
			if (approval.after !== undefined) this.#see("asked again after an unknown fate");
		}
	}

	/** A caller makes one of a few calls, and waits for people, for a while. */
	async #call(life: Life): Promise<void> {
		const at = this.#random.below(callers);
		const asked = `{"path":"/${this.#random.below(2)}"}`;
		const request = sampleRequest(
			{ principal: `acme/caller${at}`, asked, asked_hash: hashArguments(asked) },
			{ count: 1 + this.#random.below(2), edit: true, expires_ms: 20_000 },
		);
		const opened = await life.approvals.open(request);
		if (!opened.ok || life.killed) return;
		const { id } = opened.value.approval;
		const wait_ms = this.#random.below(10_000);
		await life.approvals.decided(id, wait_ms, new AbortController().signal);
		const claimed = await life.approvals.claim(id);
		if (life.killed) return;
		if (claimed === undefined) return this.#see("call that is not yet, or no longer, to go on");
		this.#execute(claimed);
		const fate = this.#random.pick<Fate>(["done", "done", "unknown", "unsent"]);
		// The server provably did nothing: as if it had never been handed the call.
		if (fate === "unsent") this.#executed.set(id, (this.#executed.get(id) ?? 0) - 1);
		await this.#pause(2_000);
		if (!life.killed) await life.approvals.finish(id, fate);
	}

	#execute(approval: Approval): void {
		this.#see("execution");
		assert.ok(agreeing(approval).length >= approval.demand.count);
		assert.equal(hashArguments(approval.arguments), approval.arguments_hash);
		this.#executed.set(approval.id, (this.#executed.get(approval.id) ?? 0) + 1);
	}

	/** Several people decide about the same approval at the same moment. */
	async #decide(life: Life): Promise<void> {
		const all = await life.approvals.list(person("bob"));
		const pending = all.filter(({ state }) => state === "pending");
		if (pending.length === 0 || life.killed) return;
		const { id } = this.#random.pick(pending);
		const people = [person("bob"), person("eve"), person("sue")];
		const votes = people
			.filter(() => this.#random.chance(0.6))
			.map((by) => {
				const edited = this.#random.chance(0.2)
					? `{"path":"/e${this.#random.below(2)}"}`
					: undefined;
				const verdict = this.#random.chance(0.15) ? "deny" : "approve";
				return life.approvals.decide(id, decision(by, { verdict, edited }));
			});
		for (const outcome of await Promise.all(votes)) {
			this.#see(outcome.ok ? "decision" : "decision that came too late");
		}
	}

	/** As after SIGKILL: nothing of the life before writes a word any more. */
	async #kill(): Promise<void> {
		this.#see("kill");
		this.#life.killed = true;
		this.#life.approvals.close();
		this.#life = this.#live();
		await this.#driven(this.#life.approvals.restore());
	}

	/** Moves time on until something that waits for it is over. */
	async #driven<Value>(work: Promise<Value>): Promise<Value> {
		let over = false;
		const done = work.finally(() => {
			over = true;
		});
		while (!over) await this.#clock.advance(10);
		return done;
	}

	#live(): Life {
		const life = { killed: false } as Life & { approvals: Approvals };
		life.approvals = new Approvals({
			clock: this.#clock,
			random: this.#random,
			repository: this.#slow(() => life.killed),
			box: this.#box,
			onTrouble: (error) => {
				throw error;
			},
		});
		return life;
	}

	/** The store as a life sees it: every answer takes a moment, and a dead one hears none. */
	#slow(isKilled: () => boolean): ApprovalRepository {
		const { approvals } = this.#store.repositories;
		const never = new Promise<never>(() => {});
		const late =
			<Args extends unknown[], Value>(work: (...args: Args) => Promise<Value>) =>
			async (...args: Args): Promise<Value> => {
				await this.#pause(20);
				if (isKilled()) return never;
				const value = await work(...args);
				await this.#pause(20);
				return isKilled() ? never : value;
			};
		return {
			live: late(() => approvals.live()),
			get: late((id) => approvals.get(id)),
			recent: late((count) => approvals.recent(count)),
			last: late((call) => approvals.last(call)),
			add: late((approval) => approvals.add(approval)),
			change: late((approval) => approvals.change(approval)),
			removeEndedBefore: late((at_ms) => approvals.removeEndedBefore(at_ms)),
			keepResult: late((result) => approvals.keepResult(result)),
			result: late((id) => approvals.result(id)),
			removeResultsBefore: late((at_ms) => approvals.removeResultsBefore(at_ms)),
		};
	}

	/** Work of a life that is killed may never end. */
	#keep(work: Promise<void>): void {
		const over = new Promise<void>((resolve) => this.#clock.after(5 * 60_000, resolve));
		this.#running.push(Promise.race([work, over]));
	}

	#see(what: string): void {
		this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
	}

	async #pause(within_ms: number): Promise<void> {
		await settle();
		await new Promise<void>((resolve) => {
			this.#clock.after(this.#random.below(within_ms), resolve);
		});
	}
}
