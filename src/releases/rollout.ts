import type { Catalogs, ServerCatalog } from "../catalog/catalogs.ts";
import type { ServerPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Trial, TrialContents } from "../hosting/trial.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { StoredRollout } from "../store/version-repository.ts";
import { compareOffers } from "./offer.ts";
import { watchTime } from "./unproven.ts";
import { rolloutVerdict } from "./verdict.ts";
import type { Versions } from "./versions.ts";

/** What a rollout is made from. */
export interface RolloutOptions {
	readonly clock: Clock;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly versions: Versions;
	readonly plan: ServerPlan;
	/** Which version `plan` is, how it takes over, and how far a run before this one got with it. */
	readonly progress: StoredRollout;
	/** What it is made of, where that is not what its server has. */
	readonly contents: TrialContents;
	/** Called once before it takes over; a problem, a sentence, gives it up. */
	prepare(trial: Trial): Promise<Result<void, string>>;
	/** Puts the version in the place of the old one, everywhere. */
	goLive(trial: Trial): void;
	note(text: string): void;
}

/** Where a rollout is. */
export type RolloutState =
	/** It is being started and looked at. */
	| "checking"
	/** It is ready and waits for somebody to let it go on. */
	| "held"
	/** It has a share of the calls. */
	| "sharing"
	/** It takes all calls. */
	| "live"
	/** The old version takes all calls, as before. */
	| "failed";

/** How long calls of a share are counted before that is stored: those may be lost in a crash. */
const save_delay_ms = 500;

/** One new version on its way into the place of the old one. */
export class Rollout {
	readonly plan: ServerPlan;
	readonly number: number;
	/** Resolves when the version is ready and compared, or has failed: never rejects. */
	readonly checked: Promise<void>;
	/** Resolves when it is live, or has failed. */
	readonly ended: Promise<void>;
	readonly #options: RolloutOptions;
	readonly #trial: Trial;
	readonly #abort = new AbortController();
	readonly #ended = Promise.withResolvers<void>();
	#state: RolloutState = "checking";
	#reason: string | undefined;
	#changes: readonly string[] = [];
	#warnings: readonly string[] = [];
	#timer: Timer | undefined;
	/** When its share was watched for long enough, on the monotonic clock. */
	#watched_at_ms = 0;
	#saving: Timer | undefined;
	#resting = false;
	#taking_over: Promise<void> | undefined;

	/** Starts the version beside the old one. */
	constructor(options: RolloutOptions) {
		this.#options = options;
		this.plan = options.plan;
		this.number = options.progress.number;
		this.ended = this.#ended.promise;
		this.#trial = options.hosting.try(options.plan, () => this.#judge(), options.contents);
		this.checked = this.#check();
	}

	get state(): RolloutState {
		return this.#state;
	}

	/** Why it failed: a sentence. */
	get reason(): string | undefined {
		return this.#reason;
	}

	/** What it offers otherwise than the old version: sentences. */
	get changes(): readonly string[] {
		return this.#changes;
	}

	get warnings(): readonly string[] {
		return this.#warnings;
	}

