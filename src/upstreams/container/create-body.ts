import { dirname, relative, sep } from "node:path";
import type { ContainerSpec, ResourcePlan } from "../../config/plan.ts";
import { formatSize } from "../../config/units.ts";
import type { Confinement } from "../driver.ts";
import type { ImageDetails } from "./engine.ts";
import { networkOf } from "./network.ts";
import type { WayOut } from "./way-out.ts";

/** What a container is made with: the part of the engine's form that is used here. */
export interface CreateBody {
	readonly Image: string;
	readonly Entrypoint?: readonly string[];
	readonly Cmd?: readonly string[];
	readonly Env: readonly string[];
	readonly User: string;
	readonly Labels: Readonly<Record<string, string>>;
	readonly AttachStdin: true;
	readonly AttachStdout: true;
	readonly AttachStderr: true;
	readonly OpenStdin: true;
	readonly StdinOnce: true;
	readonly Tty: false;
	readonly HostConfig: HostConfig;
}

interface HostConfig {
	readonly NetworkMode: "none" | "bridge";
	readonly ReadonlyRootfs: true;
	readonly CapDrop: readonly ["ALL"];
	readonly SecurityOpt: readonly ["no-new-privileges"];
	readonly Privileged: false;
	readonly IpcMode: "private";
	/** The user of the engine is the same inside. */
	readonly UsernsMode?: "keep-id";
	readonly Init: true;
	readonly Tmpfs: Readonly<Record<string, string>>;
	readonly Mounts: readonly Mount[];
	readonly Memory?: number;
	readonly MemorySwap?: number;
	readonly PidsLimit?: number;
	readonly Ulimits: readonly Ulimit[];
	readonly LogConfig: { readonly Type: "none" };
	readonly RestartPolicy: { readonly Name: "no" };
	readonly Runtime?: string;
}

interface Mount {
	readonly Type: "bind";
	readonly Source: string;
	readonly Target: string;
	readonly ReadOnly: boolean;
}

interface Ulimit {
	readonly Name: string;
	readonly Soft: number;
	readonly Hard: number;
}

/** What a container is made from. */
export interface CreateOptions {
	readonly spec: Pick<ContainerSpec, "image" | "args" | "env" | "runtime">;
	/** Undefined: the strictest there is, without a volume and without limits. */
	readonly confinement: Confinement | undefined;
	readonly labels: Readonly<Record<string, string>>;
	readonly image: Pick<ImageDetails, "user" | "entrypoint" | "command">;
	/** Undefined where it has none, or needs none. */
	readonly way: WayOut | undefined;
	/** `uid:gid` where the image says root. */
	readonly user: string;
	/** Whether the engine's own user is to be the same inside. */
	readonly keeps_user?: boolean;
	/** Files and folders of the gateway that no container sees, whatever it is given. */
	readonly hidden?: readonly HiddenPath[];
}

/** A file or folder that is not to be seen. */
export interface HiddenPath {
	/** Absolute, below something that the container is given. */
	readonly path: string;
	/** What is seen there instead: an empty file or folder. */
	readonly by: string;
}

/** Where a container finds its volume. */
export const volume_target = "/volume";

/** The private temporary folder lives in memory; nothing of it outlives the container. */
const temp_bytes_max = 256 * 1024 * 1024;
/** Engines refuse less than this. */
const memory_bytes_min = 6 * 1024 * 1024;

/**
 * The form for a container that can do as little as possible: no user of power, nothing writable
 * but its volume and a temporary folder, no capabilities, and no network unless it was asked for.
 * What it prints goes to the gateway only, and not into a log of the engine's that nobody bounds.
 */
export function createBody(options: CreateOptions): CreateBody {
	const { spec, confinement, labels } = options;
	return {
		Image: spec.image,
		...commandOf(options),
		Env: environmentOf(options),
		User: isRoot(options.image.user) ? options.user : options.image.user,
		Labels: labels,
		AttachStdin: true,
		AttachStdout: true,
		AttachStderr: true,
		OpenStdin: true,
		StdinOnce: true,
		Tty: false,
		HostConfig: {
			NetworkMode: networkOf(confinement),
			ReadonlyRootfs: true,
			CapDrop: ["ALL"],
			SecurityOpt: ["no-new-privileges"],
			Privileged: false,
			IpcMode: "private",
			...(options.keeps_user === true && { UsernsMode: "keep-id" as const }),
			// Reaps orphans, and lets a first process that handles no signals end on SIGTERM.
			Init: true,
			Tmpfs: { "/tmp": tempOptions(confinement?.resources) },
			Mounts: mountsOf(options),
			...limitsOf(confinement?.resources),
			LogConfig: { Type: "none" },
			RestartPolicy: { Name: "no" },
			...(spec.runtime !== undefined && { Runtime: spec.runtime }),
		},
	};
}

