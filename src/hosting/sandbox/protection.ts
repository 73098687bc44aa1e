import { dirname, relative, sep } from "node:path";

/** What no sandbox may be given, however it is asked for. All paths are absolute and real. */
export interface Protection {
	/** The gateway's state folder. */
	readonly data_dir: string;
	/** Files of the gateway that hold secrets: its configuration, and what that is read with. */
	readonly hidden: readonly string[];
	/** The home of the user who runs the gateway. */
	readonly home: string | undefined;
}

/** Folders that every sandbox can read; nothing in them is bound again. */
export const system_folders: readonly string[] = [
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/nix/store",
	"/gnu/store",
];

/** Folders that are the machine's own, and none of a server's business as a whole or in part. */
const machine_folders: readonly string[] = ["/etc", "/proc", "/sys", "/dev", "/boot", "/run"];

/** Folders that hold things of many owners; as a whole they say too much. */
const shared_folders: readonly string[] = ["/", "/home", "/root", "/Users", "/var", "/opt"];
const temp_folders: readonly string[] = ["/tmp", "/var/tmp", "/dev/shm"];

/** Whether `path` is `folder` or lies in it. Both are absolute. */
export function isWithin(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way === "" || (way !== ".." && !way.startsWith(`..${sep}`));
}

/** Whether `path` lies in one of these folders, or is one. */
export function isWithinAny(path: string, folders: readonly string[]): boolean {
	return folders.some((folder) => isWithin(path, folder));
}

/** Whether a path belongs to the machine: its settings, devices, processes and sockets. */
export function isMachine(path: string): boolean {
	return path === "/" || isWithinAny(path, machine_folders);
}

/** Whether a path is somebody's home folder. */
export function isHome(path: string, { home }: Pick<Protection, "home">): boolean {
	return path === home || path === "/root" || ["/home", "/Users"].includes(dirname(path));
}

/**
 * Whether a folder is too wide to be bound without having been named: a home, a folder above
 * one, a folder that all users share.
 */
export function isTooWide(path: string, protection: Pick<Protection, "home">): boolean {
	return (
		isHome(path, protection) ||
		isMachine(path) ||
		shared_folders.includes(path) ||
		temp_folders.includes(path) ||
		(protection.home !== undefined && isWithin(protection.home, path))
	);
}
