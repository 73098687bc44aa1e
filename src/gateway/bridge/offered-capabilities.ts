import { readJsonText } from "../../wire/object.ts";

/**
 * What a legacy server is told its client can do. Servers act on it: they offer other tools,
 * and they send requests the client has to answer. So it is exactly what the client said, and
 * clients that can do different things use different instances.
 */

/** Distinct sets of capabilities one server is started for; later ones get a plain instance. */
export const profiles_per_server_max = 16;

/** A longer declaration is not passed on: no real client has one. */
const capabilities_chars_max = 8 * 1024;
const cached_max = 1024;

const no_capabilities = "{}";

/** Finds the capabilities to start a server with, for a client's declaration. */
export class OfferedCapabilities {
	readonly #canonical = new Map<string, string>();
	readonly #profiles = new Map<string, Set<string>>();

	/**
	 * The canonical form of what the client declared: equal declarations share an instance
	 * whatever their order of members. The number of profiles is bounded, because a caller
	 * must not be able to start any number of processes by declaring ever new things.
	 */
	offer(server: string, client_capabilities: string): string {
		const canonical = this.#canonicalOf(client_capabilities);
		if (canonical === no_capabilities) return no_capabilities;
		let profiles = this.#profiles.get(server);
		if (profiles === undefined) {
			profiles = new Set();
			this.#profiles.set(server, profiles);
		}
		if (profiles.has(canonical)) return canonical;
		if (profiles.size >= profiles_per_server_max) return no_capabilities;
		profiles.add(canonical);
		return canonical;
	}

	/** Forgets a server that is gone or changed. */
	forget(server: string): void {
		this.#profiles.delete(server);
	}

	#canonicalOf(declared: string): string {
		if (declared === no_capabilities) return no_capabilities;
		const cached = this.#canonical.get(declared);
		if (cached !== undefined) return cached;
		const canonical = canonicalise(declared);
		if (this.#canonical.size >= cached_max) this.#canonical.clear();
		this.#canonical.set(declared, canonical);
		return canonical;
	}
}

/** Members that make a server behave differently towards a client. */
const passed_on = ["elicitation", "extensions", "roots", "sampling"];

function canonicalise(declared: string): string {
	if (declared.length > capabilities_chars_max) return no_capabilities;
	const parsed = readJsonText(declared) as Record<string, unknown>;
	const offered: Record<string, unknown> = {};
	for (const name of passed_on) {
		const value = parsed[name];
		if (typeof value !== "object" || value === null) continue;
		// Roots are asked for when they are needed; no change notification crosses the bridge.
		offered[name] = name === "roots" ? {} : sorted(value);
	}
	return JSON.stringify(offered);
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
