import { join } from "node:path";
import type { ContainerSpec, Plan, ServerSpec, StdioSpec } from "../config/plan.ts";
import type { Egress } from "../hosting/egress/egress.ts";
import { image_entry_schema } from "../hosting/packages/image-entry.ts";
import { LockFile, lock_file_name } from "../hosting/packages/lock-file.ts";
import { lockImages } from "../hosting/packages/lock-images.ts";
import { Watchdog } from "../hosting/process/watchdog.ts";
import type { Locked, Resolved } from "../hosting/resolved.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import { hasEngineSocket } from "../upstreams/container/addresses.ts";
import { Containers } from "../upstreams/container/containers.ts";
import { containerDriverWith } from "../upstreams/container/driver.ts";
import { Engine } from "../upstreams/container/engine.ts";
import type { ImageLock, LockedImage } from "../upstreams/container/image-lock.ts";
import { type ResolveImageContext, resolveImage } from "../upstreams/container/resolve-image.ts";
import type { WatchDisk } from "../upstreams/container/watch-disk.ts";
import type { OpenWayOut } from "../upstreams/container/way-out.ts";
import type { Driver } from "../upstreams/driver.ts";

/** What containers are hosted with. */
export interface ContainerHostingOptions {
	readonly owner_id: string;
	/** Absolute folder of the state. */
	readonly data_dir: string;
	/** Absolute folder of a configuration that the lock is kept beside; else it is in `data_dir`. */
	readonly config_dir: string | undefined;
	/** Absolute paths of files with secrets that no server is given. */
	readonly hidden: readonly string[];
	readonly clock: Clock;
	readonly random: Random;
	readonly environment: Environment;
	readonly log: { warn(fields: object, message: string): void };
	/** Opens the ways out of containers. */
	readonly egress: Egress;
	/** Drives what is said over standard streams. */
	readonly programs: Driver<StdioSpec>;
}

/**
 * Containers as a gateway uses them. No engine is asked for anything unless a server needs it, but
 * for what a gateway before this one left: see `sweep`.
 */
export class ContainerHosting {
	readonly driver: Driver<ContainerSpec>;
	readonly #engine: Engine;
	readonly #containers: Containers;
	readonly #watchdog: Watchdog;
	readonly #random: Random;
	readonly #lock: ImageLock;
	readonly #environment: Environment;
	#needed = false;
	#looked = false;

	constructor(options: ContainerHostingOptions) {
		const { environment, clock, random, owner_id, log, programs } = options;
		const { data_dir, config_dir } = options;
		const beside = config_dir === undefined ? undefined : join(config_dir, lock_file_name);
		this.#lock = lockImages(new LockFile({ beside, own: join(data_dir, lock_file_name) }, clock));
		this.#random = random;
		this.#watchdog = new Watchdog(clock);
		this.#environment = environment;
		this.#engine = new Engine(environment, clock);
		this.#containers = new Containers({
			engine: this.#engine,
			clock,
			random,
			owner_id,
			log,
			self: ownUser(),
			openWayOut: waysOutOf(options.egress),
			watchDisk: diskWatchOf(this.#watchdog),
			hidden: [data_dir, ...options.hidden],
		});
		this.driver = containerDriverWith(this.#containers, programs);
	}

	/** Finds the bytes behind an image's name; see `resolveImage`. */
	async resolve(
		spec: ContainerSpec,
		context: Pick<ResolveImageContext, "server" | "update" | "progress" | "signal"> & {
			readonly locked?: Locked | undefined;
		},
	): Promise<Result<Resolved, Fault>> {
		this.#needed = true;
		const parts = { engine: this.#engine, lock: this.#lock, random: this.#random };
		const locked = lockedImage(context.locked, spec.image);
		const resolved = await resolveImage(spec, { ...context, ...parts, locked });
		if (!resolved.ok) return resolved;
		const { spec: direct, digest, id } = resolved.value;
		return succeed({
			spec: direct,
			identity: {
				kind: "image",
				name: spec.image,
				version: undefined,
				integrity: digest,
				digest: `sha256-${id.replace(/^sha256:/, "")}`,
			},
			needs: [],
			notes: [],
			locked: {
				kind: "images",
				key: spec.image,
				entry: JSON.stringify(resolved.value.locked),
			},
		});
	}

	/** Locks what a server runs from now on. Problems are sentences. */
	async keepLocked(locked: Locked): Promise<Result<void, string>> {
		const image = lockedImage(locked, locked.key);
		if (image === undefined) return fail("What was remembered of the image cannot be read.");
		const problem = await this.#lock.set(locked.key, image);
		return problem === undefined ? succeed(undefined) : fail(problem);
	}

	/**
	 * Removes what nobody uses any more, where this gateway has to do with containers at all. Once
	 * in its life it looks in any case, if an engine listens on this machine: the gateway before
	 * may have been killed, and its servers taken out of the configuration since.
	 */
	async sweep(plan: Plan): Promise<void> {
		this.#needed ||= plan.servers.some(({ spec }) => isContainer(spec));
		const looks = this.#needed || (!this.#looked && hasEngineSocket(this.#environment));
		this.#looked = true;
		if (looks) await this.#containers.sweep();
	}

	/** Ends every container. */
	async close(): Promise<void> {
		await this.#containers.close();
		this.#watchdog.close();
	}
}

/** The ways out of containers: each has a proxy of its own, on a socket that is bound into it. */
export function waysOutOf(egress: Egress): OpenWayOut {
	return async (request) => {
		const gate = await egress.open(request);
		if (gate?.way !== undefined) return { ...gate.way, close: () => gate.close() };
		await gate?.close();
		return undefined;
	};
}

/** Looks after the volumes of containers as after those of programs. */
export function diskWatchOf(watchdog: Watchdog): WatchDisk {
	return ({ folder, bytes_max, required, asleep, end, note }) =>
		watchdog.watch({
			limits: {
				memory_bytes_max: undefined,
				processes_max: undefined,
				disk_bytes_max: bytes_max,
				required,
			},
			folders: [folder],
			asleep,
			pids: async () => [],
			end,
			note,
		});
}

/** Whether a server runs in a container. */
export function isContainer(spec: ServerSpec): spec is ContainerSpec {
	return spec.driver === "container";
}

/** What is remembered of an image; undefined where it belongs to another one, or is damaged. */
function lockedImage(locked: Locked | undefined, image: string): LockedImage | undefined {
	if (locked?.kind !== "images" || locked.key !== image) return undefined;
	const parsed = image_entry_schema.safeParse(JSON.parse(locked.entry));
	return parsed.success ? parsed.data : undefined;
}

/** Windows has no such numbers. */
function ownUser(): { uid: number; gid: number } | undefined {
	const [uid, gid] = [process.getuid?.(), process.getgid?.()];
	return uid === undefined || gid === undefined ? undefined : { uid, gid };
}
