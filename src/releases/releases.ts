import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { PackageIdentity } from "../hosting/resolved.ts";
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
import { type Fork, Forks, type ForkVolumes } from "./forks.ts";
import { Rollout } from "./rollout.ts";
import { Versions } from "./versions.ts";

/** What releases are built from. */
export interface ReleasesOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly repository: VersionRepository;
	readonly box: SecretBox;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly volumes: ForkVolumes;
	/** Told of the servers that run, whenever those are others: the front door serves them. */
	onServers(servers: readonly ServerPlan[]): void;
}

/** Why something asked for cannot be done: a sentence, and what to do. */
export interface ReleaseProblem {
	readonly code:
		| "server_unknown"
		| "version_unknown"
		| "server_exists"
		| "nothing_to_do"
		| "failed";
	readonly message: string;
}

/** How a deploy is to go, where it differs from the configuration. */
export interface DeployOptions {
	readonly hold?: boolean | undefined;
	readonly percent?: number | undefined;
}

/** Where a deploy is once the new version was looked at. */
export interface Deployed {
	readonly server: string;
	readonly version: number;
	readonly state: Rollout["state"];
	readonly changes: readonly string[];
	readonly warnings: readonly string[];
}

/** What came of a configuration. */
export interface Adopted {
	/** Changed servers whose new version was given up, with why. */
	readonly refused: readonly { readonly server: string; readonly reason: string }[];
	/** What is worth telling of the new versions: sentences. */
	readonly warnings: readonly string[];
	/** Changed servers that were of no use as they were: they start anew without a trial. */
	readonly at_once: readonly string[];
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

	constructor(options: ReleasesOptions) {
		this.#options = options;
		const { clock, log, repository, box } = options;
		this.versions = new Versions({ clock, log, repository, box });
		this.#forks = new Forks(options);
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
		return this.#options.hosting.identity(server);
	}

	get forks(): readonly Fork[] {
		return this.#forks.all();
	}

	/** The server that one is a copy of; itself where it is none. */
	originOf(server: string): string {
		return this.#forks.find(server)?.server ?? server;
	}

