import { mkdir, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ContainerSpec } from "../../config/plan.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type Fault, type FaultCode, makeFault } from "../../protocol/fault.ts";
import type { ChildHandle, Confinement, Spawner, SpawnRequest } from "../driver.ts";
import { ContainerChild } from "./container-child.ts";
import {
	type CreateBody,
	createBody,
	type HiddenPath,
	isBelow,
	raisedMemory,
} from "./create-body.ts";
import type { ContainerSettings, Engine } from "./engine.ts";
import { delegation_remedy } from "./engine-powers.ts";
import { type EngineProblem, engineAdvice, engineSentence } from "./engine-problem.ts";
import { labels } from "./labels.ts";
import { networkOf } from "./network.ts";
import { openVolume } from "./volume.ts";
import type { WatchDisk } from "./watch-disk.ts";
import type { OpenWayOut, WayOut } from "./way-out.ts";

/** What the containers of a gateway are made from. */
export interface ContainersOptions {
	readonly engine: Engine;
	readonly clock: Clock;
	readonly random: Random;
	/** Names the data folder; see `labels`. */
	readonly owner_id: string;
	/** Who the gateway runs as; undefined where the system has no such numbers. */
	readonly self: { readonly uid: number; readonly gid: number } | undefined;
	/** Without it, whatever may reach chosen hosts reaches none. */
	readonly openWayOut?: OpenWayOut | undefined;
	/** Without it nobody bounds what volumes hold. */
	readonly watchDisk?: WatchDisk | undefined;
	/** Containers running at once. */
	readonly containers_max?: number | undefined;
	readonly log?: { warn(fields: object, message: string): void } | undefined;
	/** Absolute paths of the gateway's own that no container sees: its data folder, its secrets. */
	readonly hidden?: readonly string[] | undefined;
}

/** How long one sweep may take; an engine that is stuck holds nobody up. */
const sweep_ms_max = 10_000;
/** Containers running at once; far above what a machine can carry. */
const containers_max_default = 1_000;
/** Nobody, on every system; used where the gateway itself is root. */
const nobody = "65534:65534";

/** The containers of one run of a gateway: makes them, knows them, and finds what is left. */
export class Containers {
	readonly #options: ContainersOptions;
	readonly #run_id: string;
	/** Numbers of what exists or is being made. */
	readonly #known = new Map<string, ContainerChild | undefined>();
	#made = 0;
	#closed = false;

	constructor(options: ContainersOptions) {
		this.#options = options;
		this.#run_id = options.random.bytes(8).toString("hex");
	}

	/** A spawner that starts one server's containers; `onStarted` is given each of them. */
	spawnerOf(
		spec: ContainerSpec,
		confinement: Confinement | undefined,
		onStarted: (child: ContainerChild) => void,
	): Spawner {
		const start = async (request: SpawnRequest): Promise<Result<ChildHandle, Fault>> => {
			const started = await this.#start(spec, confinement, request.server);
			if (started.ok) onStarted(started.value);
			return started;
		};
		return { spawn: start };
	}

