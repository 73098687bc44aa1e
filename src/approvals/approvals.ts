import { partsOfPrincipal } from "../identity/principal.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Demand } from "../protocol/demand.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { ApprovalRepository } from "../store/approval-repository.ts";
import { type Approval, type ApprovalRequest, isLive, type live_states } from "./approval.ts";
import { type Decider, maySee } from "./deciders.ts";
import {
	afterClaim,
	afterDecision,
	afterDemand,
	afterExpiry,
	afterRun,
	afterWithdrawal,
	type Decision,
	type DecisionProblem,
	type Fate,
} from "./machine.ts";
import { fromStored, toStored } from "./stored.ts";

/** Approvals that wait at once: of everybody, and of one person. */
export const live_max = 1_000;
export const live_per_principal_max = 100;
/** How long one that has ended is kept. */
export const kept_ms = 30 * 24 * 60 * 60 * 1000;
/** At most so many are listed. */
export const listed_max = 500;

const id_bytes = 12;
/** A timer waits no longer than this at once. */
const nap_ms_max = 60 * 60 * 1000;
/** Changes that meet are tried again; each time one of them has been made. */
const tries_max = 50;

function tenantOf({ principal }: Pick<Approval, "principal">): string {
	return partsOfPrincipal(principal).tenant;
}

/**
 * What happens to approvals, for those who tell people of it.
 * @param before as it was; undefined where it is new
 */
export type ApprovalListener = (approval: Approval, before: Approval | undefined) => void;

/** What the approvals need. */
export interface ApprovalsOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly repository: ApprovalRepository;
	/** Seals what is stored. */
	readonly box: SecretBox;
	readonly onTrouble: (error: unknown) => void;
}

/** An approval that was there already, or is new. */
export interface Opened {
	readonly approval: Approval;
	readonly is_new: boolean;
}

/**
 * The calls that wait for people. Every change is in the store before anybody acts on it, and is
 * written only over the state that it was made from: so each is decided once and claimed once,
 * whatever comes at the same time and whenever the process is killed.
 */
export class Approvals {
	readonly #options: ApprovalsOptions;
	/** Those of which something can still become, as they are stored. */
	readonly #live = new Map<string, Approval>();
	readonly #listeners = new Set<ApprovalListener>();
	#timer: Timer | undefined;
	#closed = false;

	constructor(options: ApprovalsOptions) {
		this.#options = options;
	}

	/**
	 * Takes up what was there before. A call that was with its server when the process ended has
	 * a fate that nobody here knows: it is never repeated by itself.
	 */
	async restore(): Promise<void> {
		const { repository, box, clock } = this.#options;
		for (const stored of await repository.live()) {
			const approval = fromStored(stored, box);
			// With another key nobody could look at it: it stays, and nothing comes of it.
			if (approval === undefined) continue;
			this.#live.set(approval.id, approval);
			if (approval.state === "running") {
				await this.#write(approval.id, (now) => afterRun(now, "unknown", clock.now()));
			}
		}
		await repository.removeEndedBefore(clock.now() - kept_ms);
		await this.#expire();
	}

