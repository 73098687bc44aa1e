import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type CredentialCode, credentialProblem } from "./credential-problem.ts";

const codes: Readonly<Record<CredentialCode, true>> = {
	certificate_unknown: true,
	credential_expired: true,
	credential_malformed: true,
	credential_missing: true,
	credential_unknown: true,
	dpop_nonce_required: true,
	dpop_proof_invalid: true,
	dpop_proof_missing: true,
	dpop_proof_replayed: true,
	issuer_unavailable: true,
	token_algorithm: true,
	token_audience: true,
	token_binding: true,
	token_claims: true,
	token_expired: true,
	token_inactive: true,
	token_issuer: true,
	token_key: true,
	token_malformed: true,
	token_not_yet_valid: true,
	token_signature: true,
	token_type: true,
	token_unknown: true,
};

test("every refusal is in the documentation, and says in a header what is wrong", async () => {
	const page = await readFile(join(import.meta.dirname, "../../docs/identity.md"), "utf8");
	for (const code of Object.keys(codes) as CredentialCode[]) {
		assert.ok(page.includes(`\`${code}\``), code);
		const { status, error, message } = credentialProblem(code);
		assert.ok([400, 401, 503].includes(status));
		// What goes into a header as quoted text (RFC 6750 section 3).
		if (error !== undefined) assert.match(message, /^[ !#-[\]-~]+$/, code);
	}
});
