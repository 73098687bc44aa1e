import type { Environment } from "../../lib/environment.ts";

/** Settings of a server's own environment that decide where and how its package is installed. */
const setting_pattern =
	/^(?:npm_config_|uv_|pip_)|^(?:node_extra_ca_certs|ssl_cert_(?:file|dir)|(?:https?|all|no)_proxy|path)$/iu;
/** Those that say what is installed, and are no secrets: a change of them installs anew. */
const source_pattern =
	/^(?:npm_config_(?:registry|before|tag)|uv_(?:index|default_index|index_url|extra_index_url|find_links|python|prerelease|resolution|exclude_newer))$/iu;
/** What `npm start` adds for its own script: settings of that project, not of this machine. */
const foreign_pattern = /^npm_/iu;
/** Of those, the ones that come from the machine as well. */
const kept_pattern =
	/^npm_config_(?:cache|userconfig|globalconfig|registry|proxy|https_proxy|noproxy|ca|cafile|strict_ssl|offline|prefer_offline|fetch_.*)$/iu;

/**
 * The environment of an installer. Unlike a server it gets the gateway's own, because
 * registries, proxies and certificates are set there; but not `NODE_OPTIONS`, not what an `npm
 * start` around the gateway has added, and of the server's settings only those for installing:
 * its secrets are no business of an installer.
 */
export function installEnvironment(
	environment: Environment,
	spec_env: Readonly<Record<string, string>>,
): Record<string, string> {
	const result: Record<string, string> = {};
	const inside_npm = environment["npm_lifecycle_event"] !== undefined;
	for (const [name, value] of Object.entries(environment)) {
		const foreign = inside_npm && foreign_pattern.test(name) && !kept_pattern.test(name);
		if (value !== undefined && name !== "NODE_OPTIONS" && !foreign) {
			result[name] = value;
		}
	}
	for (const [name, value] of Object.entries(spec_env)) {
		if (setting_pattern.test(name)) {
			result[name] = value;
		}
	}
	return { ...result, NO_COLOR: "1" };
}

/** What a server's own settings say of where its package comes from, in one order. */
export function sourceSettings(spec_env: Readonly<Record<string, string>>): string[] {
	return Object.entries(spec_env)
		.filter(([name]) => source_pattern.test(name))
		.map(([name, value]) => `${name.toLowerCase()}=${value}`)
		.sort();
}
