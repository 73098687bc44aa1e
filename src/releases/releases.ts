import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import { withEnding } from "../config/server-names.ts";
import { withoutPromise } from "../hosting/failure.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Locked, PackageIdentity, Resolved } from "../hosting/resolved.ts";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { SecretBox } from "../secrets/box.ts";
import type {
	StoredVersion,
	VersionRepository,
	VersionSource,
} from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";
import {
	type Adopted,
	type Deployed,
	type DeployOptions,
	deployedOf,
	outcomeOf,
	stayed,
} from "./deployed.ts";
import { finishPromotions } from "./finish-promotions.ts";
import { type Fork, Forks, type ForkVolumes } from "./forks.ts";
import { lookAt } from "./look.ts";
import {
	isBeing,
	isBeingReplaced,
	isNewest,
	isOnItsWay,
	nothingFloats,
	type ReleaseProblem,
	unknownServer,
	unknownVersion,
	waitsForSwitch,
} from "./problems.ts";
import { Rollout, type RolloutOptions } from "./rollout.ts";
import { givenUpVersion, newRollout, unprovenVersion, WaitingVersions } from "./unproven.ts";
import { Versions } from "./versions.ts";
import { VolumeSwap } from "./volume-swap.ts";

export type { ReleaseProblem } from "./problems.ts";

/** What releases are built from. */
export interface ReleasesOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly repository: VersionRepository;
	readonly box: SecretBox;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly volumes: ForkVolumes;
	/**
	 * Finds out anew what a server would run: the newest that its command allows. Nothing is locked.
	 * Problems are sentences.
	 */
	renew(plan: ServerPlan): Promise<Result<Resolved, string>>;
	/** Locks what a server runs from now on. Problems are sentences. */
	keepLocked(locked: Locked): Promise<Result<void, string>>;
	/** Told of the servers that run, whenever those are others: the front door serves them. */
	onServers(servers: readonly ServerPlan[]): void;
}

/**
 * Which version of each server takes the calls, and how another takes its place. What a
 * configuration asks for is started beside what runs and takes over once it has proved itself;
 * servers that are new, or of no use as they are, start at once.
 */
export class Releases {
	readonly versions: Versions;
	readonly #options: ReleasesOptions;
	readonly #forks: Forks;
	/** What the configuration says, by name. */
	#wanted = new Map<string, ServerPlan>();
	/** What takes the calls, by name. */
	readonly #live = new Map<string, ServerPlan>();
	readonly #rollouts = new Map<string, Rollout>();
	/** Forks whose volumes are on their way, and what they are being: nobody else may touch them. */
	readonly #taken = new Map<string, "promoted" | "removed">();
	/** Servers whose place a fork is taking, each until that is over. */
	readonly #replaced = new Map<string, Promise<void>>();
	/** Versions that the configuration asks for and that have yet to prove themselves. */
	readonly #waiting: WaitingVersions;

