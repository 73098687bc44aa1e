import type { Result } from "../lib/result.ts";
import type { StoredUser } from "../store/people-repository.ts";

/** Logging in at identity providers elsewhere. */
export interface Federated {
	/** The providers, as they are offered on the login page. */
	readonly offered: readonly { readonly name: string; readonly title: string }[];
	/** The page at a provider to send the browser to; undefined where it cannot be reached. */
	begin(name: string, interaction: string): Promise<URL | undefined>;
	/** Who comes back from there; the problem is a sentence for them. */
	finish(callback: URL, interaction: string): Promise<Result<StoredUser, string>>;
	/** The interaction that an answer of a provider belongs to. */
	interactionOf(state: string): string | undefined;
}