/** The image's own program runs as it would, with what leads its connections in front of it. */
function commandOf({ spec, image, way }: CreateOptions): Pick<CreateBody, "Entrypoint" | "Cmd"> {
	const given = spec.args.length > 0 ? spec.args : undefined;
	if (way === undefined) return given === undefined ? {} : { Cmd: given };
	const { prefix } = way;
	return { Entrypoint: prefix, Cmd: [...image.entrypoint, ...(given ?? image.command)] };
}

function environmentOf({ spec, confinement, way }: CreateOptions): string[] {
	const own =
		confinement === undefined ? {} : { HOME: volume_target, MOORAGE_VOLUME: volume_target };
	return Object.entries({ ...way?.env, ...own, ...spec.env }).map(
		([name, value]) => `${name}=${value}`,
	);
}

/** An image may name its user by number or name, with a group behind a colon. */
function isRoot(user: string): boolean {
	const [name = ""] = user.split(":");
	return name === "" || name === "root" || /^0+$/.test(name);
}

function tempOptions(resources: ResourcePlan | undefined): string {
	const bytes = Math.min(resources?.disk_bytes_max ?? temp_bytes_max, temp_bytes_max);
	return `rw,nosuid,nodev,noexec,mode=1777,size=${bytes}`;
}

function mountsOf({ confinement, way, hidden = [] }: CreateOptions): Mount[] {
	const bind = (source: string, target: string, read_only: boolean): Mount => ({
		Type: "bind",
		Source: source,
		Target: target,
		ReadOnly: read_only,
	});
	const led = (way?.binds ?? []).map(({ from, to }) => bind(from, to, true));
	if (confinement === undefined) return led;
	const { volume, sandbox } = confinement;
	return [
		bind(volume, volume_target, false),
		...sandbox.read.map((path) => bind(path, path, true)),
		...sandbox.write.map((path) => bind(path, path, false)),
		...pinsIn(sandbox, hidden).map((path) => bind(path, path, false)),
		...hidden.map(({ path, by }) => bind(by, path, true)),
		...led,
	];
}

/** A sentence where the limit on memory is below what engines accept, and is raised to that. */
export function raisedMemory({ memory_bytes_max }: ResourcePlan): string | undefined {
	if (memory_bytes_max === undefined || memory_bytes_max >= memory_bytes_min) return undefined;
	const [least, asked] = [formatSize(memory_bytes_min), formatSize(memory_bytes_max)];
	return `Its limit on memory is ${least} instead of ${asked}: container engines accept no less.`;
}

/** Folders above what is hidden are mounted over themselves, and cannot be moved away with it. */
function pinsIn({ write }: Confinement["sandbox"], hidden: readonly HiddenPath[]): string[] {
	const pins = new Set<string>();
	for (const { path } of hidden) {
		const around = write.filter((folder) => isBelow(path, folder));
		const nearest = around.toSorted((one, other) => other.length - one.length)[0];
		if (nearest === undefined) continue;
		for (let at = dirname(path); at !== nearest; at = dirname(at)) pins.add(at);
	}
	return [...pins].filter((path) => !write.includes(path)).toSorted();
}

/** Whether a path lies in a folder, and is not that folder. Both are absolute. */
export function isBelow(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}

/** The processor is left out: a limit on it applies after the start, which it would slow down. */
function limitsOf(resources: ResourcePlan | undefined) {
	const memory = resources?.memory_bytes_max;
	const bytes = memory === undefined ? undefined : Math.max(memory, memory_bytes_min);
	return {
		// As much again in swap would make the limit twice what it says.
		...(bytes !== undefined && { Memory: bytes, MemorySwap: bytes }),
		...(resources?.processes_max !== undefined && { PidsLimit: resources.processes_max }),
		Ulimits: [
			ulimit("core", 0),
			...(resources?.descriptors_max === undefined
				? []
				: [ulimit("nofile", resources.descriptors_max)]),
			...(resources?.file_bytes_max === undefined
				? []
				: [ulimit("fsize", resources.file_bytes_max)]),
		],
	};
}

function ulimit(name: string, most: number): Ulimit {
	return { Name: name, Soft: most, Hard: most };
}