	/** A version that was held, or has a share, takes its place now. */
	async finish(): Promise<void> {
		if (this.#state === "held" || this.#state === "sharing") await this.#goLive();
	}

	/** Ends it; the old version takes all calls. Does nothing once it is live. */
	async giveUp(reason: string): Promise<void> {
		await this.#taking_over;
		if (this.#state === "live" || this.#state === "failed") return;
		await this.#fail(reason);
	}

	/** The gateway stops: how far it is stays stored, and its next run goes on from there. */
	async rest(): Promise<void> {
		if (this.#state === "sharing") await this.#save();
		this.#resting = true;
		this.#timer?.cancel();
		this.#saving?.cancel();
		this.#abort.abort();
	}

	async #check(): Promise<void> {
		const { versions, catalogs, plan, note } = this.#options;
		const ready = await this.#trial.ready;
		if (this.#isOver()) {
			if (ready.ok) ready.value?.release();
			return;
		}
		if (!ready.ok) return this.#fail(ready.problem.message);
		const lease = ready.value;
		if (lease === undefined) {
			// Nobody lends their account to a trial; calls of its share may still speak against it.
			note(
				`version ${this.number} runs with accounts of people: what it offers is known when one calls`,
			);
			return this.#proceed();
		}
		const found = await catalogs.examine(plan, lease.upstream, this.#abort.signal);
		lease.release();
		if (this.#isOver()) return;
		if (!found.ok) return this.#fail(found.problem.message);
		this.#compare(found.value);
		const { resolved } = this.#trial;
		await versions.change(plan.name, this.number, { changes: this.#changes });
		if (resolved !== undefined) await versions.noteResolved(plan.name, this.number, resolved);
		if (!this.#isOver()) await this.#proceed();
	}

	#compare(after: ServerCatalog): void {
		const { catalogs, hosting, plan, note } = this.#options;
		const { name } = plan;
		const before = { identity: hosting.resolved(name)?.identity, catalog: catalogs.get(name) };
		const found = { identity: this.#trial.resolved?.identity, catalog: after };
		const { changes, warnings } = compareOffers(before, found, plan);
		this.#changes = changes;
		this.#warnings = warnings;
		for (const warning of warnings) note(`version ${this.number}: ${warning}`);
		for (const line of changes) note(`version ${this.number}: ${line}`);
	}

	async #proceed(): Promise<void> {
		const { clock, note, plan, progress } = this.#options;
		const { percent, new_calls, old_calls } = progress;
		if (progress.hold) {
			this.#state = "held";
			note(`version ${this.number} is ready and waits to be let on`);
			return;
		}
		if (percent === 100) return this.#goLive();
		const watch_ms = Math.min(progress.watch_left_ms, watchTime(plan));
		this.#state = "sharing";
		this.#watched_at_ms = clock.monotonic() + watch_ms;
		this.#trial.share(percent, {
			new_count: { calls: new_calls, failed: progress.new_failed },
			old_count: { calls: old_calls, failed: progress.old_failed },
		});
		const before = new_calls + old_calls > 0 ? `, after ${new_calls} before` : "";
		note(`version ${this.number} gets ${percent} percent of the calls${before}`);
		this.#timer = clock.afterIdle(watch_ms, () => void this.finish());
		await this.#save();
	}

	async #save(): Promise<void> {
		const { clock, progress, versions } = this.#options;
		const { new_count, old_count } = this.#trial;
		await versions.saveRollout({
			...progress,
			watch_left_ms: Math.max(0, Math.round(this.#watched_at_ms - clock.monotonic())),
			new_calls: new_count.calls,
			new_failed: new_count.failed,
			old_calls: old_count.calls,
			old_failed: old_count.failed,
		});
	}

	/** Looks at how the calls of its share went, after each of them, and whether it still runs. */
	#judge(): void {
		if (this.#resting || this.#taking_over !== undefined) return;
		const { failure } = this.#trial;
		if (failure !== undefined && (this.#state === "held" || this.#state === "sharing")) {
			void this.#fail(failure);
			return;
		}
		if (this.#state !== "sharing") return;
		const { new_count, old_count } = this.#trial;
		const { clock, plan } = this.#options;
		const reason = rolloutVerdict(new_count, old_count, plan.release.errors_percent_max);
		if (reason !== undefined) {
			void this.#fail(reason);
			return;
		}
		this.#saving ??= clock.afterIdle(save_delay_ms, () => {
			this.#saving = undefined;
			if (this.#state === "sharing") void this.#save();
		});
	}

	/** Once, and prepared before anybody relies on it. */
	#goLive(): Promise<void> {
		this.#taking_over ??= this.#takeOver();
		return this.#taking_over;
	}

	async #takeOver(): Promise<void> {
		const { versions, hosting, plan, goLive, prepare, note } = this.#options;
		const prepared = await prepare(this.#trial);
		if (!prepared.ok) return this.#fail(prepared.problem);
		const [old, before] = [versions.active(plan.name), hosting.resolved(plan.name)];
		this.#state = "live";
		note(`version ${this.number} takes all calls`);
		goLive(this.#trial);
		if (old !== undefined && before !== undefined) {
			await versions.noteResolved(plan.name, old.number, before);
		}
		await versions.activate(plan.name, this.number);
		await this.#end();
	}

	async #fail(reason: string): Promise<void> {
		const { versions, hosting, plan, note } = this.#options;
		const { number } = this;
		this.#abort.abort();
		this.#state = "failed";
		this.#reason = reason;
		note(`version ${number} was given up, the old one runs on: ${reason}`);
		hosting.giveUp(this.#trial, reason);
		await versions.change(plan.name, number, { state: "failed", reason });
		await this.#end();
	}

	async #end(): Promise<void> {
		this.#timer?.cancel();
		this.#saving?.cancel();
		const { versions, plan } = this.#options;
		// One that came in its place has stored how far it is itself.
		if (versions.rollout(plan.name)?.number === this.number) {
			await versions.removeRollout(plan.name);
		}
		this.#ended.resolve();
	}

	#isOver(): boolean {
		return this.#resting || this.#state === "failed" || this.#state === "live";
	}
}