	/** Calls `listener` after every change; returns how to end that. */
	onChange(listener: ApprovalListener): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	/** How many there are in a state of which something can still become. */
	count(state: (typeof live_states)[number]): number {
		return [...this.#live.values()].filter((approval) => approval.state === state).length;
	}

	/** Those that wait for people. */
	get pending(): readonly Approval[] {
		return [...this.#live.values()].filter(({ state }) => state === "pending");
	}

	/** The live approval of the same call, or a new one. The problem is a sentence. */
	async open(request: ApprovalRequest): Promise<Result<Opened, string>> {
		for (let tries = 0; tries < tries_max; tries += 1) {
			const same = this.#find(request);
			if (same !== undefined) {
				await this.#write(same.id, (now) => afterExpiry(now, this.#options.clock.now()));
				await this.demand(same.id, request.demand);
				const still = this.#live.get(same.id);
				if (still !== undefined) return succeed({ approval: still, is_new: false });
			}
			const full = this.#problemOf(request);
			if (full !== undefined) return fail(full);
			const made = await this.#make(request);
			if (made !== undefined) return succeed({ approval: made, is_new: true });
		}
		return fail("The approval of this call could not be asked for: too much happens at once.");
	}

	/** One by its id, as far as somebody may know of it. */
	async get(id: string, who: Decider): Promise<Approval | undefined> {
		const approval = await this.find(id);
		return approval !== undefined && maySee(approval, who) ? approval : undefined;
	}

	/** One by its id, for whoever has that from us. */
	async find(id: string): Promise<Approval | undefined> {
		const live = this.#live.get(id);
		if (live !== undefined) return live;
		const stored = await this.#options.repository.get(id);
		return stored && fromStored(stored, this.#options.box);
	}

	/** The last ones that somebody may know of, newest first. */
	async list(who: Decider): Promise<readonly Approval[]> {
		const { repository, box } = this.#options;
		const stored = await repository.recent(listed_max);
		return stored
			.flatMap((one) => this.#live.get(one.id) ?? fromStored(one, box) ?? [])
			.filter((approval) => maySee(approval, who));
	}

	/** Takes one person's decision; the approval as it is then. */
	async decide(id: string, decision: Decision): Promise<Result<Approval, DecisionProblem>> {
		const known = await this.get(id, decision.by);
		if (known === undefined) {
			return fail({ code: "unknown", message: `There is no approval "${id}".` });
		}
		let problem: DecisionProblem = {
			code: "not_pending",
			message: `Nothing is to be decided any more: it is ${known.state}.`,
		};
		const changed = await this.#write(id, (now) => {
			const after = afterDecision(now, decision, this.#options.clock.now());
			if (after.ok) return after.value;
			problem = after.problem;
			return undefined;
		});
		return changed === undefined ? fail(problem) : succeed(changed);
	}

	/**
	 * More may be demanded of a call than when it was asked about: the approval that waits for
	 * people again; undefined where what was agreed to is enough.
	 */
	demand(id: string, demand: Demand): Promise<Approval | undefined> {
		return this.#write(id, (now) => afterDemand(now, demand, this.#options.clock.now()));
	}

	/** The caller takes a call of their own back that has not run. */
	async withdraw(id: string, by: Decider, reason: string | undefined): Promise<void> {
		await this.#write(id, (now) => afterWithdrawal(now, by.id, reason, this.#options.clock.now()));
	}

	/**
	 * Lets the call of an approved one go to its server: the approval whose arguments are to run,
	 * or undefined where it may not go, because another call did or its time is over.
	 */
	claim(id: string): Promise<Approval | undefined> {
		return this.#write(id, (now) => afterClaim(now, this.#options.clock.now()));
	}

	/** Writes down what became of a call that went to its server. */
	async finish(id: string, fate: Fate): Promise<void> {
		await this.#write(id, (now) => afterRun(now, fate, this.#options.clock.now()));
	}

	/**
	 * Waits until a pending one is decided, at most `wait_ms`: as it is then.
	 * @param signal ends the wait early
	 */
	async decided(id: string, wait_ms: number, signal: AbortSignal): Promise<Approval | undefined> {
		const current = this.#live.get(id);
		if (current === undefined || current.state !== "pending") return this.find(id);
		await new Promise<void>((resolve) => {
			const stop = () => {
				timer.cancel();
				forget();
				signal.removeEventListener("abort", stop);
				resolve();
			};
			const timer = this.#options.clock.after(wait_ms, stop);
			const forget = this.onChange((approval) => {
				if (approval.id === id && approval.state !== "pending") stop();
			});
			signal.addEventListener("abort", stop, { once: true });
			if (signal.aborted) stop();
		});
		return this.find(id);
	}

	/** Forgets its timer. */
	close(): void {
		this.#closed = true;
		this.#timer?.cancel();
		this.#listeners.clear();
	}

	#find(request: ApprovalRequest): Approval | undefined {
		const { principal, made_by, server, tool, asked_hash } = request;
		for (const approval of this.#live.values()) {
			if (approval.asked_hash !== asked_hash || approval.tool !== tool) continue;
			if (approval.server !== server || approval.principal !== principal) continue;
			if (approval.made_by === made_by) return approval;
		}
		return undefined;
	}

	#problemOf({ principal }: ApprovalRequest): string | undefined {
		const all = [...this.#live.values()];
		const free = live_max - all.length;
		if (free <= 0) return "Too many calls wait for approval. Try again later.";
		// No tenant takes all the room: each has fewer there than there is room for.
		const of_tenant = all.filter((approval) => tenantOf(approval) === tenantOf({ principal }));
		if (of_tenant.length >= free) {
			return "Too many calls of your tenant wait for approval. Wait for some of them first.";
		}
		const own = all.filter((approval) => approval.principal === principal);
		if (own.length < live_per_principal_max) return undefined;
		return `${live_per_principal_max} of your calls wait for approval already. Wait for them first.`;
	}

	/** Undefined where the same call was faster. */
	async #make(request: ApprovalRequest): Promise<Approval | undefined> {
		const { clock, random, repository, box } = this.#options;
		const now_ms = clock.now();
		const { principal, made_by, server, tool, asked_hash: arguments_hash } = request;
		const before = await repository.last({ principal, made_by, server, tool, arguments_hash });
		const approval: Approval = {
			...request,
			id: `appr_${random.bytes(id_bytes).toString("base64url")}`,
			revision: 1,
			state: "pending",
			arguments: request.asked,
			arguments_hash,
			edited_by: undefined,
			votes: [],
			created_at_ms: now_ms,
			expires_at_ms: now_ms + request.demand.expires_ms,
			decided_at_ms: undefined,
			ended_at_ms: undefined,
			after: before?.state === "unknown" ? before.id : undefined,
		};
		if (!(await repository.add(toStored(approval, box)))) {
			await this.#reload(approval);
			return undefined;
		}
		this.#set(approval);
		return approval;
	}

	/** Somebody else, such as another node, has made the same one. */
	async #reload(request: ApprovalRequest): Promise<void> {
		const { repository, box } = this.#options;
		for (const stored of await repository.live()) {
			const approval = fromStored(stored, box);
			if (approval?.asked_hash === request.asked_hash) this.#live.set(approval.id, approval);
		}
	}

