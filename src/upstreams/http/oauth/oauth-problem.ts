/**
 * Why authorization did not come about, as a sentence for the operator. It holds no secrets,
 * and nothing that an authorization server wrote, which may be meant to mislead.
 */
export class OAuthProblem extends Error {
	/** The standard error code that it comes from, where there is one. */
	readonly code: string | undefined;

	constructor(message: string, code?: string) {
		super(message);
		this.code = code;
	}
}

/** Text of somebody else's address for a sentence: its origin at most. */
export function originOf(url: string): string {
	return URL.canParse(url) ? new URL(url).origin : "an invalid address";
}
