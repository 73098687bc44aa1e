import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import { childEnvironment } from "../process/environment.ts";
import { runOnce } from "../process/run-once.ts";
import { confine_programs } from "./confine-programs.ts";
import type { LandlockFilter, LandlockTools } from "./landlock.ts";
import { landlockLine } from "./landlock.ts";
import { systemRules } from "./landlock-rules.ts";
import { innerUser, readLayout } from "./layout.ts";
import { landlock_filters, seccomp_filters } from "./seccomp-filters.ts";

/** What the probe of Landlock needs. */
export interface LandlockProbeOptions {
	readonly clock: Clock;
	readonly environment: Environment;
	/** Absolute folder for the launcher and its filters; made where it is missing. */
	readonly folder: string;
	/** Why bubblewrap is not used, without a full stop. */
	readonly reason: string;
}

const probe_deadline_ms = 5_000;
const probe_exit_code = 42;

/**
 * Tries to read what it must not read, and says whether filters are set; given to `/bin/sh -c`
 * with the path as a parameter. The shell does all of it, because only its own process is shown
 * to it where `/proc` is the machine's.
 */
const probe_script =
	'if read -r line 2>/dev/null <"$1"; then echo readable; else echo hidden; fi; ' +
	"while read -r name state; do " +
	'if [ "$name" = Seccomp: ]; then echo "filter $state"; fi; done </proc/self/status; ' +
	`exit ${probe_exit_code}`;

/**
 * Finds out whether programs can be confined by Landlock, by running one that tries to get out.
 * Resolves with why not, without a full stop, where they cannot. Rejects where the folder cannot
 * be written.
 */
export async function probeLandlock(
	options: LandlockProbeOptions,
): Promise<LandlockTools | string> {
	const program = confine_programs[process.arch];
	const more = landlock_filters[process.arch];
	const base = seccomp_filters[process.arch];
	if (program === undefined || more === undefined || base === undefined) {
		return `there is no launcher under Landlock for ${process.arch}`;
	}
	const { folder, reason } = options;
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const path = await writeLauncher(folder, program);
	const { code: version } = await run(options, path, ["abi"]);
	if (version === null || version === 0) {
		return "the kernel has no Landlock, or forbids it";
	}
	const filters = await writeFilters(folder, { base, ...more });
	const user = innerUser(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
	const layout = await readLayout(folder, user);
	const tools = { path, version, layout, filters, reason };
	const problem = await tryLandlock(tools, options);
	return problem === undefined ? tools : `Landlock does not work here (${problem})`;
}

async function writeLauncher(
	folder: string,
	{ base64, sha256 }: { readonly base64: string; readonly sha256: string },
): Promise<string> {
	const bytes = Buffer.from(base64, "base64");
	const digest = createHash("sha256").update(bytes).digest("hex");
	assert(digest === sha256, "the launcher is not the program that was recorded");
	const path = join(folder, "confine");
	// A program that runs cannot be written to; the name is given to a new file instead.
	await writeFile(`${path}.new`, bytes, { mode: 0o555 });
	await rename(`${path}.new`, path);
	return path;
}

async function writeFilters(
	folder: string,
	texts: Readonly<Record<LandlockFilter, string>>,
): Promise<Record<LandlockFilter, string>> {
	const paths = Object.entries(texts).map(async ([name, text]) => {
		const path = join(folder, `${name}.bpf`);
		await writeFile(path, Buffer.from(text, "base64"), { mode: 0o600 });
		return [name, path] as const;
	});
	return Object.fromEntries(await Promise.all(paths)) as Record<LandlockFilter, string>;
}

/** Undefined when it works, else what was wrong. */
async function tryLandlock(
	tools: LandlockTools,
	options: LandlockProbeOptions,
): Promise<string | undefined> {
	const rules = systemRules(tools.layout, false);
	const args = ["-c", probe_script, "moorage-probe", tools.filters.base];
	const plan = { tools, rules, door: "closed", keeps_attributes: true } as const;
	const line = landlockLine(plan, "/bin/sh", args);
	const outcome = await run(options, line.program, line.args);
	const [file, filter] = outcome.stdout.split("\n");
	if (outcome.code !== probe_exit_code) {
		const said = outcome.stderr.trim().split("\n").at(-1);
		return said || outcome.error || `the probe ended with code ${outcome.code}`;
	}
	if (file !== "hidden") {
		return "a file was read that must not be";
	}
	return filter === "filter 2" ? undefined : "the system call filters were not set";
}

function run(
	{ clock, environment }: LandlockProbeOptions,
	program: string,
	args: readonly string[],
) {
	return runOnce(clock, {
		program,
		args,
		env: childEnvironment(environment, {}),
		cwd: "/",
		deadline_ms: probe_deadline_ms,
	});
}
