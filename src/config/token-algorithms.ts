/**
 * Signature algorithms of tokens that may be accepted: asymmetric ones only, so that no public key
 * can be taken for a secret (RFC 8725 section 3.1).
 */
export const accepted_algorithms = [
	"RS256",
	"RS384",
	"RS512",
	"PS256",
	"PS384",
	"PS512",
	"ES256",
	"ES384",
	"ES512",
	"EdDSA",
	"Ed25519",
] as const;
