import type { ServerPlan } from "../config/plan.ts";
import type { Locked, Resolved } from "../hosting/resolved.ts";
import type { Clock } from "../lib/clock.ts";
import type { SecretBox } from "../secrets/box.ts";
import type {
	StoredPin,
	StoredRollout,
	StoredVersion,
	VersionRepository,
	VersionSource,
} from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";

/** Versions of one server that are kept; the oldest that nothing runs makes room. */
export const versions_kept_max = 50;

/** What the registry of versions is built from. */
export interface VersionsOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly repository: VersionRepository;
	/** Seals plans: they hold the environments of servers. */
	readonly box: SecretBox;
}

/** What may still be said of a version once it is made. */
export type VersionChange = Partial<
	Pick<StoredVersion, "state" | "reason" | "identity" | "locked" | "changes">
>;

/**
 * Every version of every server, and which one a server is held at. A version never changes but
 * for what became of it. What is said here is stored before it is answered for.
 */
export class Versions {
	readonly #options: VersionsOptions;
	readonly #versions = new Map<string, StoredVersion[]>();
	readonly #pins = new Map<string, StoredPin>();
	readonly #rollouts = new Map<string, StoredRollout>();

	constructor(options: VersionsOptions) {
		this.#options = options;
	}

	/** Takes over what is stored. */
	async restore(): Promise<void> {
		const { repository } = this.#options;
		for (const version of await repository.load()) {
			const list = this.#versions.get(version.server) ?? [];
			this.#versions.set(version.server, [...list, version]);
		}
		for (const pin of await repository.pins()) this.#pins.set(pin.server, pin);
		for (const rollout of await repository.rollouts()) {
			this.#rollouts.set(rollout.server, rollout);
		}
	}

	/** Trials of a former run that nobody goes on with have failed. */
	async failTrials(goesOn: (version: StoredVersion) => boolean): Promise<void> {
		for (const version of [...this.#versions.values()].flat()) {
			if (version.state !== "trial" || goesOn(version)) continue;
			const reason = "The gateway ended before the version could take over.";
			await this.change(version.server, version.number, { state: "failed", reason });
		}
		for (const { server, number } of [...this.#rollouts.values()]) {
			const version = this.find(server, number);
			if (version === undefined || !goesOn(version)) await this.removeRollout(server);
		}
	}

	/** The versions of a server, oldest first. */
	of(server: string): readonly StoredVersion[] {
		return this.#versions.get(server) ?? [];
	}

	find(server: string, number: number): StoredVersion | undefined {
		return this.of(server).find((version) => version.number === number);
	}

	/** The version that takes the calls. */
	active(server: string): StoredVersion | undefined {
		return this.of(server).findLast(({ state }) => state === "active");
	}

	/** The newest version before the active one that has taken calls. */
	previous(server: string): StoredVersion | undefined {
		const active = this.active(server);
		return this.of(server).findLast(
			({ state, number }) => state === "retired" && number < (active?.number ?? Infinity),
		);
	}

	/** The number that the next version of a server gets. */
	nextNumber(server: string): number {
		return (this.of(server).at(-1)?.number ?? 0) + 1;
	}

	/** Makes a version of a plan; `locked` where it runs something else than the lock says. */
	async add(
		plan: ServerPlan,
		source: VersionSource,
		state: StoredVersion["state"],
		locked?: Locked,
	): Promise<StoredVersion> {
		const list = this.of(plan.name);
		const number = this.nextNumber(plan.name);
		const version: StoredVersion = {
			server: plan.name,
			number,
			fingerprint: plan.fingerprint,
			created_at_ms: this.#options.clock.now(),
			source,
			state,
			reason: undefined,
			identity: undefined,
			locked: locked && JSON.stringify(locked),
			changes: [],
			plan: this.#options.box.seal(JSON.stringify(plan), about(plan.name, number)),
		};
		this.#versions.set(plan.name, [...list, version]);
		await this.#save(version);
		await this.#makeRoom(plan.name);
		return version;
	}

	/** Says what became of a version. */
	async change(server: string, number: number, change: VersionChange): Promise<void> {
		const list = this.of(server);
		const before = list.find((version) => version.number === number);
		if (before === undefined) return;
		const after = { ...before, ...change };
		this.#versions.set(
			server,
			list.map((version) => (version === before ? after : version)),
		);
		await this.#save(after);
	}

	/** A version takes the calls from now on; the one before is retired. */
	async activate(server: string, number: number, why?: string): Promise<void> {
		for (const version of this.of(server)) {
			if (version.state !== "active" || version.number === number) continue;
			await this.change(server, version.number, { state: "retired", reason: why });
		}
		await this.change(server, number, { state: "active", reason: undefined });
	}

	/** What a version runs is known: it can be gone back to, and its package is kept. */
	async noteResolved(server: string, number: number, resolved: Resolved): Promise<void> {
		const { identity, locked } = resolved;
		await this.change(server, number, {
			...(identity && { identity: JSON.stringify(identity) }),
			...(locked && { locked: JSON.stringify(locked) }),
		});
	}

	/** What stands in the lock for a version; undefined where that is not known. */
	lockedOf(version: StoredVersion): Locked | undefined {
		return version.locked === undefined ? undefined : (JSON.parse(version.locked) as Locked);
	}

	/** How a version is run; undefined where its plan cannot be read any more. */
	planOf(version: StoredVersion): ServerPlan | undefined {
		const text = this.#options.box.open(version.plan, about(version.server, version.number));
		return text === undefined ? undefined : (JSON.parse(text) as ServerPlan);
	}

	/** The version a server is held at though its configuration says otherwise. */
	pin(server: string): StoredPin | undefined {
		return this.#pins.get(server);
	}

	async setPin(pin: StoredPin): Promise<void> {
		this.#pins.set(pin.server, pin);
		await this.#attempt(() => this.#options.repository.savePin(pin));
	}

	async removePin(server: string): Promise<void> {
		if (!this.#pins.delete(server)) return;
		await this.#attempt(() => this.#options.repository.removePin(server));
	}

	/** How far the new version of a server was when it was last said. */
	rollout(server: string): StoredRollout | undefined {
		return this.#rollouts.get(server);
	}

	async saveRollout(rollout: StoredRollout): Promise<void> {
		this.#rollouts.set(rollout.server, rollout);
		await this.#attempt(() => this.#options.repository.saveRollout(rollout));
	}

	async removeRollout(server: string): Promise<void> {
		if (!this.#rollouts.delete(server)) return;
		await this.#attempt(() => this.#options.repository.removeRollout(server));
	}

	async #makeRoom(server: string): Promise<void> {
		const list = this.of(server);
		const surplus = list.length - versions_kept_max;
		if (surplus <= 0) return;
		const pinned = this.#pins.get(server)?.number;
		const first_kept = list.findIndex(
			({ state, number }, index) =>
				index >= surplus || state === "active" || state === "trial" || number === pinned,
		);
		const last_gone = list[first_kept - 1];
		if (last_gone === undefined) return;
		this.#versions.set(server, list.slice(first_kept));
		const { repository } = this.#options;
		await this.#attempt(() => repository.removeUpTo(server, last_gone.number));
	}

	#save(version: StoredVersion): Promise<void> {
		return this.#attempt(() => this.#options.repository.save(version));
	}

	/** A store that fails must not stop servers from being run; what it lacks stands in the log. */
	async #attempt(write: () => Promise<void>): Promise<void> {
		try {
			await write();
		} catch (error) {
			this.#options.log.error({ error: String(error) }, "a version could not be stored");
		}
	}
}

function about(server: string, number: number): string {
	return `version ${number} of ${server}`;
}
