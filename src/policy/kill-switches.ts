import type { Principal } from "../identity/principal.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { KillSwitchRepository, StoredKillSwitch } from "../store/kill-switch-repository.ts";
import {
	allowed,
	type Check,
	type CheckedCall,
	type Listed,
	type Place,
	type Verdict,
} from "./check.ts";
import {
	coversCall,
	coversCaller,
	coversItem,
	coversServer,
	describeTarget,
	type KillKind,
	type KillTarget,
	kill_kinds,
	killId,
	type Stoppable,
	targetProblem,
} from "./kill-target.ts";

/** An off switch that is on. */
export interface KillSwitch extends KillTarget {
	/** See `killId`. */
	readonly id: string;
	/** Told to whoever is refused. */
	readonly reason: string;
	/** Id of the principal who set it. */
	readonly set_by: string;
	readonly set_at_ms: number;
	/** When it lifts itself; undefined: never. */
	readonly ends_at_ms: number | undefined;
}

/** What is switched off, by whom and why. */
export interface KillRequest extends KillTarget {
	readonly reason: string;
	readonly set_by: string;
	readonly ends_at_ms?: number | undefined;
}

/** Why nothing was switched. */
export interface KillProblem {
	readonly code: "invalid" | "too_many" | "unknown" | "not_stored";
	/** A sentence. */
	readonly message: string;
}

/** Something was switched off, or on again. */
export interface KillChange {
	readonly kind: "killed" | "lifted";
	readonly kill_switch: KillSwitch;
}

/** There are never as many reasons to switch something off. */
export const kill_switches_max = 1_000;
const reason_chars_max = 1_000;
/** A timer waits no longer than this at once. */
const nap_ms_max = 24 * 60 * 60 * 1000;

/** What the switches need. */
export interface KillSwitchOptions {
	readonly clock: Clock;
	readonly repository: KillSwitchRepository;
	/** A switch could not be written or removed; what holds in this process holds nevertheless. */
	readonly onTrouble: (error: unknown) => void;
	/** The server that one is a copy of; itself where it is none. Without it there are no copies. */
	readonly originOf?: ((server: string) => string) | undefined;
}

/**
 * What is switched off. A switch holds from the moment it is set: it is first in force and then
 * stored, and whoever sets it is told when both is so.
 */
export class KillSwitches implements Check {
	readonly name = "kill-switches";
	readonly #options: KillSwitchOptions;
	readonly #on = new Map<string, KillSwitch>();
	readonly #listeners = new Set<(change: KillChange) => void>();
	#timer: Timer | undefined;

	constructor(options: KillSwitchOptions) {
		this.#options = options;
	}

	/** Takes up what was switched off before. Rejects where the store cannot be read: fail closed. */
	async restore(): Promise<void> {
		for (const stored of await this.#options.repository.load()) {
			const restored = fromStored(stored);
			if (restored !== undefined) this.#on.set(restored.id, restored);
		}
		this.#liftEnded();
	}

