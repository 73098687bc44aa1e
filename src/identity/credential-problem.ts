/** Why a request is not let in, for programs. */
export type CredentialCode =
	| "certificate_unknown"
	| "credential_expired"
	| "credential_malformed"
	| "credential_missing"
	| "credential_unknown"
	| "dpop_nonce_required"
	| "dpop_proof_invalid"
	| "dpop_proof_missing"
	| "dpop_proof_replayed"
	| "issuer_unavailable"
	| "token_algorithm"
	| "token_audience"
	| "token_binding"
	| "token_claims"
	| "token_expired"
	| "token_inactive"
	| "token_issuer"
	| "token_key"
	| "token_malformed"
	| "token_not_yet_valid"
	| "token_signature"
	| "token_type"
	| "token_unknown";

/** How a refusal is told in HTTP (RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9). */
interface Answer {
	readonly status: 400 | 401 | 503;
	/** The `error` of the challenge; undefined where there was no credential at all. */
	readonly error?: "invalid_request" | "invalid_token" | "invalid_dpop_proof" | "use_dpop_nonce";
	/** A sentence that says what happened and what to do next; never a part of the credential. */
	readonly message: string;
}

/** A refusal, with what only the log is told. */
export interface CredentialProblem extends Answer {
	readonly code: CredentialCode;
	/** For whoever runs the gateway; never the credential itself. */
	readonly detail?: string | undefined;
}

const again = "Get a new one from the authorization server.";

const answers: Readonly<Record<CredentialCode, Answer>> = {
	certificate_unknown: {
		status: 401,
		error: "invalid_token",
		message: "The client certificate is nobody's here. Ask whoever runs this gateway to map it.",
	},
	credential_missing: {
		status: 401,
		message:
			"This gateway wants to know who calls. Send an access token or an API key as " +
			"`Authorization: Bearer …`.",
	},
	credential_malformed: {
		status: 400,
		error: "invalid_request",
		message:
			"The Authorization header is not of the form `Bearer TOKEN`. Send one header of that form.",
	},
	credential_unknown: {
		status: 401,
		error: "invalid_token",
		message: "This API key is not known here. Ask whoever runs this gateway for a new one.",
	},
	credential_expired: {
		status: 401,
		error: "invalid_token",
		message: "This API key has expired. Ask whoever runs this gateway for a new one.",
	},
	dpop_nonce_required: {
		status: 401,
		error: "use_dpop_nonce",
		message:
			"The DPoP proof has no nonce of this gateway, or an old one. Make a new one with the nonce in " +
			"the `DPoP-Nonce` header.",
	},
	dpop_proof_missing: {
		status: 401,
		error: "invalid_dpop_proof",
		message: "The token is bound to a key. Send exactly one `DPoP` header with a proof of it.",
	},
	dpop_proof_invalid: {
		status: 401,
		error: "invalid_dpop_proof",
		message:
			"The DPoP proof is not one for this request and token. Make a new one for this method, " +
			"address and token.",
	},
	dpop_proof_replayed: {
		status: 401,
		error: "invalid_dpop_proof",
		message: "The DPoP proof was used before. Make a new one for every request.",
	},
	issuer_unavailable: {
		status: 503,
		message: "The token's issuer cannot be asked at the moment. Try again in a moment.",
	},
	token_algorithm: {
		status: 401,
		error: "invalid_token",
		message: "The access token is signed in a way that is not accepted here. Use another issuer.",
	},
	token_audience: {
		status: 401,
		error: "invalid_token",
		message: "The access token was issued for another resource. Ask for one for this address.",
	},
	token_binding: {
		status: 401,
		error: "invalid_token",
		message:
			"The access token is bound to a key or certificate that this request does not prove. " +
			"Send it as it was bound.",
	},
	token_claims: {
		status: 401,
		error: "invalid_token",
		message:
			"The access token does not say what this gateway has to know. Ask whoever runs it which " +
			"claims it needs.",
	},
	token_expired: {
		status: 401,
		error: "invalid_token",
		message: `The access token has expired. ${again}`,
	},
	token_inactive: {
		status: 401,
		error: "invalid_token",
		message: `The access token is not valid any more. ${again}`,
	},
	token_issuer: {
		status: 401,
		error: "invalid_token",
		message:
			"The access token is from an issuer that is not accepted here. Get one from an " +
			"authorization server that this resource names.",
	},
	token_key: {
		status: 401,
		error: "invalid_token",
		message: `The access token is signed with a key that its issuer does not have. ${again}`,
	},
	token_malformed: {
		status: 401,
		error: "invalid_token",
		message: `The access token is damaged. ${again}`,
	},
	token_not_yet_valid: {
		status: 401,
		error: "invalid_token",
		message: "The access token is not valid yet. Set the clocks, or wait.",
	},
	token_signature: {
		status: 401,
		error: "invalid_token",
		message: `The access token's signature is wrong. ${again}`,
	},
	token_type: {
		status: 401,
		error: "invalid_token",
		message: "This is not an access token. Send the access token, not an ID token.",
	},
	token_unknown: {
		status: 401,
		error: "invalid_token",
		message: "This credential is not known here. Get a new one from an authorization server.",
	},
};

/** The refusal of a code. */
export function credentialProblem(code: CredentialCode, detail?: string): CredentialProblem {
	return { code, ...answers[code], detail };
}