	/**
	 * Removes what former gateways of the same data folder left, and what this one made and lost
	 * sight of. Resolves with how many; an engine that is not there has nothing of ours running.
	 */
	async sweep(): Promise<number> {
		const { clock, engine, owner_id, log } = this.#options;
		const until_ms = clock.monotonic() + sweep_ms_max;
		const listed = await engine.list(`${labels.owner}=${owner_id}`, sweep_ms_max);
		if (!listed.ok) return 0;
		const left = listed.value.filter((container) => !this.#isKnown(container.labels));
		let removed = 0;
		for (const { id } of left) {
			// What is left then is for the next time.
			if (clock.monotonic() >= until_ms) break;
			if ((await engine.remove(id)).ok) removed += 1;
		}
		if (removed > 0) log?.warn({ removed }, "removed containers that nobody used any more");
		return removed;
	}

	/** Removes all that still runs. Nothing can be started afterwards. */
	async close(): Promise<void> {
		this.#closed = true;
		const running = [...this.#known.values()].filter((child) => child !== undefined);
		await Promise.all(running.map((child) => child.stop(0)));
	}

	/** The data folder's lock lets one gateway run at a time: every other run is over. */
	#isKnown(found: Readonly<Record<string, string>>): boolean {
		const number = found[labels.number];
		return found[labels.run] === this.#run_id && number !== undefined && this.#known.has(number);
	}

	async #start(
		spec: ContainerSpec,
		confinement: Confinement | undefined,
		server: string,
	): Promise<Result<ContainerChild, Fault>> {
		if (this.#closed) return this.#refuse(server, "gateway_stopping", "The gateway is stopping.");
		const { containers_max = containers_max_default } = this.#options;
		if (this.#known.size >= containers_max) {
			const text = `${containers_max} containers run already; stop some servers first.`;
			return this.#refuse(server, "overloaded", text);
		}
		const refusal = this.#options.watchDisk === undefined ? refusalOf(confinement) : undefined;
		if (refusal !== undefined) {
			return this.#refuse(server, "server_failed", `The server "${server}" ${refusal}`);
		}
		// Podman would make what is missing, as its own user; Docker refuses in words of its own.
		const missing = await missingFolder(confinement);
		if (missing !== undefined) {
			const text = `The server "${server}" is to be given ${missing}, which is not there.`;
			return this.#refuse(server, "server_failed", text);
		}
		this.#made += 1;
		const number = String(this.#made);
		this.#known.set(number, undefined);
		const made = await this.#make(spec, confinement, server, number);
		if (!made.ok) {
			this.#known.delete(number);
			return made;
		}
		const child = made.value;
		this.#known.set(number, child);
		void child.gone.then(() => this.#known.delete(number));
		if (this.#closed) {
			await child.stop(0);
			return this.#refuse(server, "gateway_stopping", "The gateway is stopping.");
		}
		return succeed(child);
	}

	async #make(
		spec: ContainerSpec,
		confinement: Confinement | undefined,
		server: string,
		number: string,
	): Promise<Result<ContainerChild, Fault>> {
		const image = await this.#options.engine.image(spec.image);
		if (!image.ok) return this.#failed(server, image.problem);
		if (confinement !== undefined) await openVolume(confinement.volume);
		const [way, powers, hidden] = await Promise.all([
			this.#openWayOut(confinement, server),
			this.#options.engine.powers(),
			this.#hidden(confinement),
		]);
		const is_own = powers.ok && powers.value.is_podman && powers.value.is_rootless;
		const body = createBody({
			spec: { ...spec, image: image.value.id },
			confinement,
			image: image.value,
			way,
			user: this.#user(),
			// Else what it writes would belong to a number that the gateway's user has no power over.
			keeps_user: is_own && this.#user() !== nobody,
			hidden,
			labels: {
				[labels.owner]: this.#options.owner_id,
				[labels.run]: this.#run_id,
				[labels.number]: number,
				[labels.server]: server,
				[labels.instance]: confinement?.instance ?? server,
			},
		});
		const name = `moorage-${this.#run_id}-${number}`;
		const child = await this.#run(name, body, confinement, server);
		if (child.ok) void child.value.gone.then(() => way?.close());
		else await way?.close();
		return child;
	}

	/** A way out for whatever is in no network; undefined where it cannot have one. */
	async #openWayOut(
		confinement: Confinement | undefined,
		server: string,
	): Promise<WayOut | undefined> {
		if (confinement === undefined || networkOf(confinement) !== "none") return undefined;
		const { sandbox, untrusted } = confinement;
		return await this.#options.openWayOut?.({ server, plan: sandbox.egress, untrusted });
	}

	async #run(
		name: string,
		body: CreateBody,
		confinement: Confinement | undefined,
		server: string,
	): Promise<Result<ContainerChild, Fault>> {
		const { engine, clock } = this.#options;
		const created = await engine.create(name, body);
		if (!created.ok) return this.#failed(server, created.problem);
		const { id, warnings } = created.value;
		const unlimited = warnings.filter((warning) => /limit|swap|pids|memory/i.test(warning));
		if (unlimited.length > 0 && confinement?.resources.required === true) {
			await engine.remove(id);
			const text = `The container engine cannot limit server "${server}": ${unlimited.join(" ")}`;
			return this.#refuse(server, "server_failed", text);
		}
		const [streams, settings] = await Promise.all([engine.attach(id), engine.settingsOf(id)]);
		const refusal =
			ignoredRuntime(body, settings) ??
			(confinement?.resources.required === true ? unheldLimits(body, settings) : undefined);
		if (refusal !== undefined) {
			if (streams.ok) streams.value.destroy();
			await engine.remove(id);
			return this.#refuse(server, "server_failed", `The server "${server}" ${refusal}`);
		}
		const started = streams.ok ? await engine.start(id) : streams;
		if (!streams.ok || !started.ok) {
			if (streams.ok) streams.value.destroy();
			await engine.remove(id);
			return this.#failed(server, (started as { problem: EngineProblem }).problem);
		}
		const unheld = unlimited.length > 0 ? undefined : unheldLimits(body, settings);
		const child = new ContainerChild({
			engine,
			clock,
			id,
			streams: streams.value,
			memory_bytes_max: body.HostConfig.Memory,
			notes: [
				...warnings,
				...(unheld === undefined ? [] : [`it ${unheld}`]),
				...notesOf(confinement, body),
			],
		});
		this.#watchVolume(child, confinement);
		return succeed(child);
	}

