import { constants } from "node:fs";
import { access, mkdtemp, readFile, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import { Engine } from "../upstreams/container/engine.ts";
import { delegation_remedy } from "../upstreams/container/engine-powers.ts";
import { findNpm } from "./packages/install-npm.ts";
import { findUv } from "./packages/install-python.ts";
import { probeContainment, system_path } from "./process/containment.ts";
import { childEnvironment } from "./process/environment.ts";
import { findProgram } from "./process/find-program.ts";
import { all_versions, probeGroups, releaseTier } from "./process/groups/probe.ts";
import { runGroupName } from "./process/groups/sweep-groups.ts";
import type { GroupTier } from "./process/groups/tier.ts";
import { describeTier, hierarchyFor } from "./process/groups/tier.ts";
import { runOnce } from "./process/run-once.ts";
import { isUsable, readSwap } from "./process/swap.ts";
import { probeSandbox } from "./sandbox/probe.ts";

/** One thing a machine can do, can do only in part, or cannot do. */
export interface MachineCheck {
	/** Short and stable; programs may look for it. */
	readonly name: string;
	readonly status: "ok" | "limited" | "missing";
	/** What there is, in a sentence or less. */
	readonly detail: string;
	/** What to install or change; undefined where there is nothing to do. */
	readonly remedy?: string | undefined;
}

/** What a look at the machine needs. */
export interface ProbeMachineOptions {
	readonly clock: Clock;
	readonly environment: Environment;
	/** The state folder; it need not exist. */
	readonly data_dir: string;
}

const node_major_min = 24;
const open_files_min = 4_096;
const free_bytes_min = 1024 ** 3;
const run_ms = 5_000;

/**
 * Looks what this machine can do for hosting servers, by trying it wherever that is possible.
 * Leaves nothing behind, needs no running gateway, never throws.
 */
export async function probeMachine(options: ProbeMachineOptions): Promise<MachineCheck[]> {
	const linux = process.platform === "linux";
	const tier = tryGroups();
	return await Promise.all([
		checkNode(),
		checkContainment(options),
		...(linux
			? [checkTool(options, "setpriv", util_linux), checkTool(options, "unshare", util_linux)]
			: []),
		...(linux
			? [checkSandbox(options), checkFreezer(tier), checkLimits(tier), checkSwap(tier)]
			: [checkSandbox(options)]),
		checkNpm(options),
		checkUv(options),
		checkDocker(options),
		checkTool(
			options,
			"python3",
			"Only servers written in Python need it: install Python 3.10 or later.",
		),
		checkTool(options, "git", "Only servers that work on repositories need it: install git."),
		...(process.platform === "win32" ? [] : [checkOpenFiles(options)]),
		checkDataFolder(options.data_dir),
	]);
}

const util_linux = "Install the package util-linux: it contains servers in pid namespaces.";

async function checkNode(): Promise<MachineCheck> {
	const { version, arch, platform } = process;
	const detail = `${version} on ${platform} ${arch}`;
	return Number.parseInt(version.slice(1), 10) >= node_major_min
		? { name: "node", status: "ok", detail }
		: {
				name: "node",
				status: "limited",
				detail,
				remedy: `Install Node.js ${node_major_min} or later.`,
			};
}

async function checkContainment(options: ProbeMachineOptions): Promise<MachineCheck> {
	const { containment, obstacle } = await probeContainment(options);
	const name = "containment";
	const detail = `${containment.mode}: ${containment.detail}`;
	if (obstacle === undefined) {
		return { name, status: "ok", detail };
	}
	return {
		name,
		status: "limited",
		detail: `${detail} (no pid namespace: ${obstacle})`,
		remedy:
			process.platform === "linux"
				? "Servers are still cleaned up, a moment after the gateway. For the kernel to do it, " +
					"install util-linux and allow user namespaces, or run the gateway as root."
				: undefined,
	};
}

/** A program that says its version when asked; `remedy` is for when it is not there. */
async function checkTool(
	options: ProbeMachineOptions,
	name: string,
	remedy: string,
): Promise<MachineCheck> {
	const path = `${options.environment["PATH"] ?? ""}:${system_path}`;
	const found = await findProgram(name, { path, cwd: "/" });
	return found.ok
		? await checkVersion(options, name, [found.value], remedy)
		: { name, status: "missing", detail: "not installed", remedy };
}

async function checkVersion(
	options: ProbeMachineOptions,
	name: string,
	command: readonly string[],
	remedy: string,
): Promise<MachineCheck> {
	const [program = "", ...args] = command;
	const outcome = await run(options, program, [...args, "--version"]);
	const line = `${outcome.stdout}\n${outcome.stderr}`.trim().split("\n")[0]?.trim();
	if (outcome.code === 0) {
		return { name, status: "ok", detail: `${line} (${command.at(-1)})` };
	}
	const why = outcome.timed_out ? "does not answer" : line || outcome.error;
	const detail = `${command.at(-1)} is there but does not work: ${why}`;
	return { name, status: "limited", detail, remedy };
}

function run(options: ProbeMachineOptions, program: string, args: readonly string[]) {
	return runOnce(options.clock, {
		program,
		args,
		env: childEnvironment(options.environment, {}),
		cwd: "/",
		deadline_ms: run_ms,
	});
}

async function checkSandbox({ clock, environment }: ProbeMachineOptions): Promise<MachineCheck> {
	const name = "sandbox";
	const folder = await mkdtemp(join(tmpdir(), "moorage-doctor-")).catch(() => undefined);
	if (folder === undefined) {
		return { name, status: "limited", detail: `${tmpdir()} cannot be written` };
	}
	try {
		const found = await probeSandbox({ clock, environment, folder });
		const { detail, obstacle, remedy } = found;
		if (found.landlock !== undefined) {
			const more =
				"servers have no /tmp, unix sockets or network of their own; what they try past their " +
				"proxy is recorded by address only, and a promoted fork restarts its server";
			return { name, status: "limited", detail: `${detail}; ${more}`, remedy: remedy || undefined };
		}
		return obstacle === undefined
			? { name, status: "ok", detail }
			: {
					name,
					status: remedy ? "missing" : "limited",
					detail: `${detail}; servers keep their own process tree, folders and limits`,
					remedy: remedy || undefined,
				};
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Tries control groups without moving anything, and removes what it made. */
function tryGroups(): GroupTier {
	const name = runGroupName(`doctor-${process.pid}`);
	const tier = probeGroups({ name, may_move: false, versions: all_versions });
	releaseTier(tier);
	return tier;
}

const delegate =
	"Run the gateway where it owns a control group, for example as a service with Delegate=yes.";

function checkFreezer(tier: GroupTier): MachineCheck {
	const name = "freezing";
	const place = hierarchyFor(tier, "freezer");
	return place !== undefined
		? {
				name,
				status: "ok",
				detail: `control groups of version ${place.version} freeze idle servers`,
			}
		: {
				name,
				status: "limited",
				detail: `idle servers are stopped by signals instead: ${tier.obstacles.freezer}`,
				remedy: delegate,
			};
}

function checkLimits(tier: GroupTier): MachineCheck {
	const name = "limits";
	const missing = (["memory", "pids", "cpu"] as const).filter(
		(use) => hierarchyFor(tier, use) === undefined,
	);
	const why = missing.map((use) => tier.obstacles[use]).find((text) => text !== undefined);
	return missing.length === 0
		? { name, status: "ok", detail: describeTier(tier) }
		: { name, status: "limited", detail: `${describeTier(tier)} (${why})`, remedy: delegate };
}

function checkSwap(tier: GroupTier): MachineCheck {
	const name = "swap";
	const swap = readSwap();
	if (swap === undefined) {
		return {
			name,
			status: "limited",
			detail: "no swap space: frozen servers keep their memory until they are stopped",
			remedy:
				"Add a swap file, or compressed swap (the package zram-tools or systemd-zram-generator).",
		};
	}
	const size = `${(swap.total_bytes / 1024 ** 3).toFixed(1)} GiB`;
	const kind = swap.is_compressed_memory ? "compressed memory" : "swap space";
	if (hierarchyFor(tier, "memory") === undefined) {
		return {
			name,
			status: "limited",
			detail: `${size} of ${kind}, but no control group through which servers could be paged out`,
			remedy: delegate,
		};
	}
	return isUsable(swap)
		? { name, status: "ok", detail: `frozen servers are paged out to ${size} of ${kind}` }
		: {
				name,
				status: "limited",
				detail: `${size} of ${kind}, and all of it in use`,
				remedy: "Add swap space, or stop what fills it.",
			};
}

async function checkNpm(options: ProbeMachineOptions): Promise<MachineCheck> {
	const remedy = "Servers started with npx need it: install Node.js with npm.";
	const npm = await findNpm(process.execPath, options.environment["PATH"]);
	return npm === undefined
		? { name: "npm", status: "missing", detail: "not installed", remedy }
		: await checkVersion(options, "npm", npm, remedy);
}

async function checkUv(options: ProbeMachineOptions): Promise<MachineCheck> {
	const { PATH, HOME } = options.environment;
	const remedy = 'Servers started with uvx need it: install uv, for example "pip install uv".';
	const uv = await findUv(PATH, HOME);
	return uv === undefined
		? { name: "uv", status: "missing", detail: "not installed", remedy }
		: await checkVersion(options, "uv", [uv], remedy);
}

async function checkDocker(options: ProbeMachineOptions): Promise<MachineCheck> {
	const name = "docker";
	const engine = new Engine(options.environment, options.clock);
	const where = await engine.where();
	if (where === undefined) {
		return {
			name,
			status: "missing",
			detail: "no container engine answers",
			remedy: "Only servers in containers need it: start Docker or Podman, or set DOCKER_HOST.",
		};
	}
	const powers = await engine.powers();
	const { is_rootless = false, missing = [] } = powers.ok ? powers.value : {};
	const answers = `a container engine answers at ${where}${is_rootless ? ", rootless" : ""}`;
	return missing.length === 0
		? { name, status: "ok", detail: answers }
		: {
				name,
				status: "limited",
				detail: `${answers}; it cannot limit ${missing.join(", ")} of a container`,
				remedy: `${delegation_remedy}.`,
			};
}

async function checkOpenFiles(options: ProbeMachineOptions): Promise<MachineCheck> {
	const name = "open files";
	const limit = await openFileLimit(options);
	const detail = `up to ${limit === Number.POSITIVE_INFINITY ? "any number" : limit} at once`;
	return limit >= open_files_min
		? { name, status: "ok", detail }
		: {
				name,
				status: "limited",
				detail,
				remedy: `Every client and server needs a few: raise it, for example "ulimit -n ${open_files_min}".`,
			};
}

async function openFileLimit(options: ProbeMachineOptions): Promise<number> {
	const text = await readFile("/proc/self/limits", "utf8").catch(() => undefined);
	const said =
		text === undefined
			? (await run(options, "/bin/sh", ["-c", "ulimit -n"])).stdout.trim()
			: /^Max open files\s+(\S+)/mu.exec(text)?.[1];
	return said === "unlimited" ? Number.POSITIVE_INFINITY : Number(said ?? 0);
}

async function checkDataFolder(data_dir: string): Promise<MachineCheck> {
	const name = "data folder";
	try {
		const { folder, exists } = await nearestFolder(data_dir);
		await access(folder, constants.W_OK | constants.X_OK);
		const { bavail, bsize } = await statfs(folder);
		const free_bytes = bavail * bsize;
		const what = exists ? data_dir : `${data_dir} (made at the first start)`;
		const detail = `${what}, ${(free_bytes / 1024 ** 3).toFixed(1)} GiB free`;
		return free_bytes >= free_bytes_min
			? { name, status: "ok", detail }
			: {
					name,
					status: "limited",
					detail,
					remedy: "Free some space, or choose another with --data.",
				};
	} catch (error) {
		const { code = "", message } = error as NodeJS.ErrnoException;
		return {
			name,
			status: "missing",
			detail: `${data_dir} cannot be written (${code || message})`,
			remedy: "Make it writable, or choose another with --data.",
		};
	}
}

/** The folder itself, or the one it would be made in. */
async function nearestFolder(path: string): Promise<{ folder: string; exists: boolean }> {
	for (let folder = path; ; folder = dirname(folder)) {
		try {
			if (!(await stat(folder)).isDirectory()) {
				throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
			}
			return { folder, exists: folder === path };
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT" || folder === dirname(folder)) {
				throw error;
			}
		}
	}
}
