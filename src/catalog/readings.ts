import { createHash } from "node:crypto";
import type { ServerCatalog } from "./server-catalog.ts";

/**
 * The clients that one instance works for. What a server offers may depend on who they are and,
 * where it hears that once for good, on what they can do.
 */
export interface Audience {
	/** Who they are within the server's scope; empty for everybody. */
	readonly scope_key: string;
	/** What the server was told that they can do: raw JSON, canonical. */
	readonly capabilities: string;
	/** False where they are gone with a session, so that nothing is remembered of them. */
	readonly lasting: boolean;
}

/** Everybody, of whom nothing is known. */
export const base_audience: Audience = { scope_key: "", capabilities: "{}", lasting: true };

/** What tells one offer from another. */
type Offer = Pick<ServerCatalog, "hash" | "hashes">;

/** What an audience was last shown. */
export interface Reading extends Offer {
	/** Digests of the two parts of an audience. */
	readonly scope: string;
	readonly capabilities: string;
}

/** Most audiences of one server that are remembered. */
export const readings_max = 64;

/**
 * What a server has shown to which of its audiences. There is one catalog of a server; this
 * says for whom it stands.
 */
export class Readings {
	readonly #known = new Map<string, Reading & { readonly lasting: boolean }>();

	/** What is worth keeping between runs. */
	get lasting(): Reading[] {
		return [...this.#known.values()]
			.filter(({ lasting }) => lasting)
			.map(({ scope, capabilities, hash, hashes }) => ({ scope, capabilities, hash, hashes }));
	}

	/** Takes over what was kept. */
	restore(readings: readonly Reading[]): void {
		for (const reading of readings.slice(0, readings_max)) {
			this.#known.set(keyOf(reading), { ...reading, lasting: true });
		}
	}

	/** What an audience was last shown. */
	of(audience: Audience): Offer | undefined {
		return this.#known.get(keyOf(digested(audience)));
	}

	/**
	 * Remembers what an audience was shown; true when that is news that should be kept. When
	 * there are too many, one more that was shown what everybody is shown adds nothing.
	 */
	note(audience: Audience, { hash, hashes }: Offer, kept: Offer): boolean {
		const parts = digested(audience);
		const key = keyOf(parts);
		const before = this.#known.get(key);
		if (before?.hash === hash) return false;
		if (before === undefined && this.#known.size >= readings_max) {
			if (hash === kept.hash) return false;
			const [oldest] = this.#known.keys();
			if (oldest !== undefined) this.#known.delete(oldest);
		}
		this.#known.set(key, { ...parts, hash, hashes, lasting: audience.lasting });
		return audience.lasting;
	}

	/**
	 * Whether a catalog is what this audience would be shown: it was shown the same, or all that
	 * are known were, and among them are some that differ from each other where this one
	 * differs from them. So one person's own offer never stands for another person.
	 */
	standsFor(audience: Audience, catalog: Offer): boolean {
		const own = this.of(audience);
		if (own !== undefined) return own.hash === catalog.hash;
		const known = [...this.#known.values()];
		if (known.some(({ hash }) => hash !== catalog.hash)) return false;
		const parts = digested(audience);
		return (["scope", "capabilities"] as const).every((part) => {
			const seen = new Set(known.map((reading) => reading[part]));
			return seen.has(parts[part]) || seen.size > 1;
		});
	}
}

function digested({ scope_key, capabilities }: Audience) {
	return { scope: digest(scope_key), capabilities: digest(capabilities) };
}

function keyOf({ scope, capabilities }: Pick<Reading, "scope" | "capabilities">): string {
	return `${scope} ${capabilities}`;
}

/** Short, and says nothing about anybody. */
function digest(text: string): string {
	return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
