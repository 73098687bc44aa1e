import type { InstanceKey, Lease } from "../hosting/hosting.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Stoppable } from "../policy/kill-target.ts";
import type { Upstream } from "../upstreams/driver.ts";

/** No task keeps its instance awake for longer than this, whatever its server says. */
export const task_hold_ms_max = 24 * 3_600_000;

/** Tasks of one instance that are remembered; the oldest are let go first. */
export const task_holds_per_instance_max = 200;

/** What a server has said of a task. */
export interface TaskNews {
	/** The server's own id. */
	readonly task_id: string;
	readonly status: string | undefined;
	/** How long it is kept from its making on; undefined where that has no end. */
	readonly ttl_ms: number | undefined;
}

/** States that nothing follows, the same ones in 2025-11-25 and in SEP-2663. */
const over: ReadonlySet<string | undefined> = new Set(["completed", "failed", "cancelled"]);

/** A task that is worked on. */
export interface HeldTask {
	readonly lease: Lease;
	/** The server's own id. */
	readonly task_id: string;
}

interface Hold extends HeldTask {
	/** The call that it was; a call of an unknown tool where only questions about it were seen. */
	made_by: Stoppable | undefined;
	/** Whom it was made for; several names of one client. */
	readonly owners: Set<string>;
	/** When it was first heard of, on the monotonic scale. */
	readonly since_ms: number;
	timer: Timer | undefined;
}

/**
 * Keeps an instance awake while it works on a task that nobody waits for on a stream, until it
 * is known to be over or its time is, and remembers which instance works on it.
 */
export class TaskHolds {
	readonly #clock: Clock;
	/** By instance, then by the server's own id, oldest first. */
	readonly #instances = new Map<Upstream, Map<string, Hold>>();
	/** By whom it was made for: whose question about it goes to that instance. */
	readonly #owned = new Map<string, Hold>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Tasks that keep something awake now. */
	get count(): number {
		let count = 0;
		for (const holds of this.#instances.values()) count += holds.size;
		return count;
	}

	/**
	 * Whoever these names stand for was told of a task by the instance of `lease`.
	 * @param made_by the call that it was, as far as that is known
	 */
	onNews(lease: Lease, owners: readonly string[], news: TaskNews, made_by?: Stoppable): void {
		if (over.has(news.status)) return this.onOver(lease, news.task_id);
		const hold = this.#find(lease, news.task_id) ?? this.#hold(lease, news.task_id);
		if (hold.made_by?.name === undefined) hold.made_by = made_by;
		for (const owner of owners) {
			hold.owners.add(owner);
			this.#owned.set(ownedText(owner, lease.key.server, news.task_id), hold);
		}
		const age_ms = this.#clock.monotonic() - hold.since_ms;
		const wait_ms = Math.min(news.ttl_ms ?? task_hold_ms_max, task_hold_ms_max) - age_ms;
		hold.timer?.cancel();
		hold.timer = this.#clock.afterIdle(Math.max(0, wait_ms), () => this.#letGo(hold));
	}

	/** An instance told of one of its tasks without being asked. */
	onPush(key: InstanceKey, { task_id, status }: TaskNews): void {
		if (!over.has(status)) return;
		const instance = instanceText(key);
		for (const holds of [...this.#instances.values()]) {
			const hold = holds.get(task_id);
			if (hold !== undefined && instanceText(hold.lease.key) === instance) this.#letGo(hold);
		}
	}

	/** A task of the instance of `lease` is known to be over, or to be none. */
	onOver(lease: Lease, task_id: string): void {
		const hold = this.#find(lease, task_id);
		if (hold !== undefined) this.#letGo(hold);
	}

	/** An instance takes no more calls, or is gone, and its tasks are with it. */
	onRetired(upstream: Upstream): void {
		const holds = this.#instances.get(upstream);
		for (const hold of [...(holds?.values() ?? [])]) this.#letGo(hold);
	}

	/** Which instance works on a task of the first of these owners who has one of this id. */
	find(owners: readonly string[], server: string, task_id: string): InstanceKey | undefined {
		for (const owner of owners) {
			const hold = this.#owned.get(ownedText(owner, server, task_id));
			if (hold !== undefined) return hold.lease.key;
		}
		return undefined;
	}

	/** Tells of every task whose call is known. */
	eachMade(tell: (task: HeldTask, made_by: Stoppable) => void): void {
		for (const holds of this.#instances.values()) {
			for (const hold of holds.values()) {
				if (hold.made_by !== undefined) tell(hold, hold.made_by);
			}
		}
	}

	#find({ upstream }: Lease, task_id: string): Hold | undefined {
		return this.#instances.get(upstream)?.get(task_id);
	}

	#hold(call: Lease, task_id: string): Hold {
		const holds = this.#instances.get(call.upstream) ?? new Map<string, Hold>();
		const oldest = holds.size >= task_holds_per_instance_max ? [...holds.values()][0] : undefined;
		if (oldest !== undefined) this.#letGo(oldest);
		const hold: Hold = {
			lease: call.hold(),
			task_id,
			made_by: undefined,
			owners: new Set(),
			since_ms: this.#clock.monotonic(),
			timer: undefined,
		};
		holds.set(task_id, hold);
		this.#instances.set(call.upstream, holds);
		return hold;
	}

	#letGo(hold: Hold): void {
		const { key, upstream } = hold.lease;
		const holds = this.#instances.get(upstream);
		holds?.delete(hold.task_id);
		if (holds?.size === 0) this.#instances.delete(upstream);
		for (const owner of hold.owners) {
			const text = ownedText(owner, key.server, hold.task_id);
			// Another instance may have made a task of the same id since.
			if (this.#owned.get(text) === hold) this.#owned.delete(text);
		}
		hold.timer?.cancel();
		hold.lease.release();
	}
}

function instanceText({ server, scope_key, capabilities, place = 0 }: InstanceKey): string {
	return JSON.stringify([server, scope_key, capabilities, place]);
}

function ownedText(owner: string, server: string, task_id: string): string {
	return JSON.stringify([owner, server, task_id]);
}
