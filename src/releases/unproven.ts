import { release_watch_ms } from "../config/defaults.ts";
import type { ServerPlan } from "../config/plan.ts";
import type { StoredRollout, StoredVersion } from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { Versions } from "./versions.ts";

/** A version that has yet to prove itself, and how the one is run that takes the calls. */
export interface Unproven {
	readonly version: StoredVersion;
	readonly live: ServerPlan;
}

/**
 * The version that a configuration asks for where, when a former run of the gateway ended, it was
 * on its way into the place of another, or had been given up for another. A start of the gateway
 * is no proof: the other takes the calls until this one is. Undefined where there is none, or
 * where the other cannot be run any more.
 */
export function unprovenVersion(versions: Versions, wanted: ServerPlan): Unproven | undefined {
	const version = versions.of(wanted.name).at(-1);
	const active = versions.active(wanted.name);
	if (version === undefined || active === undefined || version.number === active.number) {
		return undefined;
	}
	// Another configuration is another version; a fork's volumes may be half in their new place.
	if (version.fingerprint !== wanted.fingerprint || version.source === "promote") return undefined;
	const is_on_its_way = version.state === "trial";
	const was_given_up = version.state === "failed" && active.fingerprint !== wanted.fingerprint;
	if (!is_on_its_way && !was_given_up) return undefined;
	const live = versions.planOf(active);
	return live === undefined ? undefined : { version, live };
}

/** The version that a configuration asks for and that was given up; undefined where it runs. */
export function givenUpVersion(
	versions: Versions,
	{ name, fingerprint }: ServerPlan,
	live: ServerPlan | undefined,
): StoredVersion | undefined {
	if (live?.fingerprint === fingerprint || versions.pin(name) !== undefined) return undefined;
	const last = versions.of(name).at(-1);
	return last?.state === "failed" && last.fingerprint === fingerprint ? last : undefined;
}

/** How long a version with a share is watched. */
export function watchTime({ release }: ServerPlan): number {
	return release.watch_ms === 0 ? release_watch_ms : release.watch_ms;
}

/** How far a version is that is to be started. */
export function newRollout(
	plan: ServerPlan,
	number: number,
	how: { readonly hold?: boolean | undefined; readonly percent?: number | undefined },
): StoredRollout {
	return {
		server: plan.name,
		number,
		hold: how.hold ?? false,
		percent: how.percent ?? plan.release.percent,
		watch_left_ms: watchTime(plan),
		new_calls: 0,
		new_failed: 0,
		old_calls: 0,
		old_failed: 0,
	};
}

/** What waiting versions are kept with. */
export interface WaitingOptions {
	readonly versions: Versions;
	readonly log: Log;
	/** Whether nothing of a server is to be started now. */
	isOff(server: string): boolean;
	/** Adds a line to what is told of a server. */
	note(server: string, text: string): void;
	/** Starts a version beside the one that takes the calls, as far as a former run got with it. */
	start(version: StoredVersion, progress: StoredRollout | undefined): Promise<unknown>;
}

/**
 * Versions that have yet to prove themselves since a former run of the gateway. Each is started
 * when the gateway is, but of a server that is switched off nothing is: there it waits until the
 * server is on again.
 */
export class WaitingVersions {
	readonly #options: WaitingOptions;
	readonly #waiting = new Map<string, StoredVersion>();
	#begun = false;

	constructor(options: WaitingOptions) {
		this.#options = options;
	}

	add(version: StoredVersion): void {
		this.#waiting.set(version.server, version);
	}

	has({ server, number }: StoredVersion): boolean {
		return this.#waiting.get(server)?.number === number;
	}

	/** Whether a version of a server waits. */
	isWaiting(server: string): boolean {
		return this.#waiting.has(server);
	}

	/** The gateway starts: those that may go on do, and it is told of the others. */
	begin(): void {
		this.#begun = true;
		this.goOn();
		const { versions, note } = this.#options;
		for (const { server, number, state } of this.#waiting.values()) {
			note(server, `version ${number} waits until the server is switched on again`);
			if (state !== "trial") continue;
			const reason = "It waits until the server is switched on again.";
			void versions.change(server, number, { reason });
		}
	}

	/** Starts those whose servers are not switched off any more. */
	goOn(): void {
		if (!this.#begun) return;
		for (const version of [...this.#waiting.values()]) {
			if (this.#options.isOff(version.server)) continue;
			this.#waiting.delete(version.server);
			void this.#goOn(version);
		}
	}

	/** Another version has come, or the server has gone: the one that waits has failed. */
	async giveUp(server: string, reason: string): Promise<void> {
		const version = this.#waiting.get(server);
		if (version === undefined) return;
		this.#waiting.delete(server);
		const { versions } = this.#options;
		if (version.state === "trial") {
			await versions.change(server, version.number, { state: "failed", reason });
		}
		await versions.removeRollout(server);
	}

	async #goOn({ server, number, state }: StoredVersion): Promise<void> {
		const { versions, note, log, start } = this.#options;
		const stored = versions.rollout(server);
		const what = state === "trial" ? "was on its way when the gateway ended" : "had failed";
		note(server, `version ${number} ${what}: it has to prove itself beside the old one`);
		log.info({ server, version: number, state }, "a new version is tried once more");
		await versions.change(server, number, { state: "trial", reason: undefined });
		const version = versions.find(server, number);
		if (version !== undefined) await start(version, stored?.number === number ? stored : undefined);
	}
}
