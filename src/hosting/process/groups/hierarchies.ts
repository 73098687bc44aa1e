import { posix } from "node:path";

/**
 * Where the control groups of a process are. There is one hierarchy of version 2, and one of
 * version 1 for each set of controllers that is mounted that way; many machines have both.
 */

/** One hierarchy of control groups, and the place of a process in it. */
export interface Hierarchy {
	readonly version: 1 | 2;
	/** Controllers of version 1 (`memory`, `pids`); empty for version 2, whose groups tell. */
	readonly controllers: readonly string[];
	/** The folder of the process's own group. */
	readonly folder: string;
	/** Where the hierarchy is mounted. */
	readonly mount: string;
}

/**
 * Puts together `/proc/self/mountinfo` (proc_pid_mountinfo(5)) and `/proc/self/cgroup`
 * (cgroups(7)). Groups that no mount shows are left out.
 */
export function parseHierarchies(mountinfo: string, groups: string): Hierarchy[] {
	const paths = groups.split("\n").flatMap((line) => parseGroupLine(line) ?? []);
	const found: Hierarchy[] = [];
	for (const mount of mountinfo.split("\n").flatMap((line) => parseMountLine(line) ?? [])) {
		const own = paths.find((path) => isSameHierarchy(mount, path));
		const folder = own === undefined ? undefined : folderIn(mount, own.path);
		// A hierarchy that is mounted twice is used once.
		const is_new = !found.some(
			(other) =>
				other.version === mount.version && other.controllers.join() === mount.controllers.join(),
		);
		if (folder !== undefined && is_new) {
			const { version, controllers, point } = mount;
			found.push({ version, controllers, folder, mount: point });
		}
	}
	return found;
}

interface GroupMount {
	readonly version: 1 | 2;
	readonly controllers: readonly string[];
	/** The group that the mount shows at its top. */
	readonly root: string;
	readonly point: string;
}

/** Options of a mount of version 1 that name no controller. */
const plain_options = /^(rw|ro|none|xattr|noprefix|clone_children|favordynmods|.*=.*)$/u;

function parseMountLine(line: string): GroupMount | undefined {
	const [left, right] = line.split(" - ", 2);
	const [, , , root, point] = (left ?? "").split(" ");
	const [type, , options] = (right ?? "").split(" ");
	if (root === undefined || point === undefined) {
		return undefined;
	}
	const place = { root: unescapePath(root), point: unescapePath(point) };
	if (type === "cgroup2") {
		return { version: 2, controllers: [], ...place };
	}
	if (type !== "cgroup") {
		return undefined;
	}
	const controllers = (options ?? "").split(",").filter((name) => !plain_options.test(name));
	return controllers.length === 0 ? undefined : { version: 1, controllers, ...place };
}

/** Spaces and the like are written as octal numbers. */
function unescapePath(path: string): string {
	return path.replaceAll(/\\([0-7]{3})/gu, (_, octal: string) =>
		String.fromCharCode(Number.parseInt(octal, 8)),
	);
}

interface GroupPath {
	readonly version: 1 | 2;
	readonly controllers: readonly string[];
	readonly path: string;
}

function parseGroupLine(line: string): GroupPath | undefined {
	const match = /^(\d+):([^:]*):(\/.*)$/u.exec(line);
	if (match === null) {
		return undefined;
	}
	const [, id, names = "", path = ""] = match;
	return {
		version: id === "0" && names === "" ? 2 : 1,
		controllers: names.split(",").filter(Boolean),
		path,
	};
}

function isSameHierarchy(mount: GroupMount, path: GroupPath): boolean {
	return (
		mount.version === path.version &&
		mount.controllers.every((name) => path.controllers.includes(name))
	);
}

/** The group's folder; undefined for a group outside of what the mount shows. */
function folderIn(mount: GroupMount, path: string): string | undefined {
	const relative = posix.relative(mount.root, path);
	return path.includes("/..") || relative.startsWith("..")
		? undefined
		: posix.join(mount.point, relative);
}
