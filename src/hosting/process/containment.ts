import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import { childEnvironment } from "./environment.ts";
import { findProgram } from "./find-program.ts";
import { runOnce } from "./run-once.ts";

/**
 * How a server and everything it starts are held together, so that nothing of it is left when
 * the gateway stops or is killed.
 *
 * - `pid-namespace`: the server lives in a process-id namespace of its own. Its first process
 *   is a tiny init; when that ends, the kernel ends all others, whatever they did to hide. It
 *   ends when `unshare` does, and `unshare` ends when the gateway's thread does (the
 *   parent-death signal; hence every spawn happens on the main thread).
 * - `watcher`: a process group, a mark in the environment, a ledger on disk, and a watcher
 *   process that kills by all three when the gateway is gone.
 */
export type ContainmentMode = "pid-namespace" | "watcher";

/** A command line. */
export interface CommandLine {
	readonly program: string;
	readonly args: readonly string[];
}

/** A way of containing programs that works on this machine. */
export interface Containment {
	readonly mode: ContainmentMode;
	/** One sentence for `doctor`. */
	readonly detail: string;
	/** Whether programs see a `/proc` with their own processes alone. */
	readonly has_own_proc: boolean;
	/** Puts the container around a program given by its full path. */
	wrap(program: string, args: readonly string[]): CommandLine;
}

/**
 * The init of a namespace, given to `/bin/sh -c` with the program as "$@": a constant, so that
 * no input is ever read by a shell. Three processes deep, each for a reason. Pid 1 waits and
 * reaps orphans; the kernel shields it from signals, and the server must not be shielded. The
 * second only waits, because servers that ask whether their parent is pid 1 take that for the
 * death of their client; it catches SIGTERM to pass on the server's exit code. The third
 * becomes the server. Standard error is closed to the shells, which would comment on signals.
 *
 * The shells wait in the foreground, because what a shell starts in the background ignores
 * SIGINT for ever. They and `unshare` keep the server's streams open as long as it runs: a
 * server that closes its output and lives on is not noticed by the end of that stream.
 */
const init_script = 'exec 3>&2 2>/dev/null; (trap : TERM; (exec "$@" 2>&3 3>&-); exit $?); exit $?';

const probe_deadline_ms = 5_000;
const probe_exit_code = 42;
/** Pids inside a fresh namespace start at 1; outside they are anything. */
const probe_pid_max = 16;
/** Where the tools are when PATH does not say. */
export const system_path = "/usr/bin:/bin:/usr/sbin:/sbin";

/** What was tried, and what came of it. */
export interface ContainmentProbe {
	readonly containment: Containment;
	/** Why no pid namespace is used; undefined when one is. */
	readonly obstacle: string | undefined;
}

/** What a probe needs. */
export interface ProbeOptions {
	readonly environment: Environment;
	readonly clock: Clock;
}

/** Children in their own process group, for the watcher. Works everywhere. */
export const watcherContainment: Containment = {
	mode: "watcher",
	detail: "process groups, an environment mark and a watcher process",
	has_own_proc: false,
	wrap: (program, args) => ({ program, args }),
};

/** Finds the best containment by really running something in it. */
export async function probeContainment(options: ProbeOptions): Promise<ContainmentProbe> {
	const prepared = await prepare(options);
	if (typeof prepared === "string") {
		return { containment: watcherContainment, obstacle: prepared };
	}
	let obstacle = "";
	for (const variant of variants) {
		const containment = namespaceContainment(prepared, variant);
		const problem = await tryContainment(containment, options);
		if (problem === undefined) {
			return { containment, obstacle: undefined };
		}
		obstacle = problem;
	}
	return { containment: watcherContainment, obstacle };
}

interface Tools {
	readonly setpriv: string;
	readonly unshare: string;
}

interface Variant {
	readonly flags: readonly string[];
	readonly detail: string;
}

const own_proc = "--mount-proc";

/**
 * From best to least. A user namespace of its own is what those who are not root need; a
 * `/proc` of its own keeps a server from seeing others, but some machines refuse it.
 */
const variants: readonly Variant[] = [
	{ flags: [own_proc], detail: "a pid namespace with its own /proc" },
	{ flags: [], detail: "a pid namespace" },
	{
		flags: ["--user", "--map-current-user", own_proc],
		detail: "a pid namespace with its own /proc, inside a user namespace",
	},
	{
		flags: ["--user", "--map-current-user"],
		detail: "a pid namespace inside a user namespace",
	},
];

async function prepare(options: ProbeOptions): Promise<Tools | string> {
	if (process.platform !== "linux") {
		return "pid namespaces exist on Linux only";
	}
	const path = `${options.environment["PATH"] ?? ""}:${system_path}`;
	const setpriv = await findProgram("setpriv", { path, cwd: "/" });
	const unshare = await findProgram("unshare", { path, cwd: "/" });
	if (!setpriv.ok || !unshare.ok) {
		const missing = [setpriv.ok ? [] : ["setpriv"], unshare.ok ? [] : ["unshare"]].flat();
		return `${missing.join(" and ")} not found (package util-linux)`;
	}
	return { setpriv: setpriv.value, unshare: unshare.value };
}

function namespaceContainment(tools: Tools, variant: Variant): Containment {
	return {
		mode: "pid-namespace",
		detail: `${variant.detail}, ended by the kernel together with the gateway`,
		has_own_proc: variant.flags.includes(own_proc),
		wrap: (program, args) => ({
			program: tools.setpriv,
			args: [
				"--pdeathsig",
				"KILL",
				tools.unshare,
				...variant.flags,
				"--pid",
				"--fork",
				"--kill-child",
				"/bin/sh",
				"-c",
				init_script,
				"moorage-init",
				program,
				...args,
			],
		}),
	};
}

/** Undefined when it works, else what was wrong, in the tool's own words. */
async function tryContainment(
	containment: Containment,
	options: ProbeOptions,
): Promise<string | undefined> {
	const line = containment.wrap("/bin/sh", ["-c", `echo $$; exit ${probe_exit_code}`]);
	const outcome = await runOnce(options.clock, {
		...line,
		env: childEnvironment(options.environment, {}),
		cwd: "/",
		deadline_ms: probe_deadline_ms,
	});
	const pid_inside = Number.parseInt(outcome.stdout, 10);
	if (outcome.code === probe_exit_code && pid_inside > 1 && pid_inside <= probe_pid_max) {
		return undefined;
	}
	const said = outcome.stderr.trim().split("\n").at(-1);
	return said || outcome.error || `the probe ended with code ${outcome.code}`;
}
