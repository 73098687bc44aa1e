import type { IncomingMessage } from "node:http";
import type { Result } from "../lib/result.ts";
import type { PersonHolder } from "./dashboard-sessions.ts";

/** How people can sign in with their name. */
export interface SignInWays {
	/** Whether with a password. */
	readonly accounts: boolean;
	/** Identity providers. */
	readonly providers: readonly { readonly name: string; readonly title: string }[];
}

/** What is left to do of signing out. */
export interface Leaving {
	/** `Set-Cookie` lines for the browser. */
	readonly cookies: readonly string[];
	/** The page at the provider that ends the person's session there, where it has one. */
	readonly elsewhere?: { readonly title: string; readonly url: string };
}

/** Why nobody was signed in. */
export interface SignInProblem {
	readonly status: 401 | 403 | 429 | 502 | 503;
	/** A sentence for whoever tried. */
	readonly message: string;
	/** Seconds until it is worth trying again. */
	readonly retry_after_s?: number;
}

/** What signing in with a name needs of the house. */
export interface SignInBackend {
	ways(): SignInWays;
	/** Takes a name and a password; the request says where they come from. */
	logIn(
		name: string,
		password: string,
		request: IncomingMessage | undefined,
	): Promise<Result<PersonHolder, SignInProblem>>;
	/**
	 * The page at a provider to send the browser to; `attempt` is known to that browser alone, and
	 * the request says where it comes from.
	 */
	begin(
		provider: string,
		attempt: string,
		request: IncomingMessage,
	): Promise<Result<URL, SignInProblem>>;
	/** Who comes back from a provider. */
	finish(callback: URL, attempt: string): Promise<Result<PersonHolder, SignInProblem>>;
	/**
	 * Signs somebody out where they signed in: their login at the embedded authorization server
	 * ends, and what they came with from a provider is revoked and forgotten.
	 * @param account `tenant/user`
	 * @param request from the browser that signs out
	 */
	leave(
		holder: PersonHolder,
		account: string,
		request: IncomingMessage | undefined,
	): Promise<Leaving>;
}
