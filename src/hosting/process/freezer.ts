import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/**
 * Whether processes can be frozen as a group here: control groups of the second version can
 * stop and continue everything in them at once, without the processes noticing. It takes no
 * controller, only a group that may be made.
 */
export type FreezerProbe =
	| { readonly works: true; readonly folder: string }
	| { readonly works: false; readonly obstacle: string };

/** Makes a group, freezes it, looks whether it is frozen, and removes it. */
export async function probeFreezer(name: string): Promise<FreezerProbe> {
	if (process.platform !== "linux") {
		return { works: false, obstacle: "control groups exist on Linux only" };
	}
	const own = await ownGroup();
	if (own === undefined) {
		return { works: false, obstacle: "no control groups of version 2 are mounted" };
	}
	const group = join(own, name);
	try {
		await mkdir(group);
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? "";
		return { works: false, obstacle: `no group can be made in ${own} (${code})` };
	}
	try {
		await writeFile(join(group, "cgroup.freeze"), "1");
		const frozen = /^frozen 1$/mu.test(await readFile(join(group, "cgroup.events"), "utf8"));
		return frozen
			? { works: true, folder: own }
			: { works: false, obstacle: "a group can be made but not frozen" };
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? "";
		return { works: false, obstacle: `a group can be made but not frozen (${code})` };
	} finally {
		await rmdir(group).catch(() => {});
	}
}

/** The folder of this process's own group of version 2. */
async function ownGroup(): Promise<string | undefined> {
	try {
		const mounts = await readFile("/proc/self/mounts", "utf8");
		const groups = await readFile("/proc/self/cgroup", "utf8");
		return groupFolder(mounts, groups);
	} catch {
		return undefined;
	}
}

/** Puts together what `/proc/self/mounts` and `/proc/self/cgroup` say; see cgroups(7). */
export function groupFolder(mounts: string, groups: string): string | undefined {
	const mount = mounts
		.split("\n")
		.map((line) => line.split(" "))
		.find(([, , type]) => type === "cgroup2")?.[1];
	const path = /^0::(\/.*)$/mu.exec(groups)?.[1];
	// A path with `..` lies outside of what this mount shows.
	return mount === undefined || path === undefined || path.includes("/..")
		? undefined
		: resolve(mount, `.${path}`);
}
