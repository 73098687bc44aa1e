import * as z from "zod";
import type { GuardedFetch } from "../../lib/guarded-fetch.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { messageOf } from "./issuer-metadata.ts";

/** How an issuer is asked about tokens. */
export interface IntrospectionOptions {
	readonly fetch: GuardedFetch;
	/** Where to ask; may have to be found out first, and rejects where it cannot be. */
	readonly address: () => Promise<string>;
	readonly client_id: string;
	readonly client_secret: string;
}

/** Why an issuer's answer cannot be used. */
export type IntrospectionProblem =
	| { readonly kind: "inactive" }
	/** The issuer cannot be reached, or says nothing of use; the detail is for the log. */
	| { readonly kind: "unavailable"; readonly detail: string };

/** Questions under way at one time; a flood of made-up tokens does not become one at the issuer. */
const asked_max = 32;

const schema = z.looseObject({ active: z.boolean() });

/** Asks an issuer about tokens that only it can read (RFC 7662). */
export class Introspection {
	readonly #options: IntrospectionOptions;
	#asked = 0;

	constructor(options: IntrospectionOptions) {
		this.#options = options;
	}

	/** The claims of a token that is active. */
	async ask(token: string): Promise<Result<Record<string, unknown>, IntrospectionProblem>> {
		if (this.#asked >= asked_max) return unavailable("too many tokens are being asked about");
		this.#asked += 1;
		try {
			return await this.#ask(token);
		} catch (error) {
			return unavailable(messageOf(error));
		} finally {
			this.#asked -= 1;
		}
	}

	async #ask(token: string): Promise<Result<Record<string, unknown>, IntrospectionProblem>> {
		const { fetch, client_id, client_secret } = this.#options;
		const address = await this.#options.address();
		// Both are encoded before they are joined (RFC 6749 section 2.3.1).
		const pair = `${formEncoded(client_id)}:${formEncoded(client_secret)}`;
		const answer = await fetch(address, {
			method: "POST",
			headers: {
				authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
				"content-type": "application/x-www-form-urlencoded",
			},
			body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
		});
		if (answer.status !== 200) return unavailable(`${address} answered with HTTP ${answer.status}`);
		const parsed = schema.safeParse(await answer.json());
		if (!parsed.success) return unavailable(`${address} did not say whether a token is active`);
		const { active, ...claims } = parsed.data;
		return active ? succeed(claims) : fail({ kind: "inactive" });
	}
}

function unavailable(detail: string): Result<never, IntrospectionProblem> {
	return fail({ kind: "unavailable", detail });
}

function formEncoded(text: string): string {
	return new URLSearchParams({ a: text }).toString().slice(2);
}
