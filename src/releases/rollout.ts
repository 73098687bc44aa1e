import type { Catalogs, ServerCatalog } from "../catalog/catalogs.ts";
import {
	compareCatalogs,
	describeDifference,
	differences_max,
	isBreaking,
} from "../catalog/compare.ts";
import type { ReleasePlan, ServerPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Trial } from "../hosting/trial.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { versionWarnings } from "./semver.ts";
import { rolloutVerdict } from "./verdict.ts";
import type { Versions } from "./versions.ts";

/** What a rollout is made from. */
export interface RolloutOptions {
	readonly clock: Clock;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly versions: Versions;
	readonly plan: ServerPlan;
	/** The number of the version that `plan` is. */
	readonly number: number;
	/** How it takes over. */
	readonly release: ReleasePlan;
	/** True when it is to wait, ready and without calls, until somebody lets it go on. */
	readonly hold: boolean;
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

	/** Starts the version beside the old one. */
	constructor(options: RolloutOptions) {
		this.#options = options;
		this.plan = options.plan;
		this.number = options.number;
		this.ended = this.#ended.promise;
		this.#trial = options.hosting.try(options.plan, () => this.#judge());
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
		if (this.#state === "live" || this.#state === "failed") return;
		await this.#fail(reason);
	}

	async #check(): Promise<void> {
		const { versions, catalogs, plan, number } = this.#options;
		const ready = await this.#trial.ready;
		if (this.#isOver()) {
			if (ready.ok) ready.value.release();
			return;
		}
		if (!ready.ok) return this.#fail(ready.problem.message);
		const lease = ready.value;
		const found = await catalogs.examine(plan, lease.upstream, this.#abort.signal);
		lease.release();
		if (this.#isOver()) return;
		if (!found.ok) return this.#fail(found.problem.message);
		this.#compare(found.value);
		const { identity } = this.#trial;
		await versions.change(plan.name, number, {
			changes: this.#changes,
			...(identity === undefined ? {} : { identity: JSON.stringify(identity) }),
		});
		if (!this.#isOver()) await this.#proceed();
	}

	#compare(after: ServerCatalog): void {
		const { catalogs, plan, note } = this.#options;
		const before = catalogs.get(plan.name);
		this.#warnings = versionWarnings({
			before: saidVersion(before),
			after: saidVersion(after),
			declared: plan.release.version,
		});
		const found = before === undefined ? [] : compareCatalogs(before, after);
		if (isBreaking(found)) {
			const text = "Some of what it offers may break clients that rely on the version before.";
			this.#warnings = [...this.#warnings, text];
		}
		for (const warning of this.#warnings) note(`version ${this.number}: ${warning}`);
		const lines = found.slice(0, differences_max).map(describeDifference);
		const more = found.length - lines.length;
		this.#changes = more > 0 ? [...lines, `and ${more} more differences`] : lines;
		for (const line of this.#changes) note(`version ${this.number}: ${line}`);
	}

	async #proceed(): Promise<void> {
		const { clock, release, hold, note } = this.#options;
		if (hold) {
			this.#state = "held";
			note(`version ${this.number} is ready and waits to be let on`);
			return;
		}
		if (release.percent === 100) return this.#goLive();
		this.#state = "sharing";
		this.#trial.share(release.percent);
		note(`version ${this.number} gets ${release.percent} percent of the calls`);
		this.#timer = clock.afterIdle(release.watch_ms, () => void this.finish());
	}

	/** Looks at how the calls of its share went, after each of them. */
	#judge(): void {
		if (this.#state !== "sharing") return;
		const { new_count, old_count } = this.#trial;
		const { errors_percent_max } = this.#options.release;
		const reason = rolloutVerdict(new_count, old_count, errors_percent_max);
		if (reason !== undefined) void this.#fail(reason);
	}

	async #goLive(): Promise<void> {
		const { versions, plan, number, goLive, note } = this.#options;
		this.#timer?.cancel();
		this.#state = "live";
		note(`version ${number} takes all calls`);
		goLive(this.#trial);
		await versions.activate(plan.name, number);
		this.#ended.resolve();
	}

	async #fail(reason: string): Promise<void> {
		const { versions, hosting, plan, number, note } = this.#options;
		this.#timer?.cancel();
		this.#abort.abort();
		this.#state = "failed";
		this.#reason = reason;
		note(`version ${number} was given up, the old one runs on: ${reason}`);
		hosting.giveUp(this.#trial, reason);
		await versions.change(plan.name, number, { state: "failed", reason });
		this.#ended.resolve();
	}

	#isOver(): boolean {
		return this.#state === "failed" || this.#state === "live";
	}
}

/** The version that a server says it is. */
function saidVersion(catalog: ServerCatalog | undefined): string | undefined {
	if (catalog === undefined) return undefined;
	const { version } = JSON.parse(catalog.server_info) as { version?: unknown };
	return typeof version === "string" ? version : undefined;
}
