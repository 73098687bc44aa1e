import type { Environment } from "../../lib/environment.ts";
import type { Confinement } from "../../upstreams/driver.ts";

/**
 * What a server inherits from the gateway. Everything else stays behind: the gateway's own
 * settings and other servers' secrets are none of a server's business, and `NODE_OPTIONS` or
 * `NODE_EXTRA_CA_CERTS` meant for the gateway would change or slow down every Node server.
 */
const inherited_names: ReadonlySet<string> = new Set([
	"PATH",
	"HOME",
	"LANG",
	"LANGUAGE",
	"TZ",
	"TMPDIR",
	"USER",
	"LOGNAME",
	"SHELL",
	"TERM",
	// Where a user keeps files, in the words of the XDG base directory specification.
	"XDG_CACHE_HOME",
	"XDG_CONFIG_HOME",
	"XDG_DATA_HOME",
	// Behind a proxy nothing works without these, in both spellings.
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"NO_PROXY",
	"ALL_PROXY",
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"all_proxy",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
]);

/** Windows programs do not start, or find no home, without these. Names there ignore case. */
const inherited_names_windows: ReadonlySet<string> = new Set([
	"APPDATA",
	"COMSPEC",
	"HOMEDRIVE",
	"HOMEPATH",
	"LOCALAPPDATA",
	"PATHEXT",
	"PROCESSOR_ARCHITECTURE",
	"PROGRAMDATA",
	"PROGRAMFILES",
	"SYSTEMDRIVE",
	"SYSTEMROOT",
	"TEMP",
	"TMP",
	"USERNAME",
	"USERPROFILE",
	"WINDIR",
]);

/**
 * The complete environment of a hosted program: a small part of the gateway's own, then what
 * the server's configuration sets, which always wins.
 *
 * `SHLVL` is set because bash takes a standard input that is a socket (as Node's pipes are)
 * for a remote login and runs the user's `.bashrc` first, unless it is a nested shell.
 */
export function childEnvironment(
	environment: Environment,
	spec_env: Readonly<Record<string, string>>,
	platform: NodeJS.Platform = process.platform,
): Record<string, string> {
	const result: Record<string, string> = platform === "win32" ? {} : { SHLVL: "1" };
	for (const [name, value] of Object.entries(environment)) {
		if (value === undefined || !isInherited(name, platform)) {
			continue;
		}
		// An exported shell function: code, not a setting.
		if (value.startsWith("()")) {
			continue;
		}
		result[name] = value;
	}
	return { ...result, ...spec_env };
}

/** How a program learns of the folders that are its own. */
export function folderEnvironment(
	{ volume, temp }: Pick<Confinement, "volume" | "temp">,
	platform: NodeJS.Platform = process.platform,
): Record<string, string> {
	const temps = platform === "win32" ? { TEMP: temp, TMP: temp } : { TMPDIR: temp };
	return { MOORAGE_VOLUME: volume, ...temps };
}

function isInherited(name: string, platform: NodeJS.Platform): boolean {
	if (platform === "win32") {
		const upper = name.toUpperCase();
		return inherited_names.has(upper) || inherited_names_windows.has(upper);
	}
	return inherited_names.has(name) || name.startsWith("LC_");
}
