import { createLocalJWKSet } from "jose";
import type { IssuerPlan } from "../../config/plan-identity.ts";
import type { Clock } from "../../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../../lib/guarded-fetch.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type CredentialProblem, credentialProblem } from "../credential-problem.ts";
import type { Principal } from "../principal.ts";
import { type Claims, principalFromClaims } from "./claims.ts";
import type { ProofCheck } from "./dpop.ts";
import { Introspection } from "./introspection.ts";
import { fetchIssuerMetadata, type IssuerMetadata } from "./issuer-metadata.ts";
import { type IssuerRules, type LocalIssuer, rulesOfLocal } from "./issuer-options.ts";
import { type FindKey, RemoteKeySet } from "./key-set.ts";
import { TokenCache, type VerifiedToken } from "./token-cache.ts";
import { claimedIssuer, verifyJwt } from "./verify-jwt.ts";

/** A token as a request presents it. */
export interface PresentedToken {
	readonly token: string;
	/** A hash of the token that no other has. */
	readonly digest: string;
	readonly scheme: "bearer" | "dpop";
	/** The values of its `DPoP` headers. */
	readonly proofs: readonly string[];
	readonly method: string;
	/** The address of the request as the client sees it, without query. */
	readonly url: string;
	/** What a token may have been issued for to be good here, without a slash at the end. */
	readonly resources: readonly string[];
	/** Whether proofs have to carry a nonce of ours. */
	readonly nonce_required: boolean;
	/** Whether its proof was checked when it came. */
	readonly is_proven?: boolean;
	/** SHA-256 of the connection's client certificate, base64url; undefined without one. */
	readonly certificate_thumbprint: string | undefined;
}

/** What a verifier is made of. */
export interface TokenVerifierOptions {
	readonly clock: Clock;
	readonly issuers: readonly IssuerPlan[];
	readonly proofs: ProofCheck;
	/** The issuer in this process, as it is now. */
	readonly local?: () => LocalIssuer | undefined;
	/** Makes the fetch that issuers near a URL are asked with. */
	readonly fetchNear?: (url: string) => GuardedFetch;
}

/** An issuer with the way its tokens are checked. */
interface Issuer {
	readonly rules: IssuerRules;
	readonly find: FindKey;
	readonly introspection: Introspection | undefined;
}

type Verified = Result<VerifiedToken, CredentialProblem>;
type Identified = Result<Principal, CredentialProblem>;

/** Verifications under way at one time: what waits is bounded, whoever sends it. */
const under_way_max = 256;

/** What an issuer tells about itself is asked for anew after this. */
const metadata_ms = 10 * 60_000;

/**
 * Finds out who a token is from: signed ones with the keys of their issuer, others by asking it.
 * A token that was found good is kept for a minute by its hash, never past its end, so that the
 * next request with it costs a look into a map.
 */
export class TokenVerifier {
	readonly #options: TokenVerifierOptions;
	readonly #issuers = new Map<string, Issuer>();
	readonly #cache = new TokenCache();
	readonly #under_way = new Map<string, Promise<Verified>>();

	constructor(options: TokenVerifierOptions) {
		this.#options = options;
		for (const plan of options.issuers) this.#issuers.set(plan.issuer, this.#remote(plan));
	}

	/** False where no token can be good. */
	get has_issuers(): boolean {
		return this.#issuers.size > 0 || this.#options.local?.() !== undefined;
	}

