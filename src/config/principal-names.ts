/** The tenant of credentials that name none. */
export const default_tenant = "default";

/** A credential's name as that of a person, in characters that a user's name may have. */
export function userOf(name: string): string {
	const plain = name.replaceAll(/[^A-Za-z0-9._@+-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
	return plain === "" ? "user" : plain.slice(0, 64);
}