	/** What is switched off now, oldest first. */
	list(): readonly KillSwitch[] {
		return [...this.#on.values()];
	}

	/** Calls `listener` at every change, before the change is stored; returns how to end that. */
	onChange(listener: (change: KillChange) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	/** Switches something off; a switch for the same target is replaced. */
	async kill(request: KillRequest): Promise<Result<KillSwitch, KillProblem>> {
		const set_at_ms = this.#options.clock.now();
		const problem = this.#problemOf(request, set_at_ms);
		if (problem !== undefined) return fail(problem);
		const { kind, name, reason, set_by, ends_at_ms } = request;
		const id = killId(request);
		const kill_switch = { id, kind, name, reason, set_by, set_at_ms, ends_at_ms };
		this.#on.set(id, kill_switch);
		this.#tell({ kind: "killed", kill_switch });
		this.#wakeLater();
		const stored = await this.#stored(this.#options.repository.save(kill_switch));
		return stored ? succeed(kill_switch) : fail(not_stored("off"));
	}

	/** Switches something on again. */
	async unkill(id: string): Promise<Result<KillSwitch, KillProblem>> {
		const kill_switch = this.#on.get(id);
		if (kill_switch === undefined) {
			return fail({ code: "unknown", message: `There is no off switch "${id}".` });
		}
		// Removed first: after a crash in between it must not come back on its own.
		if (!(await this.#stored(this.#options.repository.remove(id)))) return fail(not_stored("on"));
		this.#lift(kill_switch);
		return succeed(kill_switch);
	}

	check(call: CheckedCall): Verdict {
		if (this.#on.size === 0) return allowed;
		for (const kill_switch of this.#inForce()) {
			if (this.covers(kill_switch, call)) return { kind: "deny", ...refusalOf(kill_switch) };
		}
		return allowed;
	}

	/** Whether a call is switched off by a switch; one of a copy is one of its original, too. */
	covers(kill_switch: KillSwitch, call: Stoppable): boolean {
		return coversCall(kill_switch, call, this.#originOf(call.server));
	}

	/** Absent while nothing is switched off: filtering a long list costs more than this question. */
	get mayList(): ((who: Principal, item: Listed) => boolean) | undefined {
		if (this.#on.size === 0) return undefined;
		return (who, item) =>
			!this.#inForce().some((kill_switch) =>
				coversItem(kill_switch, who, item, this.#originOf(item.server)),
			);
	}

	/** Why a person may do nothing at all here; undefined: nothing is against it. */
	callerRefusal(who: Principal): KillRefusal | undefined {
		if (this.#on.size === 0) return undefined;
		const against = this.#inForce().find((kill_switch) => coversCaller(kill_switch, who));
		return against && refusalOf(against);
	}

	/** The same without `all`: why this person, what they come with, or their tenant is off. */
	personRefusal(who: Principal): KillRefusal | undefined {
		if (this.#on.size === 0) return undefined;
		const against = this.#inForce().find(
			(kill_switch) => kill_switch.kind !== "all" && coversCaller(kill_switch, who),
		);
		return against && refusalOf(against);
	}

	/** Nobody uses a server that is off. */
	readonly mayUse = (_who: Principal, { server }: Place): boolean => !this.isServerOff(server);

	/** Whether nothing goes to a server, and nothing that it says is passed on. */
	isServerOff(server: string): boolean {
		return this.serverRefusal(server) !== undefined;
	}

	/** Why nothing of a server is used; undefined: nothing is against it. */
	serverRefusal(server: string): KillRefusal | undefined {
		if (this.#on.size === 0) return undefined;
		const names = { server, origin: this.#originOf(server) };
		const against = this.#inForce().find((kill_switch) => coversServer(kill_switch, names));
		return against && refusalOf(against);
	}

	/** Forgets its timer. */
	close(): void {
		this.#timer?.cancel();
		this.#listeners.clear();
	}

	#originOf(server: string): string | undefined {
		return this.#options.originOf?.(server);
	}

	/** By the wall clock, whatever timers say. */
	#inForce(): KillSwitch[] {
		const now_ms = this.#options.clock.now();
		return [...this.#on.values()].filter(({ ends_at_ms }) => !isOver(ends_at_ms, now_ms));
	}

	#problemOf(request: KillRequest, now_ms: number): KillProblem | undefined {
		const wrong = targetProblem(request);
		if (wrong !== undefined) return { code: "invalid", message: wrong };
		const { reason, ends_at_ms } = request;
		if (reason.trim() === "" || reason.length > reason_chars_max) {
			const message = `A reason of at most ${reason_chars_max} characters is needed.`;
			return { code: "invalid", message };
		}
		if (isOver(ends_at_ms, now_ms)) {
			return { code: "invalid", message: "The end of the off switch is in the past." };
		}
		if (!this.#on.has(killId(request)) && this.#on.size >= kill_switches_max) {
			const message = `There are ${kill_switches_max} off switches already. Use one for more at once.`;
			return { code: "too_many", message };
		}
		return undefined;
	}

	#lift(kill_switch: KillSwitch): void {
		// Somebody may have set it anew meanwhile.
		if (this.#on.get(kill_switch.id) !== kill_switch) return;
		this.#on.delete(kill_switch.id);
		this.#tell({ kind: "lifted", kill_switch });
	}

	#liftEnded(): void {
		const now_ms = this.#options.clock.now();
		for (const kill_switch of this.list()) {
			if (!isOver(kill_switch.ends_at_ms, now_ms)) continue;
			this.#lift(kill_switch);
			void this.#stored(this.#options.repository.remove(kill_switch.id));
		}
		this.#wakeLater();
	}

	/** Wakes when the next switch ends, so that clients are told that their lists have changed. */
	#wakeLater(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		const ends = this.list().flatMap(({ ends_at_ms }) => ends_at_ms ?? []);
		if (ends.length === 0) return;
		const nap_ms = Math.max(0, Math.min(...ends) - this.#options.clock.now());
		this.#timer = this.#options.clock.afterIdle(Math.min(nap_ms, nap_ms_max), () =>
			this.#liftEnded(),
		);
	}

	async #stored(writing: Promise<void>): Promise<boolean> {
		try {
			await writing;
			return true;
		} catch (error) {
			this.#options.onTrouble(error);
			return false;
		}
	}

	#tell(change: KillChange): void {
		for (const listener of this.#listeners) listener(change);
	}
}

/** What is said to whoever runs into an off switch. */
export interface KillRefusal {
	readonly code: "switched_off";
	readonly message: string;
	/** The switch, as a rule that decided. */
	readonly rule: string;
}

/** What is said to whoever runs into an off switch. */
export function refusalOf(kill_switch: KillSwitch): KillRefusal {
	const { ends_at_ms } = kill_switch;
	const until = ends_at_ms === undefined ? "" : ` until ${new Date(ends_at_ms).toISOString()}`;
	const what = describeTarget(kill_switch);
	const message =
		`${what[0]?.toUpperCase()}${what.slice(1)} is switched off${until}: ${kill_switch.reason} ` +
		"Calling again does not help; ask whoever runs this gateway.";
	return { code: "switched_off", message, rule: `kill:${kill_switch.id}` };
}

function isOver(ends_at_ms: number | undefined, now_ms: number): boolean {
	return ends_at_ms !== undefined && ends_at_ms <= now_ms;
}

function not_stored(way: "on" | "off"): KillProblem {
	const message =
		way === "off"
			? "It is switched off, but that could not be stored: a restart would switch it on again."
			: "It is still switched off: that it is not could not be stored.";
	return { code: "not_stored", message };
}

function fromStored(stored: StoredKillSwitch): KillSwitch | undefined {
	const kind = kill_kinds.find((one) => one === stored.kind);
	return kind === undefined ? undefined : { ...stored, kind: kind satisfies KillKind };
}
