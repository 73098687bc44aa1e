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
		const { name, tenant, user, roles, scopes } = plan;
		const details = { client: `certificate:${name}`, roles, scopes, via: "certificate" } as const;
		return succeed(principalOf(tenant, user, details));
	}
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
