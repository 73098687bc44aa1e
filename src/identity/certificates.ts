import type { CertificatePlan } from "../config/plan-identity.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type CredentialProblem, credentialProblem } from "./credential-problem.ts";
import { type Principal, principalOf } from "./principal.ts";

/** A client certificate that one of the configured authorities signed. */
export interface PresentedCertificate {
	/** SHA-256 of the whole certificate, base64url (RFC 8705 section 3.1). */
	readonly thumbprint: string;
	/** SHA-256 of the whole certificate, lower-case hex. */
	readonly fingerprint: string;
	/** The common name of its subject; undefined where that is missing or not one text. */
	readonly common_name: string | undefined;
	/** Its alternative names, such as `URI:spiffe://mesh/agent` or `email:a@example.com`. */
	readonly names: readonly string[];
}

/** With what each came. */
const came_with = new WeakMap<Principal, PresentedCertificate>();

/** Who the holders of client certificates are. */
export class CertificateMap {
	readonly #plans: readonly CertificatePlan[];

	constructor(plans: readonly CertificatePlan[]) {
		this.#plans = plans;
	}

	/** The principal of the first entry that fits a certificate. */
	identify(certificate: PresentedCertificate): Result<Principal, CredentialProblem> {
		const plan = this.#plans.find((one) => fits(one, certificate));
		if (plan === undefined) {
			const { fingerprint, common_name = "", names } = certificate;
			const detail = `sha256:${fingerprint} CN=${common_name} ${names.join(", ")}`.slice(0, 500);
			return fail(credentialProblem("certificate_unknown", detail));
		}
		const { tenant, user, roles, scopes } = plan;
		const details = { client: clientOf(plan), roles, scopes, via: "certificate" } as const;
		const principal = principalOf(tenant, user, details);
		came_with.set(principal, certificate);
		return succeed(principal);
	}

	/** Whether somebody who came with a certificate would be the same with it now. */
	isStill(who: Principal): boolean {
		const certificate = came_with.get(who);
		if (certificate === undefined) return false;
		const plan = this.#plans.find((one) => fits(one, certificate));
		if (plan === undefined || clientOf(plan) !== who.client) return false;
		return plan.tenant === who.tenant && plan.user === who.user;
	}
}

/** As what a certificate is authenticated. */
function clientOf({ name }: CertificatePlan): string {
	return `certificate:${name}`;
}

function fits({ match }: CertificatePlan, certificate: PresentedCertificate): boolean {
	switch (match.kind) {
		case "fingerprint":
			return certificate.fingerprint === match.value;
		case "common_name":
			return certificate.common_name === match.value;
		case "name":
			return certificate.names.includes(match.value);
	}
}
