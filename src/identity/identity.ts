import type { IdentityPlan } from "../config/plan-identity.ts";
import type { Clock } from "../lib/clock.ts";
import type { GuardedFetch } from "../lib/guarded-fetch.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { ApiKeys, hashApiKey, key_prefix, type StoredKeys } from "./api-keys.ts";
import { CertificateMap, type PresentedCertificate } from "./certificates.ts";
import { type Credential, readCredential } from "./credential.ts";
import { type CredentialProblem, credentialProblem } from "./credential-problem.ts";
import { ProofCheck } from "./oauth/dpop.ts";
import type { LocalIssuer } from "./oauth/issuer-options.ts";
import { ProofNonces } from "./oauth/proof-nonces.ts";
import { ReplayCache } from "./oauth/replay-cache.ts";
import { TokenVerifier } from "./oauth/token-verifier.ts";
import { local_principal, type Principal } from "./principal.ts";

/** What a request presents to show who it is from. */
export interface Presented {
	/** Its `Authorization` header. */
	readonly authorization: string | undefined;
	/** The values of its `DPoP` headers. */
	readonly proofs: readonly string[];
	readonly method: string;
	/** Its address as the client sees it, without query. */
	readonly url: string;
	/** What a token may have been issued for to be good here, without a slash at the end. */
	readonly resources: readonly string[];
	/** Whether proofs have to carry a nonce of ours (RFC 9449 section 9). */
	readonly nonce_required: boolean;
	/** Whether its proof was checked when it came: a request that lasts is looked at again. */
	readonly is_proven?: boolean;
	/** The connection it came over, which most often brought the same header before. */
	readonly connection?: object | undefined;
	/** The client certificate of its connection, where TLS ends here and it was checked. */
	readonly certificate: PresentedCertificate | undefined;
}

/** Who a request is from, or why it is not let in. */
export type Identified = Result<Principal, CredentialProblem>;

/** A credential, with the hash that it is found by. */
interface DigestedCredential extends Credential {
	readonly digest: string;
}

/** What the identity room is made of. */
export interface IdentityOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** How issuers elsewhere are asked; by default through the guard. */
	readonly fetchNear?: (url: string) => GuardedFetch;
	/** Keys that stand in no configuration. */
	readonly stored_keys?: StoredKeys;
	/** The issuer in this process, as long as there is one. */
	readonly local_issuer?: () => LocalIssuer | undefined;
}

/**
 * Knows who calls, by whatever means the configuration has: nobody asks anything without
 * `identity`, and with it API keys, access tokens and client certificates are taken.
 */
export class Identity {
	readonly #options: IdentityOptions;
	/** Outlives every plan: what was used stays used. */
	readonly #proofs: ProofCheck;
	readonly #nonces: ProofNonces;
	#plan: IdentityPlan | undefined;
	#keys: ApiKeys | undefined;
	#verifier: TokenVerifier | undefined;
	#certificates: CertificateMap | undefined;
	readonly #everyone = succeed(local_principal);
	/** The last header of each connection as long as that lasts: reading and hashing take a while. */
	readonly #read = new WeakMap<object, { header: string; found: DigestedCredential }>();

	constructor(options: IdentityOptions, plan: IdentityPlan | undefined) {
		this.#options = options;
		this.#nonces = new ProofNonces(options.clock, options.random);
		this.#proofs = new ProofCheck(options.clock, new ReplayCache(), this.#nonces);
		this.#build(plan);
	}

	/** Takes up another plan; tokens that were found good are kept where nothing changed. */
	use(plan: IdentityPlan | undefined): void {
		if (JSON.stringify(plan) !== JSON.stringify(this.#plan)) this.#build(plan);
	}

	/** The issuers whose tokens are accepted; empty where only keys or certificates are. */
	get issuers(): readonly string[] {
		if (this.#plan === undefined) return [];
		const local = this.#options.local_issuer?.();
		const remote = this.#plan.issuers.map(({ issuer }) => issuer);
		return local === undefined ? remote : [local.issuer, ...remote];
	}

	/** The nonce that proofs of the next minutes are to carry. */
	get proof_nonce(): string {
		return this.#nonces.current;
	}

	/**
	 * Who a request is from. At once for keys, certificates and tokens that were presented before;
	 * `now_ms` is wall-clock time.
	 */
	identify(presented: Presented, now_ms: number): Identified | Promise<Identified> {
		const keys = this.#keys;
		const verifier = this.#verifier;
		if (keys === undefined || verifier === undefined) return this.#everyone;
		const { authorization, certificate } = presented;
		if (authorization === undefined && certificate !== undefined) {
			return (
				this.#certificates?.identify(certificate) ?? fail(credentialProblem("certificate_unknown"))
			);
		}
		const credential = this.#credentialOf(presented);
		if (!credential.ok) return credential;
		const { scheme, token, digest } = credential.value;
		if (scheme === "bearer") {
			const known = keys.identify(digest, now_ms);
			if (known !== undefined) return known;
		}
		if (!verifier.has_issuers || token.startsWith(key_prefix)) {
			return fail(credentialProblem("credential_unknown"));
		}
		const certificate_thumbprint = certificate?.thumbprint;
		const given = { ...presented, scheme, token, digest, certificate_thumbprint };
		return verifier.identify(given, now_ms);
	}

	#credentialOf({
		authorization: header,
		connection,
	}: Presented): Result<DigestedCredential, CredentialProblem> {
		const known = connection && this.#read.get(connection);
		if (known !== undefined && known.header === header) return succeed(known.found);
		const credential = readCredential(header);
		if (!credential.ok) return credential;
		const { scheme, token } = credential.value;
		const found = { scheme, token, digest: hashApiKey(token) };
		if (connection !== undefined && header !== undefined)
			this.#read.set(connection, { header, found });
		return succeed(found);
	}

	/**
	 * Whether somebody who was let in is somebody here still: for what lasts longer than a request.
	 * That a token expires meanwhile is no reason to say no; that it is taken back is.
	 */
	isStill(who: Principal, now_ms: number): boolean {
		if (this.#plan === undefined) return true;
		switch (who.via) {
			case "key":
				return this.#keys?.isStill(who, now_ms) === true;
			case "token":
				return this.#verifier?.isStill(who) === true;
			case "certificate":
				return this.#certificates?.isStill(who) === true;
			default:
				// They came while nobody was told apart.
				return false;
		}
	}

	#build(plan: IdentityPlan | undefined): void {
		this.#plan = plan;
		this.#keys = undefined;
		this.#verifier = undefined;
		this.#certificates = undefined;
		if (plan === undefined) return;
		const { clock, stored_keys, fetchNear, local_issuer } = this.#options;
		this.#keys = new ApiKeys(plan.keys, stored_keys);
		this.#certificates = new CertificateMap(plan.certificates);
		this.#verifier = new TokenVerifier({
			clock,
			issuers: plan.issuers,
			proofs: this.#proofs,
			...(local_issuer === undefined ? {} : { local: local_issuer }),
			...(fetchNear === undefined ? {} : { fetchNear }),
		});
	}
}
