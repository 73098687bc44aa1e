import type { FlagTable, ScannedFlags } from "./flags.ts";
import { hasFlag, scanFlags, valuesOf } from "./flags.ts";
import { parseNpmSpec } from "./npm-spec.ts";
import type { Recognition } from "./request.ts";
import { other_command } from "./request.ts";

/**
 * Command lines that run a package of the npm registry: `npx`, `npm exec`, `bunx`, `pnpm dlx`,
 * `yarn dlx` and their other spellings. What is not fully understood is left to the launcher.
 */

/** One launcher's way of writing. */
interface Dialect {
	readonly launcher: string;
	readonly flags: FlagTable;
	/** Flags that change what is run in a way only the launcher knows. */
	readonly left_alone: readonly string[];
	/** Flags that npm's installer understands as well; handed on to it. */
	readonly handed_on: readonly string[];
}

const npm_switches = words(
	"y,yes,q,quiet,s,silent,d,dd,ddd,verbose,prefer-offline,prefer-online,offline,no,no-install," +
		"ignore-existing,ignore-scripts,legacy-peer-deps,force,f,no-fund,no-audit",
);

function words(text: string): ReadonlySet<string> {
	return new Set(text.split(","));
}

const npx: Dialect = {
	launcher: "npx",
	flags: {
		switches: npm_switches,
		valued: words("p,package,registry,cache,userconfig,loglevel,c,call"),
	},
	left_alone: ["c", "call", "no", "no-install"],
	handed_on: ["registry", "cache", "userconfig", "offline", "legacy-peer-deps"],
};
const npm_exec: Dialect = { ...npx, launcher: "npm exec" };
const bunx: Dialect = {
	launcher: "bunx",
	flags: { switches: words("bun,silent,verbose,y,no-install"), valued: words("p,package") },
	left_alone: ["bun", "no-install"],
	handed_on: [],
};
const pnpm_dlx: Dialect = {
	launcher: "pnpm dlx",
	flags: {
		switches: words("silent,s,c,shell-mode"),
		valued: words("package,reporter,loglevel,registry,allow-build"),
	},
	left_alone: ["c", "shell-mode", "allow-build"],
	handed_on: ["registry"],
};
const yarn_dlx: Dialect = {
	launcher: "yarn dlx",
	flags: { switches: words("q,quiet"), valued: words("p,package") },
	left_alone: [],
	handed_on: [],
};

/** Recognizes a command line by its program's plain name (no folder, no extension). */
export function recognizeNpmCommand(program: string, args: readonly string[]): Recognition {
	switch (program) {
		case "npx":
			return recognize(npx, scanFlags(args, npx.flags));
		case "npm":
			return recognizeNpmExec(args);
		case "bunx":
			return recognize(bunx, scanFlags(args, bunx.flags));
		case "bun":
			return args[0] === "x"
				? recognize(bunx, scanFlags(args.slice(1), bunx.flags))
				: other_command;
		case "pnpx":
			return recognize(pnpm_dlx, scanFlags(args, pnpm_dlx.flags));
		case "pnpm":
			return recognizeBehind("dlx", pnpm_dlx, args);
		case "yarn":
			return args[0] === "dlx"
				? recognize(yarn_dlx, scanFlags(args.slice(1), yarn_dlx.flags))
				: other_command;
		default:
			return other_command;
	}
}

/** npm takes flags anywhere before `--`, behind the package as well. */
function recognizeNpmExec(args: readonly string[]): Recognition {
	const before = scanFlags(args, npm_exec.flags);
	if (before === undefined || !["exec", "x"].includes(before.rest[0] ?? "")) {
		return other_command;
	}
	const separator = before.rest.indexOf("--");
	const head = separator === -1 ? before.rest.slice(1) : before.rest.slice(1, separator);
	const tail = separator === -1 ? [] : before.rest.slice(separator + 1);
	const flags = [...before.flags];
	const positionals: string[] = [];
	for (let left = head; left.length > 0; ) {
		const scanned = scanFlags(left, npm_exec.flags);
		if (scanned === undefined) {
			return other_command;
		}
		flags.push(...scanned.flags);
		positionals.push(...scanned.rest.slice(0, 1));
		left = scanned.rest.slice(1);
	}
	return recognize(npm_exec, { flags, rest: [...positionals, ...tail] });
}

/** pnpm takes the flags of `dlx` in front of the word as well. */
function recognizeBehind(word: string, dialect: Dialect, args: readonly string[]): Recognition {
	const before = scanFlags(args, dialect.flags);
	if (before?.rest[0] !== word) {
		return other_command;
	}
	const after = scanFlags(before.rest.slice(1), dialect.flags);
	return recognize(
		dialect,
		after && { flags: [...before.flags, ...after.flags], rest: after.rest },
	);
}

function recognize(dialect: Dialect, scanned: ScannedFlags | undefined): Recognition {
	const first = scanned?.rest[0];
	if (
		scanned === undefined ||
		first === undefined ||
		hasFlag(scanned.flags, ...dialect.left_alone)
	) {
		return other_command;
	}
	const named = valuesOf(scanned.flags, "p", "package");
	const packages = named.length > 0 ? named : [first];
	for (const text of packages) {
		const parsed = parseNpmSpec(text);
		if (parsed.kind === "remote") {
			return { kind: "refused", reason: refusal(text, parsed.what) };
		}
		if (parsed.kind !== "registry") {
			return other_command;
		}
	}
	return {
		kind: "package",
		request: {
			ecosystem: "npm",
			launcher: dialect.launcher,
			packages,
			program: named.length > 0 ? first : undefined,
			options: scanned.flags
				.filter(({ name }) => dialect.handed_on.includes(name))
				.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`)),
			adds_path: named.length > 0,
			args: scanned.rest.slice(1),
		},
	};
}

/** Why an address is not installed: what it holds tomorrow is not what it holds today. */
export function refusal(text: string, what: string): string {
	return (
		`${withoutCredentials(text)} is ${what}; Moorage installs packages from a registry only. ` +
		"Name the published package, or clone it and give the command of the checkout."
	);
}

/** An address without the name and password that may stand in it. */
export function withoutCredentials(text: string): string {
	return text.replace(/\/\/[^/@\s]+@/gu, "//");
}
