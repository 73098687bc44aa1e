import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SystemLayout } from "./bubblewrap.ts";
import type { Mount } from "./mounts.ts";
import { isWithin } from "./protection.ts";

/** What a program under Landlock may do with a path, and with all that lies below it. */
export interface PathRule {
	readonly kind: "read" | "write" | "device";
	/** Absolute. */
	readonly path: string;
}

/** What a program is allowed, beside the system's own folders. */
export interface RulePlan {
	readonly rules: readonly PathRule[];
	/** Sentences for a person. */
	readonly notes: readonly string[];
}

/** Landlock names what is allowed; a folder with more in it than this is not taken apart. */
const children_max = 1_000;
/** Rules of one program beside the system's; each is two arguments of the launcher. */
const rules_max = 4_000;

/** Devices that hold nothing of anybody. */
const devices: readonly string[] = ["null", "zero", "full", "random", "urandom"];

/**
 * Names of the machine's accounts: programs ask for their user's, and no file of ours can lie
 * over them here.
 */
const accounts: readonly string[] = ["/etc/passwd", "/etc/group"];

/** What a `/proc` with all of the machine's processes is reduced to: itself, and the machine. */
const shared_proc: readonly string[] = [
	"self",
	"cpuinfo",
	"filesystems",
	"loadavg",
	"meminfo",
	"stat",
	"sys",
	"uptime",
	"version",
];

/** What every program may use of the system. */
export function systemRules(layout: SystemLayout, has_own_proc: boolean): PathRule[] {
	const proc = has_own_proc ? ["/proc"] : shared_proc.map((name) => `/proc/${name}`);
	const settings = layout.settings.map(([, real]) => real);
	const read = [...layout.folders, ...settings, ...accounts, ...proc];
	return [
		...read.map((path): PathRule => ({ kind: "read", path })),
		...devices.map((name): PathRule => ({ kind: "device", path: `/dev/${name}` })),
	];
}

/**
 * Turns what a sandbox would mount into what is allowed. Landlock cannot take back a part of
 * what it allows: a folder with something hidden in it is allowed as its other children, as they
 * are now, and one with too many of them is not allowed at all.
 */
export async function planRules(mounts: readonly Mount[]): Promise<RulePlan> {
	const hidden = pathsOf(mounts, "hide");
	const read_only = pathsOf(mounts, "read");
	const rules: PathRule[] = [];
	const notes: string[] = [];
	for (const { kind, path } of mounts) {
		if (kind !== "read" && kind !== "write") {
			continue;
		}
		const kept = [...hidden, ...(kind === "write" ? read_only : [])];
		const inside = kept.filter((other) => other !== path && isWithin(other, path));
		const parts = await takeApart(path, inside);
		if (parts !== undefined && rules.length + parts.length > rules_max) {
			notes.push(`${path} is not given to it: more than ${rules_max} rules would be needed.`);
			continue;
		}
		if (parts === undefined) {
			notes.push(`${path} is not given to it: there is too much beside what it may not see.`);
			continue;
		}
		if (inside.length > 0) {
			const what = kind === "write" ? "What is made there later is not its own to change" : "";
			notes.push(`${path} is given to it without ${inside.join(", ")}. ${what || later}.`);
		}
		rules.push(...parts.map((part): PathRule => ({ kind, path: part })));
	}
	return { rules, notes };
}

const later = "It cannot list it, and does not see what is made there later";

function pathsOf(mounts: readonly Mount[], kind: Mount["kind"]): string[] {
	return mounts.filter((mount) => mount.kind === kind).map(({ path }) => path);
}

/** The largest parts of a folder without these paths; undefined where there are too many. */
async function takeApart(path: string, without: readonly string[]): Promise<string[] | undefined> {
	if (without.includes(path)) {
		return [];
	}
	const inside = without.filter((other) => isWithin(other, path));
	if (inside.length === 0) {
		return [path];
	}
	const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
	if (entries.length > children_max) {
		return undefined;
	}
	const parts: string[] = [];
	for (const entry of entries) {
		// A rule for a link would be one for what it leads to.
		if (!entry.isDirectory() && !entry.isFile()) {
			continue;
		}
		const part = await takeApart(join(path, entry.name), inside);
		if (part === undefined) {
			return undefined;
		}
		parts.push(...part);
	}
	return parts;
}
