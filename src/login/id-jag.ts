import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import type { FederatedPlan } from "../config/plan-login.ts";
import { accepted_algorithms } from "../config/token-algorithms.ts";
import { fetchIssuerMetadata } from "../identity/oauth/issuer-metadata.ts";
import { RemoteKeySet } from "../identity/oauth/key-set.ts";
import type { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import { guardedFetch } from "../lib/guarded-fetch.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { StoredUser } from "../store/people-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { admit } from "./federated.ts";
import { type RecordOptions, Records } from "./records.ts";

/** The `typ` of an assertion (draft-ietf-oauth-identity-assertion-authz-grant section 3.1). */
const assertion_type = "oauth-id-jag+jwt";
const assertion_chars_max = 16_384;
const skew_s = 10;
/** However long an assertion says it is good, it is forgotten and refused after this. */
const age_s_max = 60 * 60;

/** What an assertion, once it is verified, allows. */
export interface Assertion {
	readonly person: StoredUser;
	readonly resource: string | undefined;
	/** Undefined: it does not limit them. */
	readonly scopes: readonly string[] | undefined;
}

/** What assertions are checked with. */
export interface AssertionOptions {
	readonly providers: readonly FederatedPlan[];
	readonly people: People;
	readonly clock: Clock;
	readonly log: Log;
	readonly records: RecordOptions;
	/** Who this server is: the audience of assertions. */
	readonly issuer: string;
}

/**
 * Assertions of identity providers that a person may use this gateway through a client
 * (enterprise-managed authorization, ID-JAG): signed by a provider that is trusted with them, for
 * this server, for the very client that presents them, and good once.
 */
export class Assertions {
	readonly #options: AssertionOptions;
	readonly #keys = new Map<string, RemoteKeySet>();
	readonly #used: Records<true>;

	constructor(options: AssertionOptions) {
		this.#options = options;
		this.#used = new Records(options.records, "AssertionUse");
		for (const { issuer, enterprise } of options.providers) {
			if (enterprise) this.#keys.set(issuer, this.#keySet(issuer));
		}
	}

	/** The problem says to the client what is wrong; never a part of the assertion. */
	async verify(assertion: string, client_id: string): Promise<Result<Assertion, string>> {
		const { decodeJwt, jwtVerify, errors } = await import("jose");
		if (assertion.length > assertion_chars_max) return fail("the assertion is too long");
		const { issuer, clock, providers, people, log } = this.#options;
		try {
			const claimed = decodeJwt(assertion).iss ?? "";
			const provider = providers.find((one) => one.enterprise && one.issuer === claimed);
			const keys = this.#keys.get(claimed);
			if (provider === undefined || keys === undefined) return fail("its issuer is not trusted");
			const { payload } = await jwtVerify(assertion, keys.find, {
				issuer: claimed,
				audience: issuer,
				typ: assertion_type,
				algorithms: [...accepted_algorithms],
				requiredClaims: ["sub", "jti", "exp", "iat", "client_id"],
				maxTokenAge: age_s_max,
				clockTolerance: skew_s,
				currentDate: new Date(clock.now()),
			});
			if (payload["client_id"] !== client_id) return fail("it was issued for another client");
			const { aud, jti } = payload;
			if (Array.isArray(aud) && aud.length !== 1) return fail("it is for others as well");
			const once = JSON.stringify([claimed, jti]);
			const ttl_s = age_s_max + 2 * skew_s;
			if (!(await this.#used.add(once, true, { ttl_s }))) return fail("it was used already");
			const person = await admit(payload, provider, people, log);
			if (!person.ok) return fail("nobody here is whom it is about");
			const { resource, scope } = payload;
			return succeed({
				person: person.value,
				resource: typeof resource === "string" ? resource : undefined,
				scopes: typeof scope === "string" ? scope.split(" ").filter(Boolean) : undefined,
			});
		} catch (error) {
			log.warn({ err: error, client_id }, "an assertion was refused");
			if (error instanceof errors.JWTExpired) return fail("it has expired");
			return fail("it is not a good assertion for this server");
		}
	}

	#keySet(issuer: string): RemoteKeySet {
		const fetch = guardedFetch({ clock: this.#options.clock, near: issuer });
		return new RemoteKeySet({
			clock: this.#options.clock,
			fetch,
			address: async () => {
				const metadata = await fetchIssuerMetadata(issuer, fetch);
				const address = metadata.ok ? metadata.value.jwks_uri : undefined;
				if (address !== undefined) return address;
				throw new Error(metadata.ok ? `${issuer} names no keys` : metadata.problem);
			},
		});
	}
}

/** What the grant needs of the server around it. */
export interface AssertionGrant {
	readonly assertions: Assertions;
	/** How a token for an address is made; undefined where there is none such. */
	readonly resourceServer: (
		resource: string,
	) => ConstructorParameters<Provider["ResourceServer"]>[1] | undefined;
	readonly default_resource: string;
	/** Errors of the library, by what they are. */
	readonly errors: {
		invalidGrant(reason: string): Error;
		invalidTarget(): Error;
		invalidRequest(reason: string): Error;
	};
}

/** Answers `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 section 2.1). */
export async function answerAssertion(
	context: KoaContextWithOIDC,
	{ assertions, resourceServer, default_resource, errors }: AssertionGrant,
): Promise<void> {
	const { oidc } = context;
	const { client, provider } = oidc;
	const { assertion, scope, resource } = (oidc.params ?? {}) as Record<string, unknown>;
	if (client === undefined) throw new Error("a grant without a client");
	if (typeof assertion !== "string") throw errors.invalidRequest("assertion is missing");
	// Whoever can present an assertion has to prove which client it is.
	if (client.clientAuthMethod === "none") throw errors.invalidRequest("the client proves nothing");
	const verified = await assertions.verify(assertion, client.clientId);
	if (!verified.ok) throw errors.invalidGrant(verified.problem);
	const { person, scopes } = verified.value;
	const allowed = verified.value.resource ?? default_resource;
	const wanted = resource ?? allowed;
	if (wanted !== allowed || typeof wanted !== "string") throw errors.invalidTarget();
	const server = resourceServer(wanted);
	if (server === undefined) throw errors.invalidTarget();
	const accountId = `${person.tenant}/${person.user}`;
	const asked = typeof scope === "string" ? scope.split(" ") : (scopes ?? ["mcp"]);
	const offered = server.scope.split(" ");
	const granted = asked.filter(
		(one) => offered.includes(one) && (scopes === undefined || scopes.includes(one)),
	);
	const grant = new provider.Grant({ accountId, clientId: client.clientId });
	if (granted.length > 0) grant.addResourceScope(wanted, granted.join(" "));
	const token = new provider.AccessToken({
		client,
		accountId,
		grantId: await grant.save(),
		gty: "jwt_bearer",
		scope: granted.join(" "),
		resourceServer: new provider.ResourceServer(wanted, server),
	});
	const access_token = await token.save();
	context.body = {
		access_token,
		expires_in: token.expiration,
		token_type: token.tokenType,
		...(granted.length === 0 ? {} : { scope: granted.join(" ") }),
	};
}