	/** Who presents a token; at once where it was presented before and is bound to no key. */
	identify(presented: PresentedToken, now_ms: number): Identified | Promise<Identified> {
		const { digest } = presented;
		const known = this.#cache.get(digest, now_ms);
		if (known !== undefined) return this.#admit(known, presented);
		return this.#verifyOnce(digest, presented.token).then((verified) =>
			verified.ok ? this.#admit(verified.value, presented) : verified,
		);
	}

	/**
	 * Whether what somebody's token came from is there still: its issuer, and where that is in this
	 * process, the login. Whether the token itself has expired meanwhile is not asked.
	 */
	isStill(principal: Principal): boolean {
		const { iss } = principal.claims;
		const local = this.#options.local?.();
		if (local !== undefined && iss === local.issuer) return local.isCurrent(principal);
		if (typeof iss === "string") return this.#issuers.has(iss);
		return [...this.#issuers.values()].some(({ introspection }) => introspection !== undefined);
	}

	/** However many requests come with a new token, its signature is checked once. */
	#verifyOnce(digest: string, token: string): Promise<Verified> {
		const running = this.#under_way.get(digest);
		if (running !== undefined) return running;
		if (this.#under_way.size >= under_way_max) {
			const detail = "too many new tokens at one time";
			return Promise.resolve(fail(credentialProblem("issuer_unavailable", detail)));
		}
		const verified = this.#verify(token).then((outcome) => {
			if (outcome.ok) this.#cache.put(digest, outcome.value, this.#options.clock.now());
			return outcome;
		});
		this.#under_way.set(digest, verified);
		return verified.finally(() => this.#under_way.delete(digest));
	}

	async #verify(token: string): Promise<Verified> {
		const claimed = claimedIssuer(token);
		if (claimed === undefined) return this.#verifyOpaque(token);
		if (!claimed.ok) return claimed;
		const issuer = this.#issuers.get(claimed.value) ?? this.#localIssuer(claimed.value);
		if (issuer === undefined) {
			return fail(credentialProblem("token_issuer", `iss "${claimed.value.slice(0, 200)}"`));
		}
		if (issuer.introspection !== undefined) return this.#ask(token, issuer, issuer.introspection);
		const now_ms = this.#options.clock.now();
		const verified = await verifyJwt(token, issuer.rules, issuer.find, now_ms);
		return verified.ok ? makeVerified(verified.value, issuer.rules) : verified;
	}

	/** The issuer in this process, if that is its name. A configured one of the name goes first. */
	#localIssuer(name: string): Issuer | undefined {
		const local = this.#options.local?.();
		if (local === undefined || local.issuer !== name) return undefined;
		const find: FindKey = (header, token) => createLocalJWKSet(local.jwks())(header, token);
		return { rules: rulesOfLocal(local), find, introspection: undefined };
	}

	/** Our own issuer can take tokens back at once; of others it is known within a minute. */
	#isCurrent(principal: Principal): boolean {
		const local = this.#options.local?.();
		if (local === undefined || principal.claims["iss"] !== local.issuer) return true;
		return local.isCurrent(principal);
	}

	/** A token that only its issuer can read. The configuration allows one such issuer. */
	async #verifyOpaque(token: string): Promise<Verified> {
		for (const issuer of this.#issuers.values()) {
			if (issuer.introspection !== undefined) return this.#ask(token, issuer, issuer.introspection);
		}
		return fail(credentialProblem("token_unknown"));
	}

	async #ask(token: string, { rules }: Issuer, introspection: Introspection): Promise<Verified> {
		const answer = await introspection.ask(token);
		if (!answer.ok) {
			if (answer.problem.kind === "inactive") return fail(credentialProblem("token_inactive"));
			return fail(credentialProblem("issuer_unavailable", answer.problem.detail));
		}
		const claims = answer.value;
		const { iss, exp, nbf } = claims;
		const now_s = this.#options.clock.now() / 1000;
		if (iss !== undefined && iss !== rules.issuer) return fail(credentialProblem("token_issuer"));
		if (typeof exp === "number" && exp <= now_s) return fail(credentialProblem("token_expired"));
		if (typeof nbf === "number" && nbf > now_s + 10) {
			return fail(credentialProblem("token_not_yet_valid"));
		}
		return makeVerified(claims, rules);
	}

	/** Whether a good token is good here, and is presented by whom it was given to. */
	#admit(token: VerifiedToken, presented: PresentedToken): Identified | Promise<Identified> {
		if (!this.#isCurrent(token.principal)) return fail(credentialProblem("token_inactive"));
		const { audiences, key_thumbprint, certificate_thumbprint } = token;
		if (!token.is_everywhere && !presented.resources.some((one) => audiences.has(one))) {
			const found = [...audiences].join(" ").slice(0, 400);
			const detail = `issued for ${found}, not for ${presented.resources.join(" or ")}`;
			return fail(credentialProblem("token_audience", detail));
		}
		if (
			certificate_thumbprint !== undefined &&
			certificate_thumbprint !== presented.certificate_thumbprint
		) {
			return fail(credentialProblem("token_binding", "bound to another client certificate"));
		}
		if (key_thumbprint === undefined) {
			if (presented.scheme === "bearer") return succeed(token.principal);
			return fail(credentialProblem("token_binding", "DPoP with a token that is bound to no key"));
		}
		if (presented.scheme === "bearer") {
			return fail(credentialProblem("token_binding", "a token bound to a key as Bearer"));
		}
		if (presented.is_proven === true) return succeed(token.principal);
		return this.#prove(token, key_thumbprint, presented);
	}

	async #prove(
		{ principal }: VerifiedToken,
		thumbprint: string,
		{ proofs, method, url, token, nonce_required }: PresentedToken,
	): Promise<Identified> {
		const [proof, second] = proofs;
		if (proof === undefined || second !== undefined) {
			return fail(credentialProblem("dpop_proof_missing", `${proofs.length} proofs`));
		}
		const check = this.#options.proofs;
		const verdict = await check.check(proof, { method, url, token, thumbprint, nonce_required });
		if (verdict === "good") return succeed(principal);
		if (verdict === "nonce") return fail(credentialProblem("dpop_nonce_required"));
		if (verdict === "replayed") return fail(credentialProblem("dpop_proof_replayed"));
		return fail(credentialProblem("dpop_proof_invalid", verdict.invalid));
	}

	#remote(plan: IssuerPlan): Issuer {
		const { clock } = this.#options;
		const fetchNear = this.#options.fetchNear ?? ((near) => guardedFetch({ clock, near }));
		const fetch = fetchNear(plan.issuer);
		let found: Promise<IssuerMetadata> | undefined;
		let found_at_ms = 0;
		const metadata = () => {
			if (found !== undefined && clock.monotonic() - found_at_ms < metadata_ms) return found;
			found_at_ms = clock.monotonic();
			found = fetchIssuerMetadata(plan.issuer, fetch).then((outcome) => {
				if (outcome.ok) return outcome.value;
				found = undefined;
				throw new Error(outcome.problem);
			});
			return found;
		};
		const keys = new RemoteKeySet({
			clock,
			fetch,
			address: async () => plan.jwks ?? addressOf((await metadata()).jwks_uri, "jwks_uri"),
		});
		if (plan.introspection === undefined) {
			return { rules: plan, find: keys.find, introspection: undefined };
		}
		const { url, client_id, client_secret } = plan.introspection;
		const address = async () =>
			url ?? addressOf((await metadata()).introspection_endpoint, "introspection_endpoint");
		const introspection = new Introspection({ fetch, address, client_id, client_secret });
		return { rules: plan, find: keys.find, introspection };
	}
}

