import { createHash, timingSafeEqual } from "node:crypto";

const bearer_pattern = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** The credential of an `Authorization` header, where it has the form of one. */
export function bearerOf(header: string): string | undefined {
	return bearer_pattern.exec(header)?.[1];
}

/**
 * Makes the check of an `Authorization` header (RFC 6750 section 2.1) against one token.
 * Digests of equal length are compared, so that the time taken tells nothing about the token.
 */
export function createTokenCheck(token: string): (header: string | undefined) => boolean {
	const expected = digest(token);
	return (header) => {
		const presented = header === undefined ? undefined : bearerOf(header);
		if (presented === undefined) return false;
		return timingSafeEqual(digest(presented), expected);
	};
}

function digest(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}
