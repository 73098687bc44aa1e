import type { IdentityPlan } from "../config/plan-identity.ts";
import type { ProviderPlan } from "../config/plan-login.ts";
import { type Claims, principalFromClaims } from "../identity/oauth/claims.ts";
import type { People } from "../identity/people.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import {
	admit,
	type BeginProblem,
	Federated,
	type FederatedOptions,
	type Login,
} from "./federated.ts";
import type { IdentityTokens } from "./identity-tokens.ts";

/** Where browsers go on that come back from a provider to sign in to the gateway's own pages. */
export const sign_in_callback = "/sign-in/callback";

/** Tells logins of this kind from those for a client of the authorization server. */
const prefix = "sign-in:";

/** Whether what a login at a provider belongs to is a sign-in. */
export function isSignIn(interaction: string): boolean {
	return interaction.startsWith(prefix);
}

/** Somebody who has shown who they are. */
export type SignedIn =
	/** A person of the store: what they may is what the store says, each time. */
	| {
			readonly kind: "account";
			readonly tenant: string;
			readonly user: string;
			readonly elsewhere: Login;
	  }
	/** Somebody the store does not know, by the word of an issuer whose tokens are taken. */
	| {
			readonly kind: "vouched";
			readonly issuer: string;
			readonly tenant: string;
			readonly user: string;
			readonly roles: readonly string[];
			readonly claims: Claims;
			readonly elsewhere: Login;
	  };

/** How people can sign in with their name. */
export interface SignInWays {
	/** Whether with a password of the store. */
	readonly accounts: boolean;
	/** Where else; in the order of the configuration. */
	readonly providers: readonly { readonly name: string; readonly title: string }[];
}

/** What signing in is built on. */
export interface SignInOptions
	extends Omit<FederatedOptions<ProviderPlan>, "providers" | "issuer"> {
	readonly people: People;
	/** Keeps what people sign in with at a provider; without it nothing is kept. */
	readonly identities?: Pick<IdentityTokens, "keep"> | undefined;
	/** Who this gateway is to the outside, without a slash at the end. */
	readonly baseUrl: () => string;
}

/** A provider, and how whoever comes from there is known here. */
type Door = ProviderPlan & { readonly of: "store" | "issuer" };

/**
 * Signs people in to the gateway's own pages, at the providers of the authorization server and at
 * issuers whose tokens are taken. Clients have no part in it, so nothing is asked of the person.
 */
export class SignIn {
	readonly #options: SignInOptions;
	#plan: IdentityPlan | undefined;
	#doors: readonly Door[] = [];
	#federated: Federated<Door> | undefined;
	#base = "";

	constructor(options: SignInOptions) {
		this.#options = options;
	}

	/** Serves a plan from the next request on. */
	use(plan: IdentityPlan | undefined): void {
		this.#plan = plan;
		this.#federated = undefined;
		this.#doors = doorsOf(plan);
	}

	get ways(): SignInWays {
		const providers = this.#doors.map(({ name, title }) => ({ name, title }));
		return { accounts: this.#plan?.login?.accounts === true, providers };
	}

	/** The page at a provider to send the browser to; `attempt` is known to this browser alone. */
	begin(name: string, attempt: string): Promise<Result<URL, BeginProblem>> {
		return this.#at().begin(name, prefix + attempt);
	}

	/** Who comes back from a provider; the problem is a sentence for them. */
	async finish(callback: URL, attempt: string): Promise<Result<SignedIn, string>> {
		const vouched = await this.#at().finish(callback, prefix + attempt);
		if (!vouched.ok) return vouched;
		const { provider, claims, tokens, login: elsewhere } = vouched.value;
		const { people, identities, log } = this.#options;
		if (provider.of === "store") {
			const admitted = await admit(claims, provider, people, log);
			if (!admitted.ok) return admitted;
			const { tenant, user } = admitted.value;
			await identities?.keep(`${tenant}/${user}`, provider, tokens);
			return succeed({ kind: "account", tenant, user, elsewhere });
		}
		const principal = principalFromClaims(claims, provider.claims);
		if (!principal.ok) {
			const detail = principal.problem;
			log.warn({ detail, provider: provider.name }, "a provider does not say who it is");
			return fail("The provider does not say who you are in a way this gateway understands.");
		}
		const { tenant, user, roles } = principal.value;
		await identities?.keep(`${tenant}/${user}`, provider, tokens);
		const { issuer } = provider;
		return succeed({ kind: "vouched", issuer, tenant, user, roles, claims, elsewhere });
	}

	/**
	 * Ends a login at a provider, with what has been got by it since; the page there that does the
	 * rest, where there is one.
	 */
	async leave(
		login: Login,
		since: readonly Login[],
	): Promise<{ readonly title: string; readonly url: string } | undefined> {
		const page = await this.#at().leave(login, since);
		const title = this.#doors.find(({ name }) => name === login.provider)?.title;
		return page && { title: title ?? login.provider, url: page.href };
	}

	/** Whether people may still be signed in by the word of an issuer. */
	trusts(issuer: string): boolean {
		return this.#doors.some((door) => door.of === "issuer" && door.issuer === issuer);
	}

	/** Whether people of the store can sign in the way they come: by password, or from a provider. */
	knows(provider: string | undefined): boolean {
		if (provider === undefined) return this.ways.accounts;
		return this.#doors.some((door) => door.of === "store" && door.name === provider);
	}

	#at(): Federated<Door> {
		const { baseUrl, people: _people, identities: _identities, ...options } = this.#options;
		const issuer = baseUrl();
		if (this.#base !== issuer) this.#federated = undefined;
		this.#base = issuer;
		this.#federated ??= new Federated({ ...options, providers: this.#doors, issuer });
		return this.#federated;
	}
}

function doorsOf(plan: IdentityPlan | undefined): Door[] {
	const store = (plan?.login?.federated ?? []).map((one): Door => ({ ...one, of: "store" }));
	const issuers = (plan?.issuers ?? []).flatMap((issuer): Door[] => {
		const { sign_in, claims } = issuer;
		if (sign_in === undefined) return [];
		return [{ ...sign_in, issuer: issuer.issuer, claims, of: "issuer" }];
	});
	return [...store, ...issuers];
}
