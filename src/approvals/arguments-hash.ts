import { createHash } from "node:crypto";

/**
 * The same for the same arguments, whatever the order of their members: SHA-256 in hex. Numbers
 * that JavaScript cannot tell apart hash the same, which does no harm: what runs are the stored
 * bytes that were agreed to, not those of the call that is made again.
 * @param json raw JSON
 */
export function hashArguments(json: string): string {
	return createHash("sha256")
		.update(JSON.stringify(canonical(JSON.parse(json))))
		.digest("hex");
}

function canonical(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(canonical);
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	// Wrapped, so that an object never looks like the array of its entries.
	return { entries: entries.map(([key, inner]) => [key, canonical(inner)]) };
}
