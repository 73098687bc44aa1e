import { stripVTControlCharacters } from "node:util";
import { withoutCredentials } from "./npm-command.ts";

/** Why an installation failed, as far as what to do about it differs. */
export type FailureKind =
	| "offline"
	| "not_found"
	| "no_version"
	| "integrity"
	| "disk_full"
	| "refused"
	| "certificate"
	| "no_permission"
	| "no_python"
	| "no_program"
	| "platform"
	| "no_wheel"
	| "changed"
	| "no_checksum"
	| "lock_damaged"
	| "entry_damaged"
	| "damaged"
	| "late"
	| "aborted"
	| "other";

/** One failed installation. */
export interface InstallFailure {
	readonly kind: FailureKind;
	/** The last meaningful line the installer wrote; empty when it wrote none. */
	readonly line: string;
	/** For the log only. */
	readonly detail?: string | undefined;
}

const line_length_max = 300;

const advice: Readonly<Record<FailureKind, string>> = {
	offline:
		"The package registry could not be reached. Check the network and the proxy settings; " +
		"Moorage tries again by itself.",
	not_found: "There is no such package. Correct its name in the configuration.",
	no_version: "There is no such version. Correct it in the configuration, or leave it out.",
	integrity:
		"What was downloaded does not match its checksum. Empty the package manager's cache and " +
		"try again; if that does not help, do not trust the package.",
	disk_full: "The disk is full. Free some space; Moorage tries again by itself.",
	refused: "The registry refused access. Log in to it with the package manager, then try again.",
	certificate:
		"The registry's certificate is not trusted here. Point NODE_EXTRA_CA_CERTS (npm) or " +
		"SSL_CERT_FILE (uv) to the missing authority's certificate.",
	no_permission:
		"A file or folder may not be written. Give this user its rights; " +
		"Moorage tries again by itself.",
	no_python:
		"The Python version asked for is not there. Install it, or ask for another in the " +
		"configuration.",
	no_program: "Name the program to run in the configuration.",
	platform: "The package does not run on this machine. Name another, or run it on another.",
	no_wheel:
		"The package has to be built here, which runs its author's code. Name it under " +
		'"packages: scripts:" if you trust it, or ask for a version that is published ready to use.',
	changed:
		"The registry gives something else under a version that is locked, so it was refused. If " +
		"you know why and trust it, remove the entry from moorage.lock.",
	no_checksum:
		"What cannot be checked is not installed. Ask whoever runs the registry for checksums.",
	damaged: "The package is published without it; choose another version or program.",
	lock_damaged:
		"Nothing was changed. Restore the file from version control or a backup, or remove what " +
		"is wrong from it: that is resolved anew then. Servers without a package run meanwhile.",
	entry_damaged:
		"Nothing was changed. Restore the entry from version control or a backup, or have it resolved " +
		"anew with `moorage deploy NAME --update`. Other servers are not concerned.",
	late: "The network may be slow, or the package very large; Moorage tries again by itself.",
	aborted: "It is tried again when the server is wanted again.",
	other: "Try the command by hand to see more; Moorage tries again by itself.",
};

/**
 * The sentence for a person: what failed, in the installer's own words, and what to do, for the
 * server that it concerns where that is known.
 */
export function failureSentence(what: string, failure: InstallFailure, server = "NAME"): string {
	const said = failure.line === "" ? "" : `: ${failure.line.replace(/[.\s]+$/u, "")}`;
	const next = advice[failure.kind].replaceAll("NAME", server);
	return `Installing ${what} failed${said}. ${next}`;
}

const npm_codes: Readonly<Record<string, FailureKind>> = {
	E404: "not_found",
	ETARGET: "no_version",
	ENOVERSIONS: "no_version",
	EINTEGRITY: "integrity",
	EBADPLATFORM: "platform",
	ENOSPC: "disk_full",
	EDQUOT: "disk_full",
	E401: "refused",
	E403: "refused",
	ENEEDAUTH: "refused",
	EACCES: "no_permission",
	EPERM: "no_permission",
	EROFS: "no_permission",
	CERT_HAS_EXPIRED: "certificate",
	DEPTH_ZERO_SELF_SIGNED_CERT: "certificate",
	SELF_SIGNED_CERT_IN_CHAIN: "certificate",
	UNABLE_TO_GET_ISSUER_CERT: "certificate",
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate",
	EAI_AGAIN: "offline",
	ECONNREFUSED: "offline",
	ECONNRESET: "offline",
	EHOSTUNREACH: "offline",
	EIDLETIMEOUT: "offline",
	ENETUNREACH: "offline",
	ENOTCACHED: "offline",
	ENOTFOUND: "offline",
	ERR_SOCKET_TIMEOUT: "offline",
	ETIMEDOUT: "offline",
	FETCH_ERROR: "offline",
};

