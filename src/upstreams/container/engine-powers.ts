/** What an engine bounds for a container. */
export type EngineLimit = "memory" | "processes" | "processors";

/** What an engine can do with its containers, as it tells of itself. */
export interface EnginePowers {
	readonly is_podman: boolean;
	/** It runs as an ordinary user, in a user namespace of that user. */
	readonly is_rootless: boolean;
	/** Limits that it has no control groups for. */
	readonly missing: readonly EngineLimit[];
}

/** What is read of the answer to `/info`; Podman has `Rootless` in it, Docker has not. */
export interface RawInfo {
	readonly Rootless?: boolean;
	readonly MemoryLimit?: boolean;
	readonly PidsLimit?: boolean;
	readonly CpuCfsQuota?: boolean;
	readonly SecurityOptions?: readonly string[] | null;
}

/** What is read of the answer to Podman's own `/libpod/info`. */
export interface RawPodmanInfo {
	readonly host?: { readonly cgroupControllers?: readonly string[] | null };
}

const controllers: readonly (readonly [EngineLimit, string])[] = [
	["memory", "memory"],
	["processes", "pids"],
	["processors", "cpu"],
];

/**
 * Reads what an engine tells. Of a rootless Podman only its own form is true: what it says to those
 * who take it for Docker is what the machine has, not what it was given of it.
 */
export function readPowers(info: RawInfo, podman: RawPodmanInfo | undefined): EnginePowers {
	const is_podman = info.Rootless !== undefined;
	const is_rootless =
		info.Rootless ??
		info.SecurityOptions?.some((option) => /\bname=rootless\b/.test(option)) ??
		false;
	const given = podman?.host?.cgroupControllers ?? [];
	const missing: readonly EngineLimit[] =
		is_podman && is_rootless
			? controllers.flatMap(([limit, name]) => (given.includes(name) ? [] : limit))
			: [
					...(info.MemoryLimit === false ? (["memory"] as const) : []),
					...(info.PidsLimit === false ? (["processes"] as const) : []),
					...(info.CpuCfsQuota === false ? (["processors"] as const) : []),
				];
	return { is_podman, is_rootless, missing };
}

/** What has to be done for an engine to be able to limit. */
export const delegation_remedy =
	"A rootless engine needs control groups of version 2 that systemd delegates to its user " +
	"(Delegate=cpu memory pids for user@.service)";