	/** Takes over what is stored, and what a configuration says of it. Nothing runs yet. */
	async restore(plan: Plan): Promise<void> {
		await this.versions.restore();
		await this.#forks.restore(new Set(plan.servers.map(({ name }) => name)));
		this.#wanted = byName(plan);
		for (const server of plan.servers) {
			const held = await this.#heldPlan(server);
			await this.#begin(held ?? server, held === undefined ? "config" : undefined);
		}
		for (const fork of this.#forks.all()) this.#live.set(fork.name, fork.plan);
	}

	/** Hosts what is live. */
	start(): void {
		this.#options.hosting.apply(this.servers);
	}

	/**
	 * Takes over a new configuration. Resolves when every changed server has its new version
	 * looked at: it is live, has its share, or was given up.
	 */
	async use(plan: Plan): Promise<Adopted> {
		const before = this.#wanted;
		this.#wanted = byName(plan);
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
		await this.versions.removePin(name);
		return this.#roll(plan, "deploy", how);
	}

	/** Puts an older version in the place of the one that takes the calls. */
	async rollback(
		name: string,
		number: number | undefined,
	): Promise<Result<Deployed, ReleaseProblem>> {
		const wanted = this.#wanted.get(name);
		if (wanted === undefined) return fail(unknownServer(name));
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

	/** A version that was held, or has a share of the calls, takes all of them. */
	async finish(name: string): Promise<Result<Deployed, ReleaseProblem>> {
		const rollout = this.#rollouts.get(name);
		if (rollout === undefined || (rollout.state !== "held" && rollout.state !== "sharing")) {
			const message = `No version of "${name}" waits to take over.`;
			return fail({ code: "nothing_to_do", message });
		}
		await rollout.finish();
		return succeed(deployedOf(rollout));
	}

	/** Copies a server with its volumes to an address of its own. */
	async fork(name: string, fork_name?: string): Promise<Result<Fork, ReleaseProblem>> {
		const plan = this.#live.get(name);
		if (plan === undefined) return fail(unknownServer(name));
		const chosen = fork_name ?? this.#freeName(name);
		if (this.#live.has(chosen) || this.#wanted.has(chosen)) {
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
		await this.#retire(name);
		await this.#forks.remove(name);
		return succeed(undefined);
	}

	/** Puts a fork, with its volumes, in the place of the server it is a copy of. */
	async promote(name: string): Promise<Result<Deployed, ReleaseProblem>> {
		const fork = this.#forks.find(name);
		if (fork === undefined) return this.finish(name);
		const wanted = this.#wanted.get(fork.server);
		if (wanted === undefined) return fail(unknownServer(fork.server));
		await this.#rollouts.get(fork.server)?.giveUp("a fork was promoted");
		await this.#retire(name);
		const plan = this.#forks.planFor(fork);
		const version = await this.versions.add(plan, "promote", "trial");
		const swapped = await this.#forks.takeOver(fork);
		if (!swapped.ok) {
			await this.versions.change(fork.server, version.number, {
				state: "failed",
				reason: swapped.problem.message,
			});
			this.#live.set(name, fork.plan);
			this.#tell();
			return swapped;
		}
		this.#live.set(fork.server, plan);
		await this.versions.activate(fork.server, version.number, "A fork was promoted.");
		const config_fingerprint = wanted.fingerprint;
		await this.versions.setPin({
			server: fork.server,
			number: version.number,
			config_fingerprint,
		});
		this.#tell();
		// Its plan may be the same as before: what runs still has the folders that were replaced.
		await this.#options.hosting.restart(fork.server);
		return succeed({
			server: fork.server,
			version: version.number,
			state: "live",
			changes: [],
			warnings: [],
		});
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
			await this.#rollouts.get(plan.name)?.giveUp("the configuration is as before");
			return undefined;
		}
		if (live === undefined || !this.#isOfUse(plan.name)) {
			await this.#rollouts.get(plan.name)?.giveUp("the configuration changed");
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

	async #roll(
		plan: ServerPlan,
		source: VersionSource,
		how: DeployOptions,
	): Promise<Result<Deployed, ReleaseProblem>> {
		return this.#rollTo(plan, await this.versions.add(plan, source, "trial"), how);
	}

	async #rollTo(
		plan: ServerPlan,
		version: StoredVersion,
		how: DeployOptions,
	): Promise<Result<Deployed, ReleaseProblem>> {
		const rollout = await this.#start(plan, version, how);
		await rollout.checked;
		if (rollout.state === "failed") {
			return fail({ code: "failed", message: rollout.reason ?? "It failed." });
		}
		return succeed(deployedOf(rollout));
	}

	async #start(plan: ServerPlan, version: StoredVersion, how: DeployOptions): Promise<Rollout> {
		const { clock, hosting, catalogs } = this.#options;
		const { name } = plan;
		await this.#rollouts.get(name)?.giveUp("another version came");
		const percent = how.percent ?? plan.release.percent;
		const rollout = new Rollout({
			clock,
			hosting,
			catalogs,
			versions: this.versions,
			plan,
			number: version.number,
			release: { ...plan.release, percent },
			hold: how.hold ?? false,
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
		await this.#rollouts.get(name)?.giveUp("the server was removed");
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
			const name = number === 1 ? `${server}-fork` : `${server}-fork-${number}`;
			if (!this.#live.has(name) && !this.#wanted.has(name)) return name;
			assert(number < 10_000, "one of ten thousand names is free");
		}
	}
}

function byName(plan: Plan): Map<string, ServerPlan> {
	return new Map(plan.servers.map((server) => [server.name, server]));
}

function deployedOf(rollout: Rollout): Deployed {
	const { plan, number, state, changes, warnings } = rollout;
	return { server: plan.name, version: number, state, changes, warnings };
}

function unknownServer(name: string): ReleaseProblem {
	return { code: "server_unknown", message: `There is no server named "${name}".` };
}

function unknownVersion(name: string, number: number | undefined): ReleaseProblem {
	const message =
		number === undefined
			? `There is no earlier version of "${name}" that has taken calls.`
			: `There is no version ${number} of "${name}"; \`moorage versions ${name}\` lists them.`;
	return { code: "version_unknown", message };
}
