import type { IncomingMessage } from "node:http";
import type { IdentityPlan } from "../config/plan.ts";
import { ApiKeys, type KeyProblem, type StoredKeys } from "../identity/api-keys.ts";
import { local_principal, type Principal } from "../identity/principal.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Refusal } from "./answer-error.ts";

/** How a request that is not let in is answered. */
export interface Challenge {
	readonly status: 400 | 401;
	/** Value of `WWW-Authenticate` (RFC 6750 section 3); undefined where the request is malformed. */
	readonly header: string;
	readonly refusal: Refusal;
}

/** Finds out who sends a request. */
export type Authenticate = (
	request: IncomingMessage,
	now_ms: number,
) => Result<Principal, Challenge>;

const realm = 'Bearer realm="moorage"';

const bodies: Readonly<Record<KeyProblem, string>> = {
	missing: "This gateway wants to know who calls. Send an API key as `Authorization: Bearer KEY`.",
	malformed: "The Authorization header is not of the form `Bearer KEY`.",
	unknown: "This API key is not known here. Ask whoever runs this gateway for a new one.",
	expired: "This API key has expired. Ask whoever runs this gateway for a new one.",
};

/** Without identity everyone who can connect is the same person; with it each needs a key. */
export function authenticatorOf(plan: IdentityPlan | undefined, stored: StoredKeys): Authenticate {
	if (plan === undefined) {
		const everyone = succeed(local_principal);
		return () => everyone;
	}
	const keys = new ApiKeys(plan, stored);
	return (request, now_ms) => {
		const found = keys.identify(request.headers.authorization, now_ms);
		return found.ok ? found : fail(challengeOf(found.problem));
	};
}

function challengeOf(problem: KeyProblem): Challenge {
	const message = bodies[problem];
	switch (problem) {
		case "missing":
			return { status: 401, header: realm, refusal: { code: "credential_missing", message } };
		case "malformed": {
			const header = `${realm}, error="invalid_request"`;
			return { status: 400, header, refusal: { code: "credential_malformed", message } };
		}
		case "unknown":
		case "expired": {
			const header = `${realm}, error="invalid_token"`;
			return { status: 401, header, refusal: { code: `credential_${problem}`, message } };
		}
	}
}
