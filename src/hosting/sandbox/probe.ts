import { closeSync, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import { system_path } from "../process/containment.ts";
import { childEnvironment } from "../process/environment.ts";
import { findProgram } from "../process/find-program.ts";
import { runOnce } from "../process/run-once.ts";
import type { InnerUser, SystemLayout } from "./bubblewrap.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import type { LandlockTools } from "./landlock.ts";
import { probeLandlock } from "./landlock-probe.ts";
import { copySettings, innerUser, installCommand, readLayout } from "./layout.ts";
import { seccomp_filters } from "./seccomp-filters.ts";
import type { SettingsCopy } from "./settings-copy.ts";

/** What a probe needs. */
export interface SandboxProbeOptions {
	readonly clock: Clock;
	readonly environment: Environment;
	/** Absolute folder for the few files that sandboxes are given; made where it is missing. */
	readonly folder: string;
	/** `landlock`: as on a machine where bubblewrap does not work. */
	readonly kind?: "landlock" | undefined;
}

/** How programs can be sandboxed here. */
export interface SandboxProbe {
	/** One sentence for `doctor`. */
	readonly detail: string;
	/** Undefined where it does not work. */
	readonly bubblewrap: BubblewrapTools | undefined;
	/** What there is instead; undefined where bubblewrap works, or neither does. */
	readonly landlock?: LandlockTools | undefined;
	/** Why nothing works, without a full stop; undefined where something does. */
	readonly obstacle?: string | undefined;
	/** A sentence with the one thing to do about it. */
	readonly remedy?: string | undefined;
}

/** What bubblewrap is run with. */
export interface BubblewrapTools {
	/** Absolute path of `bwrap`. */
	readonly path: string;
	readonly layout: SystemLayout;
	/** Parts of `/etc` in one folder. */
	readonly settings: SettingsCopy;
	readonly user: InnerUser;
	/** File with the system call filter. */
	readonly filter_path: string;
}

const probe_deadline_ms = 5_000;
const probe_exit_code = 42;
/** Pids inside a fresh namespace start at 1. */
const probe_pid_max = 16;
const first_free_fd = 3;

/**
 * Finds out how programs can be sandboxed, by running one that tries to get out: with the very
 * arguments, filter and user that servers get.
 */
export async function probeSandbox(options: SandboxProbeOptions): Promise<SandboxProbe> {
	if (process.platform !== "linux") {
		return impossible("sandboxes exist on Linux only", "Servers run as your own user here.");
	}
	const best =
		options.kind === "landlock"
			? impossible("bubblewrap is not to be used", "")
			: await probeBubblewrap(options);
	return best.bubblewrap === undefined ? await orLandlock(best, options) : best;
}

/** Landlock, where bubblewrap does not work; both reasons, where neither does. */
async function orLandlock(
	best: SandboxProbe,
	{ clock, environment, folder }: SandboxProbeOptions,
): Promise<SandboxProbe> {
	const { obstacle: reason = "", remedy = "" } = best;
	try {
		const found = await probeLandlock({ clock, environment, folder, reason });
		return typeof found === "string"
			? impossible(`${reason}, and ${found}`, remedy)
			: {
					detail: `Landlock (version ${found.version}) with system call filters, because ${reason}`,
					bubblewrap: undefined,
					landlock: found,
					remedy,
				};
	} catch {
		return best;
	}
}

async function probeBubblewrap(options: SandboxProbeOptions): Promise<SandboxProbe> {
	const path = `${options.environment["PATH"] ?? ""}:${system_path}`;
	const found = await findProgram("bwrap", { path, cwd: "/" });
	const filter = seccomp_filters[process.arch];
	if (!found.ok) {
		return impossible("bubblewrap is not installed", `Run "${await installCommand()}", ${anew}.`);
	}
	if (filter === undefined) {
		return impossible(`there is no system call filter for ${process.arch}`, "");
	}
	try {
		const tools = await prepareTools(found.value, filter, options.folder);
		const problem = await tryBubblewrap(tools, options);
		const detail = `${found.value} with a system call filter`;
		return problem === undefined
			? { detail, bubblewrap: tools }
			: impossible(`${found.value} does not work here (${problem})`, userNamespaceRemedy);
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return impossible(`${options.folder} cannot be written (${code ?? message})`, "");
	}
}

/** A machine on which sandboxes are not to be used. */
export const switchedOff: SandboxProbe = impossible("sandboxes are switched off", "");

/** What a gateway that runs does not notice: it finds out at its start. */
const anew = "then start Moorage again";
const userNamespaceRemedy =
	`Allow user namespaces to bwrap, ${anew}: sysctl kernel.unprivileged_userns_clone=1, or ` +
	"kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu; in a container, run it with " +
	"--security-opt seccomp=unconfined --security-opt systempaths=unconfined.";

function impossible(obstacle: string, remedy: string): SandboxProbe {
	return { detail: `none: ${obstacle}`, bubblewrap: undefined, obstacle, remedy };
}

async function prepareTools(
	path: string,
	filter: string,
	folder: string,
): Promise<BubblewrapTools> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const user = innerUser(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
	const layout = await readLayout(folder, user);
	const settings = await copySettings(join(folder, "etc"), layout);
	const filter_path = join(folder, "filter.bpf");
	await writeFile(filter_path, Buffer.from(filter, "base64"), { mode: 0o600 });
	return { path, layout, settings, user, filter_path };
}

/**
 * Undefined when it works, else what was wrong. The filter is seen at work too: a new user
 * namespace is what it denies first of all.
 */
async function tryBubblewrap(
	{ path, layout, settings, user, filter_path }: BubblewrapTools,
	options: SandboxProbeOptions,
): Promise<string | undefined> {
	const fd = openSync(filter_path, "r");
	try {
		const args = bubblewrapArguments({
			layout,
			settings: settings.refresh(),
			user,
			mounts: [],
			binds: [],
			cwd: "/",
			temp: undefined,
			open_network: false,
			filter_fd: first_free_fd,
		});
		// Of the shell alone: the gateway's own PATH may lead to nothing that there is inside.
		const script =
			"echo $$; while read -r line; do case $line in Seccomp:*) echo $line;; esac; " +
			`done < /proc/self/status; exit ${probe_exit_code}`;
		const outcome = await runOnce(options.clock, {
			program: path,
			args: [...args, "/bin/sh", "-c", script],
			env: childEnvironment(options.environment, {}),
			cwd: "/",
			deadline_ms: probe_deadline_ms,
			fds: [fd],
		});
		const [pid = "", filter_state = ""] = outcome.stdout.split("\n");
		const pid_inside = Number.parseInt(pid, 10);
		if (outcome.code !== probe_exit_code || !(pid_inside <= probe_pid_max)) {
			const said = outcome.stderr.trim().split("\n").at(-1);
			return said || outcome.error || `the probe ended with code ${outcome.code}`;
		}
		return filter_state.endsWith("2") ? undefined : "the system call filter was not set";
	} finally {
		closeSync(fd);
	}
}
