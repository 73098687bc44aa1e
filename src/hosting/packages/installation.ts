import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import type { InstallFailure } from "./failure.ts";
import type { Installed } from "./installed.ts";
import { describeRequest, readInstalled, writeInstalled } from "./installed.ts";
import type { Installer, RunInstaller } from "./installer.ts";
import type { PackageRequest } from "./request.ts";
import { runProgram } from "./run-program.ts";

/** One package to install. */
export interface Installation {
	readonly request: PackageRequest;
	readonly installer: Installer;
	/** Where it belongs once it is complete. */
	readonly folder: string;
	/** The installer's environment. */
	readonly env: Readonly<Record<string, string>>;
	/** The server that asked first, for the ledger of processes. */
	readonly server: string;
	readonly signal: AbortSignal;
	readonly deadline_ms: number;
	readonly spawner: Spawner;
	readonly clock: Clock;
	readonly random: Random;
}

/** A folder of an installation that was cut off is removed when it is this old. */
const abandoned_ms = 15 * 60_000;
const temporary_prefix = ".tmp-";
/** Somebody else may put a damaged folder back in between; not for ever. */
const moves_max = 3;

/**
 * Installs into a temporary folder and moves that into place when it is complete, so that a
 * folder in place is always whole, whoever else installs the same at the same time.
 */
export async function install(
	installation: Installation,
): Promise<Result<Installed, InstallFailure>> {
	const { request, installer, folder } = installation;
	const parent = dirname(folder);
	const temporary = join(parent, temporaryName(installation.random));
	try {
		await mkdir(temporary, { recursive: true, mode: 0o700 });
		await removeAbandoned(parent, installation.clock);
		const done = await installer.install(request, temporary, runner(installation, temporary));
		if (!done.ok) {
			return done;
		}
		const installed: Installed = {
			format: 1,
			request: describeRequest(request),
			...done.value,
		};
		await writeInstalled(temporary, installed);
		return succeed(await moveIntoPlace(temporary, folder, installation.random, installed));
	} catch (error) {
		return fail(folderFailure(error));
	} finally {
		await rm(temporary, { recursive: true, force: true }).catch(() => {});
	}
}

function temporaryName(random: Random): string {
	return temporary_prefix + random.bytes(6).toString("hex");
}

function runner(installation: Installation, cwd: string): RunInstaller {
	const { spawner, clock, env, server, signal, deadline_ms } = installation;
	return async ([command = "", ...args], settings) => {
		const outcome = await runProgram(spawner, clock, {
			server,
			command,
			args,
			env: { ...env, ...settings },
			cwd,
			deadline_ms,
			signal,
		});
		if (outcome.ok) {
			return outcome;
		}
		switch (outcome.problem.kind) {
			case "late": {
				const line = `it took longer than ${Math.round(deadline_ms / 1000)} seconds`;
				return fail({ kind: "late", line });
			}
			case "aborted":
				return fail({ kind: "aborted", line: "it was given up" });
			case "fault": {
				const { message, detail } = outcome.problem.fault;
				return fail({ kind: "other", line: message, detail });
			}
		}
	};
}

async function moveIntoPlace(
	temporary: string,
	folder: string,
	random: Random,
	installed: Installed,
): Promise<Installed> {
	for (let left = moves_max; ; left -= 1) {
		try {
			await rename(temporary, folder);
			return installed;
		} catch (error) {
			const code = (error as NodeJS.ErrnoException).code;
			if (left === 0 || (code !== "ENOTEMPTY" && code !== "EEXIST")) {
				throw error;
			}
		}
		// Another process was faster; what it made is as good as ours, unless it is damaged.
		const other = await readInstalled(folder);
		if (other !== undefined) {
			return other;
		}
		const aside = join(dirname(folder), temporaryName(random));
		await rename(folder, aside);
		await rm(aside, { recursive: true, force: true });
	}
}

async function removeAbandoned(parent: string, clock: Clock): Promise<void> {
	for (const name of await readdir(parent)) {
		if (!name.startsWith(temporary_prefix)) {
			continue;
		}
		const path = join(parent, name);
		const stats = await stat(path).catch(() => undefined);
		if (stats !== undefined && clock.now() - stats.mtimeMs > abandoned_ms) {
			await rm(path, { recursive: true, force: true });
		}
	}
}

/** The data folder itself is at fault. */
function folderFailure(error: unknown): InstallFailure {
	const { code = "", message: detail } = error as NodeJS.ErrnoException;
	switch (code) {
		case "ENOSPC":
		case "EDQUOT":
			return { kind: "disk_full", line: code, detail };
		case "EACCES":
		case "EPERM":
		case "EROFS":
			return { kind: "no_permission", line: code, detail };
		default:
			return { kind: "other", line: code, detail };
	}
}
