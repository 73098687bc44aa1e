import type * as z from "zod";
import { type Located, offsetOf } from "./located.ts";
import { readLogin } from "./login-form.ts";
import type { ApiKeyPlan, IdentityPlan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { identity_schema } from "./schema-identity.ts";

/** The tenant of keys that name none. */
export const default_tenant = "default";

/** Reads `identity`; keys that stand twice and dates that do not exist go to the report. */
export function readIdentity(
	form: z.output<typeof identity_schema> | undefined,
	root: Located,
	report: Report,
): IdentityPlan | undefined {
	if (form === undefined) return undefined;
	const names = new Set<string>();
	const hashes = new Set<string>();
	const keys = form.keys.map((key, index): ApiKeyPlan => {
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
			expires_at_ms,
		};
	});
	return { keys, login: readLogin(form.login) };
}

/** A key's name as that of a person, in characters that a user's name may have. */
function userOf(name: string): string {
	const plain = name.replaceAll(/[^A-Za-z0-9._@+-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
	return plain === "" ? "user" : plain.slice(0, 64);
}