	#watchVolume(child: ContainerChild, confinement: Confinement | undefined): void {
		const bytes_max = confinement?.resources.disk_bytes_max;
		if (confinement === undefined || bytes_max === undefined) return;
		const unwatch = this.#options.watchDisk?.({
			folder: confinement.volume,
			bytes_max,
			required: confinement.resources.required,
			asleep: () => child.is_paused,
			end: (reason) => child.endFor(reason),
			note: (text) => child.note(text),
		});
		if (unwatch !== undefined) void child.gone.then(unwatch);
	}

	/** Never root; the gateway's own user where it has no power, so that it owns what is written. */
	#user(): string {
		const { self } = this.#options;
		return self === undefined || self.uid === 0 ? nobody : `${self.uid}:${self.gid}`;
	}

	#failed(server: string, problem: EngineProblem) {
		const code = problem.kind === "missing" ? "command_missing" : "server_failed";
		const said = engineSentence(problem).replace(/\.$/, "");
		const sentence = `The container engine of server "${server}" ${said}.${engineAdvice(problem)}`;
		return this.#refuse(server, code, sentence, detailOf(problem));
	}

	/** What of the gateway lies in something that a container is given, as it is found there. */
	async #hidden(confinement: Confinement | undefined): Promise<HiddenPath[]> {
		if (confinement === undefined) return [];
		const { volume, sandbox } = confinement;
		const { read, write } = sandbox;
		const found: HiddenPath[] = [];
		for (const given of [...read, ...write]) {
			const folder = await realpath(given).catch(() => given);
			for (const path of this.#options.hidden ?? []) {
				const real = await realpath(path).catch(() => undefined);
				const stats = real === undefined ? undefined : await stat(real).catch(() => undefined);
				if (real === undefined || stats === undefined || !isBelow(real, folder)) continue;
				const by = stats.isDirectory() ? await this.#emptyFolder(volume) : "/dev/null";
				found.push({ path: join(given, relative(folder, real)), by });
			}
		}
		return found;
	}

	/** Engines disagree about folders in memory below others; one of the disk they all know. */
	async #emptyFolder(volume: string): Promise<string> {
		const path = `${volume}.empty`;
		await mkdir(path, { recursive: true, mode: 0o755 });
		return path;
	}

	#refuse(server: string, code: FaultCode, message: string, detail?: string) {
		const parts = { code, message, detail, level: "warn", server, retry_safe: true } as const;
		return fail(makeFault(this.#options.random, parts));
	}
}

/** Podman runs a container with its own runtime, whichever it is asked for: a weaker wall. */
function ignoredRuntime(
	body: CreateBody,
	settings: Result<ContainerSettings, EngineProblem>,
): string | undefined {
	const wanted = body.HostConfig.Runtime;
	if (wanted === undefined || (settings.ok && settings.value.runtime === wanted)) return undefined;
	return (
		`is to run with the runtime ${wanted}, and the container engine would take another. Make it ` +
		"the engine's own runtime, and leave `runtime` out."
	);
}

/** A rootless engine without control groups drops limits, and says nothing of it. */
function unheldLimits(
	{ HostConfig: { Memory, PidsLimit } }: CreateBody,
	settings: Result<ContainerSettings, EngineProblem>,
): string | undefined {
	const { has_memory_limit = false, has_processes_limit = false } = settings.ok
		? settings.value
		: {};
	const unheld = [
		...(Memory === undefined || has_memory_limit ? [] : ["memory"]),
		...(PidsLimit === undefined || has_processes_limit ? [] : ["processes"]),
	];
	if (unheld.length === 0) return undefined;
	return (
		`has no limit on ${unheld.join(" and ")}: the container engine cannot set it. ` +
		`${delegation_remedy}.`
	);
}

/** Why a container that was asked for cannot be had as strictly as it was asked for. */
function refusalOf(confinement: Confinement | undefined): string | undefined {
	const { required, disk_bytes_max } = confinement?.resources ?? {};
	if (required !== true || disk_bytes_max === undefined) return undefined;
	return "has a disk limit that a container engine cannot enforce. Write `disk: off` under its `limits`.";
}

function notesOf(confinement: Confinement | undefined, body: CreateBody): string[] {
	if (confinement === undefined) return [];
	const raised = raisedMemory(confinement.resources);
	const notes = raised === undefined ? [] : [raised];
	if (body.Entrypoint !== undefined) return notes;
	const { egress } = confinement.sandbox;
	const asked = egress.kind === "public" || (egress.kind === "hosts" && egress.hosts.length > 0);
	if (asked) notes.push("it has no network: this machine has no way to its proxy from a container");
	return notes;
}

function detailOf(problem: EngineProblem): string | undefined {
	return "detail" in problem ? problem.detail : undefined;
}

/** The first folder or file of its `sandbox` that does not exist. */
async function missingFolder(confinement: Confinement | undefined): Promise<string | undefined> {
	const { read = [], write = [] } = confinement?.sandbox ?? {};
	for (const path of [...read, ...write]) {
		const found = await stat(path).catch(() => undefined);
		if (found === undefined) return path;
	}
	return undefined;
}
