import { createHash } from "node:crypto";
import { isExchange } from "../../../config/exchange-form.ts";
import type { OAuthSpec } from "../../../config/plan.ts";

/**
 * What a grant is about: with another address, another client of ours, or another identity that is
 * exchanged for it, it is not found.
 */
export function aboutOf(url: string, spec: OAuthSpec): string {
	const { grant, client_id = null, provider = null, subject } = spec;
	const whose = [provider, subject?.issuer ?? null, subject?.client_id ?? null];
	return digest([url, grant, client_id, ...(isExchange(grant) ? whose : [])]);
}

/** Stands for some values, and tells none of them. */
export function digest(parts: unknown): string {
	return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
