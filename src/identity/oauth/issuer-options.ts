import type { JSONWebKeySet } from "jose";
import type { ClaimsPlan } from "../../config/plan-claims.ts";
import type { IssuerPlan } from "../../config/plan-identity.ts";
import { accepted_algorithms } from "../../config/token-algorithms.ts";
import type { Principal } from "../principal.ts";

/** An issuer in this very process: its keys are asked for here, and nothing is fetched. */
export interface LocalIssuer {
	/** Exactly what stands in `iss`. */
	readonly issuer: string;
	/** The public keys as they are now; called for every token that is seen for the first time. */
	jwks(): JSONWebKeySet;
	readonly claims: ClaimsPlan;
	/** Whether what a token came from is as it was; asked with every request that has it. */
	isCurrent(principal: Principal): boolean;
}

/** What is accepted of an issuer, wherever it is. */
export type IssuerRules = Pick<
	IssuerPlan,
	"issuer" | "audiences" | "algorithms" | "token_types" | "dpop" | "claims"
>;

/** The rules for an issuer in this process. */
export function rulesOfLocal({ issuer, claims }: LocalIssuer): IssuerRules {
	return {
		issuer,
		audiences: [],
		algorithms: accepted_algorithms,
		token_types: "at+jwt",
		dpop: "accepted",
		claims,
	};
}
