import type { Result } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { Installed } from "./installed.ts";
import type { PackageRequest } from "./request.ts";
import type { ProgramOutput } from "./run-program.ts";

/** A package manager that can install a request into a folder of its own. */
export interface Installer {
	/** For progress lines: `npm`, `uv`. */
	readonly name: string;
	/** Installs into an empty folder, which is moved elsewhere afterwards. */
	install(
		request: PackageRequest,
		folder: string,
		run: RunInstaller,
	): Promise<Result<InstalledParts, InstallFailure>>;
}

/** What an installer finds out; the rest is the same for all. */
export type InstalledParts = Omit<Installed, "format" | "request">;

/** Runs the package manager's program in the folder, with settings on top of its environment. */
export type RunInstaller = (
	command: readonly string[],
	settings: Readonly<Record<string, string>>,
) => Promise<Result<ProgramOutput, InstallFailure>>;
