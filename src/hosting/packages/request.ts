/** One package to run, as a launcher's command line asked for it. */
export interface PackageRequest {
	readonly ecosystem: "npm" | "pypi";
	/** The launcher in the user's own words, for sentences: `npx`, `pnpm dlx`, `uvx`. */
	readonly launcher: string;
	/**
	 * What to install, as specifiers of the ecosystem. The first one is the package that is
	 * meant; others only have to be there.
	 */
	readonly packages: readonly string[];
	/** The program to run; undefined when the package decides, as in `npx PACKAGE`. */
	readonly program: string | undefined;
	/** Options for the installer: an index, a Python version. */
	readonly options: readonly string[];
	/** True when the package's other programs have to be on the server's PATH as well. */
	readonly adds_path: boolean;
	/** The server's own arguments. */
	readonly args: readonly string[];
}

/** What a command line is to the resolver. */
export type Recognition =
	| { readonly kind: "package"; readonly request: PackageRequest }
	/** A launcher asked for something that is not installed on purpose; the reason is a sentence. */
	| { readonly kind: "refused"; readonly reason: string }
	/** Not a launcher, or a launcher used in a way that is left to the launcher. */
	| { readonly kind: "other" };

/** A command line that the resolver leaves alone. */
export const other_command: Recognition = { kind: "other" };
