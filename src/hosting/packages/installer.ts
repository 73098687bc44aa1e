import type { Result } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { LockEntry } from "./lock-entry.ts";
import type { PackageRequest } from "./request.ts";
import type { ProgramOutput } from "./run-program.ts";

/** A package manager that can install a request into a folder of its own. */
export interface Installer {
	/** For progress lines: `npm`, `uv`. */
	readonly name: string;
	/**
	 * Finds out what a request means today. The folder is empty, and holds the installation
	 * afterwards when `installed` says so.
	 */
	lock(
		request: PackageRequest,
		work: InstallWork,
	): Promise<Result<{ entry: LockEntry; installed: boolean }, InstallFailure>>;
	/** Installs exactly what is locked into an empty folder. */
	restore(
		entry: LockEntry,
		request: PackageRequest,
		work: InstallWork,
	): Promise<Result<void, InstallFailure>>;
	/** Runs the install scripts of those packages, and only those. */
	runScripts(names: readonly string[], work: InstallWork): Promise<Result<void, InstallFailure>>;
}

/** What an installation is done with. */
export interface InstallWork {
	readonly folder: string;
	/** Packages whose install scripts may run. */
	readonly scripts: readonly string[];
	/** Runs the package manager's program in the folder, with settings on top of its environment. */
	readonly run: RunInstaller;
}

/** Runs a program; an exit code that is not zero is no failure yet. */
export type RunInstaller = (
	command: readonly string[],
	settings: Readonly<Record<string, string>>,
) => Promise<Result<ProgramOutput, InstallFailure>>;
