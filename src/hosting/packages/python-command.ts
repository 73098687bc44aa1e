import type { Flag, FlagTable } from "./flags.ts";
import { scanFlags, valuesOf } from "./flags.ts";
import { refusal } from "./npm-command.ts";
import type { Recognition } from "./request.ts";
import { other_command } from "./request.ts";

/**
 * Command lines that run a package of the Python package index: `uvx`, `uv tool run` and
 * `pipx run`. What is not fully understood is left to the launcher.
 */

function words(text: string): ReadonlySet<string> {
	return new Set(text.split(","));
}

const uvx_flags: FlagTable = {
	switches: words(
		"q,quiet,v,verbose,isolated,n,no-cache,no-progress,refresh,U,upgrade,reinstall,offline," +
			"no-config,native-tls,system-certs,managed-python,no-managed-python," +
			"no-python-downloads,no-index,no-env-file",
	),
	valued: words(
		"from,w,with,p,python,index,default-index,i,index-url,extra-index-url,f,find-links," +
			"index-strategy,prerelease,resolution,exclude-newer,cache-dir,config-file,color," +
			"allow-insecure-host,keyring-provider",
	),
};
/** Flags of `uvx` that `uv tool install` has too and that change what is installed. */
const uvx_handed_on: readonly string[] = [
	"python",
	"index",
	"default-index",
	"index-url",
	"extra-index-url",
	"find-links",
	"index-strategy",
	"prerelease",
	"resolution",
	"exclude-newer",
	"cache-dir",
	"config-file",
	"allow-insecure-host",
	"keyring-provider",
	"offline",
	"no-config",
	"native-tls",
	"system-certs",
	"managed-python",
	"no-managed-python",
	"no-python-downloads",
	"no-index",
	"no-cache",
];
const short_names: Readonly<Record<string, string>> = {
	p: "python",
	i: "index-url",
	f: "find-links",
	n: "no-cache",
};

const pipx_flags: FlagTable = {
	switches: words("no-cache,q,quiet,verbose,v,fetch-missing-python"),
	valued: words("spec,python,i,index-url,with"),
};

/** `name`, `[extras]`, and the rest: a version range, or an `@` with something behind it. */
const requirement_pattern = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(\[[^\]]*\])?\s*(.*)$/su;
const requirement_length_max = 300;

/** Recognizes a command line by its program's plain name (no folder, no extension). */
export function recognizePythonCommand(program: string, args: readonly string[]): Recognition {
	if (program === "uvx") {
		return recognizeUvx("uvx", args);
	}
	if (program === "uv" && args[0] === "tool" && args[1] === "run") {
		return recognizeUvx("uv tool run", args.slice(2));
	}
	if (program === "pipx" && args[0] === "run") {
		return recognizePipx(args.slice(1));
	}
	return other_command;
}

function recognizeUvx(launcher: string, args: readonly string[]): Recognition {
	const scanned = scanFlags(args, uvx_flags);
	const first = scanned?.rest[0];
	if (scanned === undefined || first === undefined) {
		return other_command;
	}
	const with_packages = valuesOf(scanned.flags, "w", "with").flatMap((list) => list.split(","));
	return recognize({
		launcher,
		from: valuesOf(scanned.flags, "from").at(-1),
		first,
		with_packages,
		options: handedOn(scanned.flags),
		args: scanned.rest.slice(1),
	});
}

function recognizePipx(args: readonly string[]): Recognition {
	const scanned = scanFlags(args, pipx_flags);
	const first = scanned?.rest[0];
	if (scanned === undefined || first === undefined) {
		return other_command;
	}
	return recognize({
		launcher: "pipx run",
		from: valuesOf(scanned.flags, "spec").at(-1),
		first,
		with_packages: valuesOf(scanned.flags, "with"),
		options: handedOn(scanned.flags),
		args: scanned.rest.slice(1),
	});
}

function handedOn(flags: readonly Flag[]): string[] {
	return flags.flatMap(({ name, value }) => {
		const long = short_names[name] ?? name;
		if (!uvx_handed_on.includes(long)) {
			return [];
		}
		return [value === undefined ? `--${long}` : `--${long}=${value}`];
	});
}

interface PythonParts {
	readonly launcher: string;
	readonly from: string | undefined;
	readonly first: string;
	readonly with_packages: readonly string[];
	readonly options: readonly string[];
	readonly args: readonly string[];
}

function recognize(parts: PythonParts): Recognition {
	const texts = [parts.from ?? parts.first, ...parts.with_packages].map((text) => text.trim());
	const remote = texts.find(isRemote);
	if (remote !== undefined) {
		const what = /git/iu.test(remote) ? "a git address" : "a web address";
		return { kind: "refused", reason: refusal(remote, what) };
	}
	const requirements = texts.map(parseRequirement);
	const main = requirements[0];
	// `uvx python` means the interpreter, not a package.
	if (main === undefined || requirements.includes(undefined) || /^python[\d.]*$/u.test(main.name)) {
		return other_command;
	}
	if (parts.from !== undefined && parts.first.includes("/")) {
		return other_command;
	}
	return {
		kind: "package",
		request: {
			ecosystem: "pypi",
			launcher: parts.launcher,
			packages: requirements.flatMap((requirement) => requirement?.text ?? []),
			program: parts.from === undefined ? undefined : parts.first,
			options: parts.options,
			adds_path: false,
			args: parts.args,
		},
	};
}

function isRemote(text: string): boolean {
	return /:\/\/|^git\+|@\s*git\+|^(?:git|ssh):/iu.test(text);
}

/** A requirement in the index's own form; undefined for a local path and what is none. */
export function parseRequirement(
	text: string,
): { readonly name: string; readonly text: string } | undefined {
	if (text.length > requirement_length_max || /[/\\\p{Cc}]/u.test(text)) {
		return undefined;
	}
	const match = requirement_pattern.exec(text);
	if (match === null) {
		return undefined;
	}
	const [, name = "", extras = "", rest = ""] = match;
	if (rest === "") {
		return { name, text: name + extras };
	}
	if (rest.startsWith("@")) {
		// uvx's own form, name@version: the version alone, or the newest.
		const version = rest.slice(1).trim();
		const exact = /^[A-Za-z0-9][A-Za-z0-9.!+*_-]*$/u.test(version);
		const suffix = version === "latest" ? "" : `==${version}`;
		return exact ? { name, text: name + extras + suffix } : undefined;
	}
	return /^(?:[<>=!~]=?|===)/u.test(rest) ? { name, text: name + extras + rest } : undefined;
}
