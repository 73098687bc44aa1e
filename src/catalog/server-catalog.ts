import { createHash } from "node:crypto";

/** One thing a server offers. */
export interface CatalogItem {
	/** Tool or prompt name, resource uri, or uri template, as the server wrote it. */
	readonly name: string;
	/** The item's raw JSON object. */
	readonly bytes: Buffer;
}

/** The four lists a catalog is made of. */
export const item_kinds = ["tools", "resources", "templates", "prompts"] as const;
export type ItemKind = (typeof item_kinds)[number];

/** What a server said of itself and offers. Frozen: a change makes a new one. */
export interface ServerCatalog {
	readonly server: string;
	/** Of the plan it was fetched for: another way of running may offer other things. */
	readonly fingerprint: string;
	readonly era: "legacy" | "modern";
	readonly revision: string;
	/** Raw JSON objects. */
	readonly capabilities: string;
	readonly server_info: string;
	readonly instructions: string | undefined;
	readonly tools: readonly CatalogItem[];
	readonly resources: readonly CatalogItem[];
	readonly templates: readonly CatalogItem[];
	readonly prompts: readonly CatalogItem[];
	readonly fetched_at_ms: number;
	/** Over everything that clients see. */
	readonly hash: string;
}

/** A catalog before it has its hash. */
export type CatalogParts = Omit<ServerCatalog, "hash">;

/** Completes a catalog with its hash. */
export function sealCatalog(parts: CatalogParts): ServerCatalog {
	const digest = createHash("sha256");
	digest.update(JSON.stringify([parts.era, parts.revision, parts.capabilities]));
	digest.update(JSON.stringify([parts.server_info, parts.instructions ?? null]));
	for (const kind of item_kinds) digest.update(listHash(parts[kind]));
	return Object.freeze({ ...parts, hash: digest.digest("hex") });
}

/** A digest over one list, in its order. */
export function listHash(items: readonly CatalogItem[]): Buffer {
	const digest = createHash("sha256");
	for (const { bytes } of items) digest.update(`${bytes.length}:`).update(bytes);
	return digest.digest();
}

/** The stored form: JSON with the items as text, which UTF-8 JSON always is. */
export function encodeCatalog(catalog: ServerCatalog): string {
	const { server, fingerprint, fetched_at_ms, hash, ...rest } = catalog;
	const lists = item_kinds.map((kind) => [
		kind,
		rest[kind].map(({ name, bytes }) => [name, bytes.toString("utf8")]),
	]);
	return JSON.stringify({ ...rest, ...Object.fromEntries(lists) });
}

/** The catalog behind a stored form; undefined when it is of another version of Moorage. */
export function decodeCatalog(stored: {
	readonly server: string;
	readonly fingerprint: string;
	readonly fetched_at_ms: number;
	readonly hash: string;
	readonly body: string;
}): ServerCatalog | undefined {
	const { server, fingerprint, fetched_at_ms } = stored;
	try {
		const body = JSON.parse(stored.body) as Record<string, never>;
		const lists = item_kinds.map((kind) => [kind, decodeItems(body[kind] as unknown)]);
		const parts = { ...body, ...Object.fromEntries(lists), server, fingerprint, fetched_at_ms };
		const catalog = sealCatalog(parts as CatalogParts);
		return catalog.hash === stored.hash ? catalog : undefined;
	} catch {
		return undefined;
	}
}

function decodeItems(list: unknown): CatalogItem[] {
	return (list as [string, string][]).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
}
