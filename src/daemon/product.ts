import manifest from "../../package.json" with { type: "json" };

/** What the gateway introduces itself as, to clients and to servers. */
export const product = {
	name: "moorage",
	title: "Moorage",
	version: manifest.version,
} as const;