function addressOf(found: string | undefined, name: string): string {
	if (found === undefined) throw new Error(`the issuer's metadata has no ${name}`);
	return found;
}

function makeVerified(claims: Claims, rules: IssuerRules): Verified {
	const principal = principalFromClaims(claims, rules.claims);
	if (!principal.ok) {
		return fail(credentialProblem("token_claims", `${rules.issuer}: ${principal.problem}`));
	}
	const { aud, exp, cnf } = claims;
	const audiences = new Set(
		(Array.isArray(aud) ? aud : [aud])
			.filter((one): one is string => typeof one === "string")
			.map((one) => one.replace(/\/$/, "")),
	);
	const bound = bindingOf(cnf);
	if (bound === undefined) {
		return fail(credentialProblem("token_binding", "bound in a way that is not known here"));
	}
	if (rules.dpop === "required" && bound.jkt === undefined) {
		return fail(credentialProblem("token_binding", `${rules.issuer} has \`dpop: required\``));
	}
	return succeed({
		principal: principal.value,
		audiences,
		is_everywhere: rules.audiences.some((one) => audiences.has(one)),
		key_thumbprint: bound.jkt,
		certificate_thumbprint: bound.x5t,
		expires_at_ms: typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY,
	});
}

/** What a token is bound to; undefined where that cannot be checked, which then refuses it. */
function bindingOf(cnf: unknown): { jkt?: string; x5t?: string } | undefined {
	if (cnf === undefined || cnf === null) return {};
	if (typeof cnf !== "object") return undefined;
	const bound: { jkt?: string; x5t?: string } = {};
	for (const [name, value] of Object.entries(cnf)) {
		if (typeof value !== "string") return undefined;
		if (name === "jkt") bound.jkt = value;
		else if (name === "x5t#S256") bound.x5t = value;
		else return undefined;
	}
	return bound;
}