	constructor(options: ReleasesOptions) {
		this.#options = options;
		const { clock, log, repository, box, hosting } = options;
		this.versions = new Versions({ clock, log, repository, box });
		this.#forks = new Forks(options);
		this.#waiting = new WaitingVersions({
			...{ versions: this.versions, log },
			isOff: (server) => hosting.isOff(server),
			note: (server, text) => hosting.note(server, text),
			start: async (version, progress) => {
				const plan = this.#wanted.get(version.server);
				if (plan !== undefined)
					await this.#start(plan, version, {}, { ...(progress && { progress }) });
			},
		});
	}

	/** What takes the calls: the configuration's servers in its order, then forks. */
	get servers(): readonly ServerPlan[] {
		const names = [...this.#wanted.keys(), ...this.#forks.all().map(({ name }) => name)];
		return names.flatMap((name) => this.#live.get(name) ?? []);
	}

	/** A new version on its way, where there is one. */
	rollout(server: string): Rollout | undefined {
		return this.#rollouts.get(server);
	}

	/** What the package of the version that takes the calls was resolved to, once that is known. */
	identity(server: string): PackageIdentity | undefined {
		return this.#options.hosting.resolved(server)?.identity;
	}

	get forks(): readonly Fork[] {
		return this.#forks.all();
	}

	/** Versions that the configuration asks for and that were given up: others run in their place. */
	get givenUp(): readonly StoredVersion[] {
		return [...this.#wanted.values()].flatMap(
			(wanted) => givenUpVersion(this.versions, wanted, this.#live.get(wanted.name)) ?? [],
		);
	}

	/** The server that one is a copy of; itself where it is none. */
	originOf(server: string): string {
		return this.#forks.find(server)?.server ?? server;
	}

	/** Takes over what is stored, and what a configuration says of it. Nothing runs yet. */
	async restore(plan: Plan): Promise<void> {
		await this.versions.restore();
		await this.#options.volumes.sweep();
		await this.#forks.restore(new Set(plan.servers.map(({ name }) => name)));
		this.#wanted = byName(plan);
		await finishPromotions(this.#forks, this.versions, this.#wanted, this.#options.log);
		for (const server of plan.servers) {
			const held = await this.#heldPlan(server);
			const unproven = held === undefined ? unprovenVersion(this.versions, server) : undefined;
			if (unproven !== undefined) {
				this.#live.set(server.name, unproven.live);
				this.#waiting.add(unproven.version);
			} else await this.#begin(held ?? server, held === undefined ? "config" : undefined);
		}
		await this.versions.failTrials((version) => this.#waiting.has(version));
		for (const fork of this.#forks.all()) this.#live.set(fork.name, fork.plan);
	}

	/** Hosts what is live, and goes on with new versions that were on their way. */
	start(): void {
		this.#options.hosting.apply(this.servers);
		this.#waiting.begin();
	}

	/**
	 * What happens to a server is known. What the version that takes its calls runs is stored: it
	 * is kept installed, though a later run of the gateway may not come to resolve it.
	 */
	noteState(name: string): void {
		// While versions change places, what is hosted may not be what is stored yet.
		if (this.#rollouts.has(name) || this.#replaced.has(name)) return;
		const active = this.versions.active(name);
		const resolved = this.#options.hosting.resolved(name);
		if (active === undefined || resolved?.identity === undefined) return;
		if (active.identity === JSON.stringify(resolved.identity)) return;
		void this.versions.noteResolved(name, active.number, resolved);
	}

	/** Something was switched off, or on again: what waits for that goes on. */
	reconsider(): void {
		this.#waiting.goOn();
	}

	/** The gateway stops: new versions on their way go on in its next run. */
	async stop(): Promise<void> {
		await Promise.all([...this.#rollouts.values()].map((rollout) => rollout.rest()));
	}

	/**
	 * Takes over a new configuration. Resolves when every changed server has its new version
	 * looked at: it is live, has its share, or was given up.
	 */
	async use(plan: Plan): Promise<Adopted> {
		const before = this.#wanted;
		const after = byName(plan);
		// A configuration is not refused: it waits for forks that take the place of what it changes.
		for (const [name, over] of [...this.#replaced]) {
			if (before.get(name)?.fingerprint !== after.get(name)?.fingerprint) await over;
		}
		this.#wanted = after;
		for (const name of before.keys()) {
			if (!this.#wanted.has(name)) await this.#forget(name);
		}
		const begun: Rollout[] = [];
		const at_once: string[] = [];
		for (const server of plan.servers) {
			if (before.get(server.name)?.fingerprint === server.fingerprint) continue;
			await this.versions.removePin(server.name);
			const known = before.has(server.name);
			const rollout = await this.#change(server);
			if (rollout !== undefined) begun.push(rollout);
			else if (known) at_once.push(server.name);
		}
		this.#tell();
		await Promise.all(begun.map(({ checked }) => checked));
		const refused = begun.flatMap(({ plan: { name }, state, reason }) =>
			state === "failed" ? { server: name, reason: reason ?? "" } : [],
		);
		const warnings = begun.flatMap((rollout) =>
			rollout.warnings.map((text) => `${rollout.plan.name}: ${text}`),
		);
		return { refused, at_once, warnings };
	}

	/** Makes a new version of a server as the configuration has it, and rolls it out. */
	async deploy(name: string, how: DeployOptions): Promise<Result<Deployed, ReleaseProblem>> {
		const plan = this.#wanted.get(name);
		if (plan === undefined) return fail(unknownServer(name));
		if (this.#replaced.has(name)) return fail(isBeingReplaced(name));
		const renewed = how.update === true ? await this.#renew(plan) : succeed(undefined);
		if (!renewed.ok) return renewed;
		const locked = renewed.value;
		const warnings = locked === undefined ? [] : this.#othersWarning(name, locked);
		if (how.plan === true) return this.#look(plan, locked, warnings);
		await this.versions.removePin(name);
		const version = await this.versions.add(plan, "deploy", "trial", locked);
		const deployed = await this.#rollTo(plan, version, how);
		if (!deployed.ok) return deployed;
		return succeed({ ...deployed.value, warnings: [...deployed.value.warnings, ...warnings] });
	}

	/** Puts an older version in the place of the one that takes the calls. */
	async rollback(
		name: string,
		number: number | undefined,
	): Promise<Result<Deployed, ReleaseProblem>> {
		const wanted = this.#wanted.get(name);
		if (wanted === undefined) return fail(unknownServer(name));
		if (this.#replaced.has(name)) return fail(isBeingReplaced(name));
		const active = this.versions.active(name);
		if (active !== undefined && (number ?? active.number) === active.number) {
			if (await this.#stay(wanted, active)) return succeed(stayed(active));
			// What was on its way has just taken over: this is about the one before it.
		}
		const version =
			number === undefined ? this.versions.previous(name) : this.versions.find(name, number);
		if (version === undefined) return fail(unknownVersion(name, number));
		if (this.versions.active(name)?.number === version.number) {
			const message = `"${name}" runs version ${version.number} already.`;
			return fail({ code: "nothing_to_do", message });
		}
		const plan = this.versions.planOf(version);
		if (plan === undefined) {
			const message = `How version ${version.number} of "${name}" was run cannot be read.`;
			return fail({ code: "failed", message });
		}
		const deployed = await this.#rollTo(plan, version, { percent: 100 });
		if (deployed.ok) {
			const config_fingerprint = wanted.fingerprint;
			await this.versions.setPin({ server: name, number: version.number, config_fingerprint });
		}
		return deployed;
	}

	/**
	 * The version that takes the calls keeps them: a new one on its way is given up. False where
	 * there is none, or none any more.
	 */
	async #stay(wanted: ServerPlan, { server, number }: StoredVersion): Promise<boolean> {
		if (!this.#rollouts.has(server) && !this.#waiting.isWaiting(server)) return false;
		await this.#giveUp(server, "it was rolled back");
		if (this.versions.active(server)?.number !== number) return false;
		await this.versions.setPin({ server, number, config_fingerprint: wanted.fingerprint });
		return true;
	}

	/** A version that was held, or has a share of the calls, takes all of them. */
	async finish(name: string): Promise<Result<Deployed, ReleaseProblem>> {
		if (this.#replaced.has(name)) return fail(isBeingReplaced(name));
		if (this.#waiting.isWaiting(name)) return fail(waitsForSwitch(name));
		const rollout = this.#rollouts.get(name);
		if (rollout === undefined || (rollout.state !== "held" && rollout.state !== "sharing")) {
			const message = `No version of "${name}" waits to take over.`;
			return fail({ code: "nothing_to_do", message });
		}
		await rollout.finish();
		return outcomeOf(rollout);
	}

	/** Copies a server with its volumes to an address of its own. */
	async fork(name: string, fork_name?: string): Promise<Result<Fork, ReleaseProblem>> {
		const plan = this.#live.get(name);
		if (plan === undefined) return fail(unknownServer(name));
		if (this.#replaced.has(name)) return fail(isBeingReplaced(name));
		const chosen = fork_name ?? this.#freeName(name);
		if (this.#isNamed(chosen)) {
			const message = `There is a server named "${chosen}" already.`;
			return fail({ code: "server_exists", message });
		}
		const fork = await this.#forks.make(plan, chosen);
		if (!fork.ok) return fork;
		this.#live.set(chosen, fork.value.plan);
		this.#tell();
		return fork;
	}

	/** Ends a fork and removes its volumes. */
	async removeFork(name: string): Promise<Result<void, ReleaseProblem>> {
		if (this.#forks.find(name) === undefined) return fail(unknownServer(name));
		return this.#alone(name, "removed", async () => {
			await this.#retire(name);
			await this.#forks.remove(name);
			return succeed(undefined);
		});
	}

	/**
	 * Puts a fork, with its volumes, in the place of the server it is a copy of: tried beside it like
	 * any version, and swapped without a restart where what runs does not depend on names of folders.
	 */
	async promote(name: string): Promise<Result<Deployed, ReleaseProblem>> {
		const fork = this.#forks.find(name);
		if (fork === undefined) return this.finish(name);
		const { server } = fork;
		return this.#alone(name, "promoted", async () => {
			if (this.#replaced.has(server)) return fail(isBeingReplaced(server));
			const over = Promise.withResolvers<void>();
			this.#replaced.set(server, over.promise);
			try {
				return await this.#promote(fork);
			} finally {
				this.#replaced.delete(server);
				over.resolve();
			}
		});
	}

	async #promote(fork: Fork): Promise<Result<Deployed, ReleaseProblem>> {
		const { hosting } = this.#options;
		const { name, server } = fork;
		const wanted = this.#wanted.get(server);
		if (wanted === undefined) return fail(unknownServer(server));
		const locked = hosting.resolved(name)?.locked;
		await this.#giveUp(server, "a fork was promoted");
		await this.#retire(name);
		const plan = this.#forks.planFor(fork);
		const version = await this.versions.add(plan, "promote", "trial", locked);
		const swap = new VolumeSwap(fork, this.#forks, hosting);
		await swap.begin();
		const rollout = await this.#start(plan, version, at_once, {
			contents: { locked, volumes_of: name },
			prepare: async (trial) => {
				const kept = await this.#keep(locked);
				return kept.ok ? swap.take(trial) : kept;
			},
		});
		await rollout.checked;
		if (rollout.state !== "live" && !(await this.#promoteAnew(swap, plan, version))) {
			await swap.giveUp();
			this.#live.set(name, fork.plan);
			this.#tell();
			return fail({ code: "failed", message: swap.problem ?? rollout.reason ?? "It failed." });
		}
		await this.#forks.forget(fork);
		const { number } = version;
		await this.versions.setPin({ server, number, config_fingerprint: wanted.fingerprint });
		void swap.end();
		return succeed({ ...deployedOf(rollout), state: "live" });
	}

	/**
	 * Where names of folders matter, the trial ends first, and the server is restarted on what the
	 * fork had: what ran finds the fork's files until then. False where the fork is of no use.
	 */
	async #promoteAnew(
		swap: VolumeSwap,
		plan: ServerPlan,
		{ number }: StoredVersion,
	): Promise<boolean> {
		if (!swap.needs_restart) return false;
		const { hosting } = this.#options;
		// Until it takes the calls it is on its way: whoever is killed here goes on from there.
		await this.versions.change(plan.name, number, { state: "trial", reason: undefined });
		const swapped = await swap.takeAnew();
		if (!swapped.ok) {
			const reason = swapped.problem;
			await this.versions.change(plan.name, number, { state: "failed", reason });
			return false;
		}
		this.#live.set(plan.name, plan);
		await this.versions.activate(plan.name, number, "A fork was promoted.");
		this.#tell();
		// Its plan may be the same as before: what runs still has the folders that were replaced.
		await hosting.restart(plan.name);
		return true;
	}

	/** Does something with a fork's volumes while nobody else does. */
	async #alone<Value>(
		name: string,
		what: "promoted" | "removed",
		work: () => Promise<Result<Value, ReleaseProblem>>,
	): Promise<Result<Value, ReleaseProblem>> {
		const now = this.#taken.get(name);
		if (now !== undefined) return fail(isBeing(now, name));
		this.#taken.set(name, what);
		try {
			return await work();
		} finally {
			this.#taken.delete(name);
		}
	}

	async #keep(locked: Locked | undefined): Promise<Result<void, string>> {
		return locked === undefined ? succeed(undefined) : this.#options.keepLocked(locked);
	}

	/** A server that is new in the configuration, or of no use as it runs: at once. */
	async #begin(plan: ServerPlan, source: VersionSource | undefined): Promise<void> {
		this.#live.set(plan.name, plan);
		const active = this.versions.active(plan.name);
		if (active?.fingerprint === plan.fingerprint) return;
		if (source === undefined) return;
		const version = await this.versions.add(plan, source, "active");
		await this.versions.activate(plan.name, version.number, "The configuration changed.");
	}

	/** A server the configuration has changed. */
	async #change(plan: ServerPlan): Promise<Rollout | undefined> {
		const live = this.#live.get(plan.name);
		if (live?.fingerprint === plan.fingerprint) {
			await this.#giveUp(plan.name, "the configuration is as before");
			return undefined;
		}
		if (live === undefined || !this.#isOfUse(plan.name)) {
			await this.#giveUp(plan.name, "the configuration changed");
			await this.#begin(plan, "config");
			return undefined;
		}
		const version = await this.versions.add(plan, "config", "trial");
		return this.#start(plan, version, {});
	}

	/** Whether there is anything to lose in replacing what runs without a trial. */
	#isOfUse(name: string): boolean {
		const { hosting, catalogs } = this.#options;
		const status = hosting.status(name);
		if (status === undefined || status.state === "failed") return false;
		return status.state === "ready" || catalogs.get(name) !== undefined;
	}

	/** The newest that a server's command allows, where that is not what runs. */
	async #renew(plan: ServerPlan): Promise<Result<Locked, ReleaseProblem>> {
		const renewed = await this.#options.renew(plan);
		if (!renewed.ok) return fail({ code: "failed", message: withoutPromise(renewed.problem) });
		const { locked, identity } = renewed.value;
		if (locked === undefined) return fail(nothingFloats(plan.name));
		const runs = this.identity(plan.name);
		return identity !== undefined && identity.digest === runs?.digest
			? fail(isNewest(plan.name, identity))
			: succeed(locked);
	}

	/** Starts and compares a version, and ends it again: nothing is stored of it. */
	async #look(
		plan: ServerPlan,
		locked: Locked | undefined,
		more: readonly string[],
	): Promise<Result<Deployed, ReleaseProblem>> {
		const { name: server } = plan;
		if (this.#rollouts.has(server)) return fail(isOnItsWay(server));
		const seen = await lookAt(plan, this.#options, locked);
		if (!seen.ok) return fail({ code: "failed", message: withoutPromise(seen.problem) });
		const version = this.versions.nextNumber(server);
		const warnings = [...seen.value.warnings, ...more];
		return succeed({ server, version, state: "planned", ...seen.value, warnings });
	}

	/** Others that ask for the same: the lock will have something new for them too. */
	#othersWarning(name: string, { kind, key }: Locked): string[] {
		const others = this.servers.filter((other) => {
			const locked = this.#options.hosting.resolved(other.name)?.locked;
			return other.name !== name && locked?.kind === kind && locked.key === key;
		});
		return others.map(
			(other) =>
				`"${other.name}" asks for the same and gets the new one with its next restart; ` +
				`\`moorage deploy ${other.name}\` tries it beforehand.`,
		);
	}

	async #rollTo(
		plan: ServerPlan,
		version: StoredVersion,
		how: DeployOptions,
	): Promise<Result<Deployed, ReleaseProblem>> {
		const rollout = await this.#start(plan, version, how);
		await rollout.checked;
		return outcomeOf(rollout);
	}

	/** A version that is on its way, or waits for that, is given up. */
	async #giveUp(name: string, reason: string): Promise<void> {
		await this.#waiting.giveUp(name, reason);
		await this.#rollouts.get(name)?.giveUp(reason);
	}

	async #start(
		plan: ServerPlan,
		version: StoredVersion,
		how: DeployOptions,
		more: Partial<Pick<RolloutOptions, "contents" | "prepare" | "progress">> = {},
	): Promise<Rollout> {
		const { clock, hosting, catalogs } = this.#options;
		const { name } = plan;
		await this.#giveUp(name, "another version came");
		const progress = more.progress ?? newRollout(plan, version.number, how);
		const locked = this.versions.lockedOf(version);
		await this.versions.saveRollout(progress);
		const rollout = new Rollout({
			clock,
			hosting,
			catalogs,
			versions: this.versions,
			plan,
			progress,
			contents: more.contents ?? { locked },
			prepare: more.prepare ?? (() => this.#keep(locked)),
			note: (text) => hosting.note(name, text),
			goLive: (trial) => {
				this.#live.set(name, plan);
				this.#options.onServers(this.servers);
				hosting.goLive(trial);
				hosting.apply(this.servers);
			},
		});
		this.#rollouts.set(name, rollout);
		void rollout.ended.then(() => {
			if (this.#rollouts.get(name) === rollout) this.#rollouts.delete(name);
		});
		return rollout;
	}

	/** The plan of the version that a server is held at; undefined where it is not. */
	async #heldPlan(server: ServerPlan): Promise<ServerPlan | undefined> {
		const pin = this.versions.pin(server.name);
		if (pin === undefined) return undefined;
		const version = this.versions.find(server.name, pin.number);
		const plan = version === undefined ? undefined : this.versions.planOf(version);
		if (plan !== undefined && pin.config_fingerprint === server.fingerprint) return plan;
		await this.versions.removePin(server.name);
		return undefined;
	}

	async #forget(name: string): Promise<void> {
		await this.#giveUp(name, "the server was removed");
		await this.versions.removePin(name);
		this.#live.delete(name);
	}

	/** Takes a fork out of what is hosted, and waits until nothing of it runs. */
	async #retire(name: string): Promise<void> {
		this.#live.delete(name);
		this.#tell();
		await this.#options.hosting.gone(name);
		await this.#options.catalogs.forget(name);
	}

	#tell(): void {
		const { servers } = this;
		this.#options.onServers(servers);
		this.#options.hosting.apply(servers);
	}

	#freeName(server: string): string {
		for (let number = 1; ; number += 1) {
			const name = withEnding(server, number === 1 ? "-fork" : `-fork-${number}`);
			if (!this.#isNamed(name)) return name;
			assert(number < 10_000, "one of ten thousand names is free");
		}
	}

	/** Whether a server, or a fork that is on its way and does not run, has this name. */
	#isNamed(name: string): boolean {
		return this.#live.has(name) || this.#wanted.has(name) || this.#forks.find(name) !== undefined;
	}
}

/** All calls, as soon as it is ready. */
const at_once: DeployOptions = { hold: false, percent: 100 };

function byName(plan: Plan): Map<string, ServerPlan> {
	return new Map(plan.servers.map((server) => [server.name, server]));
}
