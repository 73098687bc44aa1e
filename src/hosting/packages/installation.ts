import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import { contentsDigest } from "./contents.ts";
import type { InstallFailure } from "./failure.ts";
import type { Installed } from "./installed.ts";
import { folderName, readInstalled, writeInstalled } from "./installed.ts";
import type { Installer, InstallWork, RunInstaller } from "./installer.ts";
import type { LockEntry } from "./lock-entry.ts";
import { scriptedPackages } from "./npm-tree.ts";
import { platformName } from "./platform.ts";
import { normal } from "./python-tree.ts";
import type { PackageRequest } from "./request.ts";
import { runProgram } from "./run-program.ts";

/** One package to install. */
export interface Installation {
	readonly request: PackageRequest;
	readonly installer: Installer;
	/** What is locked; undefined when it has to be found out. */
	readonly entry: LockEntry | undefined;
	/** Locks what was found out; the entry that comes back is the one to install. */
	accept(entry: LockEntry): Promise<Result<LockEntry, InstallFailure>>;
	/** Packages whose install scripts may run. */
	readonly scripts: readonly string[];
	/** Absolute folder that holds the installations of the ecosystem. */
	readonly root: string;
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

/** An installation in place. */
export interface InstalledTree {
	readonly entry: LockEntry;
	readonly folder: string;
	readonly installed: Installed;
}

/** A folder of an installation that was cut off is removed when it is this old. */
const abandoned_ms = 15 * 60_000;
/** How the folders start that are no installations yet, or no more. */
export const temporary_prefix = ".tmp-";
/** Somebody else may put a damaged folder back in between; not for ever. */
const moves_max = 3;

/** The scripts that a tree has and that may run. */
export function allowedScripts(entry: LockEntry, scripts: readonly string[]): string[] {
	if (entry.ecosystem === "npm") {
		return scriptedPackages(entry).filter((name) => scripts.includes(name));
	}
	const names = Object.keys(entry.tree).map((text) => normal(text.split("==")[0] ?? ""));
	return scripts.map(normal).filter((name) => names.includes(name));
}

function skippedScripts(entry: LockEntry, allowed: readonly string[]): string[] {
	const scripted = entry.ecosystem === "npm" ? scriptedPackages(entry) : [];
	return scripted.filter((name) => !allowed.includes(name));
}

/**
 * Installs into a temporary folder and moves that into place when it is complete, so that a
 * folder in place is always whole, whoever else installs the same at the same time.
 */
export async function install(
	installation: Installation,
): Promise<Result<InstalledTree, InstallFailure>> {
	const { installer, root, scripts } = installation;
	const temporary = join(root, temporaryName(installation.random));
	try {
		await mkdir(temporary, { recursive: true, mode: 0o700 });
		await removeAbandoned(root, installation.clock);
		const run = runner(installation, temporary);
		const work: InstallWork = { folder: temporary, scripts, run };
		const filled = await fill(installation, work);
		if (!filled.ok) {
			return filled;
		}
		const entry = filled.value;
		const allowed = allowedScripts(entry, scripts);
		if (allowed.length > 0) {
			const ran = await installer.runScripts(allowed, work);
			if (!ran.ok) {
				return ran;
			}
		}
		const installed: Installed = {
			format: 2,
			name: entry.name,
			version: entry.version,
			digest: entry.digest,
			platform: platformName(),
			scripts_run: allowed,
			scripts_skipped: skippedScripts(entry, allowed),
			contents: await contentsDigest(temporary),
		};
		await writeInstalled(temporary, installed);
		const folder = join(root, folderName(entry, allowed));
		const kept = await moveIntoPlace(temporary, folder, entry, installation.random);
		return succeed({ entry, folder, installed: kept ?? installed });
	} catch (error) {
		return fail(folderFailure(error));
	} finally {
		await rm(temporary, { recursive: true, force: true }).catch(() => {});
	}
}

/** Fills the folder with what is locked, or finds out what that is and locks it first. */
async function fill(
	installation: Installation,
	work: InstallWork,
): Promise<Result<LockEntry, InstallFailure>> {
	const { installer, request, entry } = installation;
	if (entry !== undefined) {
		return await restore(installation, entry, work);
	}
	const locked = await installer.lock(request, work);
	if (!locked.ok) {
		return locked;
	}
	const accepted = await installation.accept(locked.value.entry);
	if (!accepted.ok) {
		return accepted;
	}
	if (accepted.value.digest === locked.value.entry.digest && locked.value.installed) {
		return accepted;
	}
	for (const name of await readdir(work.folder)) {
		await rm(join(work.folder, name), { recursive: true, force: true });
	}
	return await restore(installation, accepted.value, work);
}

async function restore(
	{ installer, request }: Installation,
	entry: LockEntry,
	work: InstallWork,
): Promise<Result<LockEntry, InstallFailure>> {
	const restored = await installer.restore(entry, request, work);
	if (restored.ok) {
		return succeed(entry);
	}
	const { kind } = restored.problem;
	return fail(kind === "integrity" ? { ...restored.problem, kind: "changed" } : restored.problem);
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

/** Gives back what stands there already when somebody was faster, else undefined. */
async function moveIntoPlace(
	temporary: string,
	folder: string,
	entry: LockEntry,
	random: Random,
): Promise<Installed | undefined> {
	for (let left = moves_max; ; left -= 1) {
		try {
			await rename(temporary, folder);
			return undefined;
		} catch (error) {
			const code = (error as NodeJS.ErrnoException).code;
			if (left === 0 || (code !== "ENOTEMPTY" && code !== "EEXIST")) {
				throw error;
			}
		}
		// It is there already, and as good as ours unless it was damaged since.
		const other = await readInstalled(folder, entry);
		if (other !== undefined && (await contentsDigest(folder)) === other.contents) {
			return other;
		}
		const aside = join(dirname(folder), temporaryName(random));
		await rename(folder, aside);
		await rm(aside, { recursive: true, force: true });
	}
}

/** Removes what installations and preparations that were cut off have left. */
export async function removeAbandoned(parent: string, clock: Clock): Promise<void> {
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