	/** Makes one change: computed from what stands, written over exactly that. */
	async #write(
		id: string,
		change: (now: Approval) => Approval | undefined,
	): Promise<Approval | undefined> {
		const { repository, box } = this.#options;
		for (let tries = 0; tries < tries_max; tries += 1) {
			const now = this.#live.get(id);
			const after = now && change(now);
			if (after === undefined) return undefined;
			if (await repository.change(toStored(after, box))) {
				this.#set(after);
				return after;
			}
			await this.#refresh(id);
		}
		throw new Error(`the approval ${id} changes faster than it can be changed`);
	}

	/** What is known is not what is stored: the stored one counts. */
	async #refresh(id: string): Promise<void> {
		const { repository, box } = this.#options;
		const stored = await repository.get(id);
		const approval = stored && fromStored(stored, box);
		if (approval === undefined || !isLive(approval)) this.#live.delete(id);
		else this.#live.set(id, approval);
	}

	#set(approval: Approval): void {
		const known = this.#live.get(approval.id);
		if (known !== undefined && known.revision > approval.revision) return;
		if (isLive(approval)) this.#live.set(approval.id, approval);
		else this.#live.delete(approval.id);
		this.#wakeLater();
		for (const listener of this.#listeners) listener(approval, known);
	}

	async #expire(): Promise<void> {
		for (const { id } of [...this.#live.values()]) {
			try {
				await this.#write(id, (now) => afterExpiry(now, this.#options.clock.now()));
			} catch (error) {
				this.#options.onTrouble(error);
			}
		}
		this.#wakeLater();
	}

	/** Wakes when the next one expires. */
	#wakeLater(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		if (this.#closed) return;
		const ends = [...this.#live.values()].flatMap(({ state, expires_at_ms }) =>
			state === "running" ? [] : expires_at_ms,
		);
		if (ends.length === 0) return;
		const nap_ms = Math.max(1, Math.min(...ends) - this.#options.clock.now());
		this.#timer = this.#options.clock.afterIdle(
			Math.min(nap_ms, nap_ms_max),
			() => void this.#expire(),
		);
	}
}