/**
 * Reads why npm failed. With `--json` it prints `{ error: { code, summary } }`; where it dies
 * too early for that, its lines `npm error code ...` have to do.
 */
export function explainNpm(stdout: string, stderr: string): InstallFailure {
	const reported = parseNpmError(stdout);
	const lines = meaningfulLines(stderr)
		.filter((line) => !/^npm (?:warn|notice|verbose)\b/iu.test(line))
		.map((line) => line.replace(/^npm (?:error|ERR!)\s*/u, ""))
		.filter((line) => line !== "" && !line.startsWith("A complete log of this run"));
	const code =
		reported?.code ||
		lines.map((line) => /^code (\S+)$/u.exec(line)?.[1]).find(Boolean) ||
		// npm may die of this before it can say so in its own way.
		/\b(?:ENOSPC|EDQUOT)\b/u.exec(stderr)?.[0] ||
		"";
	const spoken = lines.filter((line) => !/^(?:code|errno|syscall|path) /u.test(line));
	return {
		kind: npm_codes[code] ?? "other",
		line: clean(reported?.summary || spoken.at(-1) || code),
	};
}

function parseNpmError(stdout: string): { code: string; summary: string } | undefined {
	const start = stdout.indexOf("{");
	if (start === -1) {
		return undefined;
	}
	try {
		const { error } = JSON.parse(stdout.slice(start)) as { error?: Record<string, unknown> };
		const code = typeof error?.["code"] === "string" ? error["code"] : "";
		const summary = typeof error?.["summary"] === "string" ? error["summary"] : "";
		const first = summary.split("\n").find((line) => line.trim() !== "") ?? "";
		return error === undefined ? undefined : { code, summary: first };
	} catch {
		return undefined;
	}
}

/** The first that matches decides: the more telling ones come first. */
const uv_patterns: readonly (readonly [FailureKind, RegExp])[] = [
	["disk_full", /No space left on device|Disk quota exceeded/iu],
	["integrity", /Hash mismatch/iu],
	["no_wheel", /ha(?:s|ve) no usable wheels|requires building from source/iu],
	[
		"platform",
		/(?:no|any) wheels? (?:with|for) a?.*(?:platform|ABI|implementation)|no wheel for/iu,
	],
	["not_found", /was not found in the (?:package registry|provided package locations)/iu],
	["no_python", /No interpreter found|No download found for request|Python.*not available/iu],
	[
		"no_python",
		/(?:current|requested) Python version .* does not satisfy|requires Python [<>=!~]/iu,
	],
	["no_version", /there (?:is|are) (?:no|only) .*version|no version of|no versions of/iu],
	["certificate", /invalid peer certificate|UnknownIssuer|certificate verify failed/iu],
	["refused", /\b(?:401 Unauthorized|403 Forbidden)\b/iu],
	["no_program", /No executables are provided/iu],
	["no_permission", /Permission denied|Read-only file system/iu],
	[
		"offline",
		/client error \(Connect\)|dns error|Failed to fetch|not found in the cache|network was disabled|timed? ?out|offline/iu,
	],
];

/** Reads why uv failed: `error: ...` and below it the chain of causes, the root last. */
export function explainUv(stdout: string, stderr: string): InstallFailure {
	const lines = meaningfulLines(`${stdout}\n${stderr}`).filter(
		(line) => !/^(?:hint|warning):/iu.test(line),
	);
	const text = lines.join("\n");
	const kind = uv_patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
	const causes = lines.filter((line) =>
		/^(?:error:|cause:|caused by:|╰─▶|├─▶|No executables are provided)/iu.test(line),
	);
	const root = kind === "no_program" ? causes[0] : causes.at(-1);
	return {
		kind,
		line: clean((root ?? lines.at(-1) ?? "").replace(/^(?:error|cause|caused by):\s*/iu, "")),
	};
}

function meaningfulLines(text: string): string[] {
	return text
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "");
}

/** One line without credentials, escape sequences or more length than a sentence bears. */
function clean(line: string): string {
	const plain = withoutCredentials(stripVTControlCharacters(line))
		.replace(/[\s\p{Cc}]+/gu, " ")
		.trim();
	return plain.length > line_length_max ? `${plain.slice(0, line_length_max)}…` : plain;
}
