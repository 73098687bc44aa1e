import type * as z from "zod";
import { readCertificates } from "./certificate-form.ts";
import type { IdentityDraft } from "./draft-identity.ts";
import { readIssuers } from "./issuer-form.ts";
import { type Located, offsetOf } from "./located.ts";
import { readLogin } from "./login-form.ts";
import type { ApiKeyPlan } from "./plan-identity.ts";
import { default_tenant, userOf } from "./principal-names.ts";
import type { Report } from "./report.ts";
import type { identity_schema } from "./schema-identity.ts";
import { checkSpeakers } from "./tenant-speakers.ts";

type IdentityForm = z.output<typeof identity_schema>;

/** Reads `identity`; what contradicts itself goes to the report. */
export function readIdentity(
	form: IdentityForm | undefined,
	root: Located,
	report: Report,
): IdentityDraft | undefined {
	if (form === undefined) return undefined;
	const keys = readKeys(form.keys, root, report);
	const issuers = readIssuers(form, root, report);
	const certificates = readCertificates(form.certificates, root, report);
	const login = readLogin(form.login, form.dpop_nonces, root, report);
	const is_short = form.issuer !== undefined;
	const { scopes, dpop_nonces, shared_tenants: shared } = form;
	if (!is_short || form.issuers.length === 0) {
		checkSpeakers({ issuers, login, keys, certificates, shared, is_short }, root, report);
	}
	return { keys, issuers, certificates, scopes, dpop_nonces, login };
}

function readKeys(keys: IdentityForm["keys"], root: Located, report: Report): ApiKeyPlan[] {
	const names = new Set<string>();
	const hashes = new Set<string>();
	return keys.map((key, index): ApiKeyPlan => {
		const path = ["identity", "keys", index];
		const hash = key.hash.slice("sha256:".length);
		if (names.has(key.name)) {
			const text = `Another key is called \`${key.name}\` already.`;
			report.problem(offsetOf(root, [...path, "name"]), text, "Give each key its own name.");
		}
		if (hashes.has(hash)) {
			const text = "Another entry has the same hash: it is the same key.";
			report.problem(offsetOf(root, [...path, "hash"]), text, "Remove one of the two.");
		}
		names.add(key.name);
		hashes.add(hash);
		const expires_at_ms = key.expires === undefined ? undefined : Date.parse(key.expires);
		if (Number.isNaN(expires_at_ms)) {
			const text = `There is no day \`${key.expires}\`.`;
			report.problem(offsetOf(root, [...path, "expires"]), text, "Write a day of the calendar.");
		}
		return {
			name: key.name,
			hash,
			tenant: key.tenant ?? default_tenant,
			user: key.user ?? userOf(key.name),
			roles: key.roles,
			scopes: key.scopes,
			expires_at_ms,
		};
	});
}
