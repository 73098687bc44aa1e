import { hash } from "node:crypto";
import type { ClaimsPlan } from "../../config/plan-claims.ts";
import { matchesGlob } from "../../lib/glob.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type Principal, principalOf } from "../principal.ts";

/** The claims of a verified token. */
export type Claims = Readonly<Record<string, unknown>>;

const part_form = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;
const derived_prefix = "sub-";
const roles_max = 100;
const scopes_max = 200;
const word_chars_max = 128;

/**
 * Makes a principal of what an issuer says, as the configuration maps it. Nothing else decides who
 * it is: the tenant is never taken from an argument or a header. The problem is for the log.
 */
export function principalFromClaims(claims: Claims, plan: ClaimsPlan): Result<Principal, string> {
	const user_claim = claimAt(claims, plan.user);
	if (typeof user_claim !== "string" || user_claim === "") {
		return fail(`the claim "${plan.user}" is missing or no text`);
	}
	if (plan.user === "email" && !saysYes(claims["email_verified"])) {
		return fail("the mail address is not verified (`email_verified`), so it is nobody's name");
	}
	const tenant = tenantOf(claims, plan);
	if (!tenant.ok) return tenant;
	return succeed(
		principalOf(tenant.value, partOf(user_claim), {
			client: clientOf(claims, plan),
			roles: rolesOf(claims, plan),
			scopes: scopesOf(claims, plan),
			claims,
			via: "token",
		}),
	);
}

/** Some issuers write booleans as texts. */
function saysYes(value: unknown): boolean {
	return value === true || value === "true";
}

function tenantOf(claims: Claims, { tenant }: ClaimsPlan): Result<string, string> {
	if (tenant.kind === "fixed") return succeed(tenant.name);
	const found = claimAt(claims, tenant.claim);
	if (typeof found !== "string" || found === "") {
		return fail(`the claim "${tenant.claim}" is missing or no text`);
	}
	const part = partOf(found);
	if (tenant.allowed.length > 0 && !tenant.allowed.some((one) => matchesGlob(one, part))) {
		return fail(`the issuer does not speak for the tenant "${part}"`);
	}
	return succeed(part);
}

/**
 * A claim as part of an id. What cannot be one is replaced by a digest of it, which no other claim
 * has; and what looks like such a digest is replaced as well, so that nobody is taken for another.
 */
export function partOf(value: string): string {
	if (part_form.test(value) && !value.startsWith(derived_prefix)) return value;
	return derived_prefix + hash("sha256", value, "hex").slice(0, 40);
}

function clientOf(claims: Claims, { client }: ClaimsPlan): string | undefined {
	const names = client === undefined ? ["client_id", "azp", "appid", "cid"] : [client];
	for (const name of names) {
		const found = claimAt(claims, name);
		if (typeof found === "string" && found !== "") return found.slice(0, 512);
	}
	return undefined;
}

function rolesOf(claims: Claims, plan: ClaimsPlan): readonly string[] {
	if (plan.roles === undefined) return [];
	const found = wordsOf(claimAt(claims, plan.roles), roles_max);
	if (plan.role_names === undefined) return found;
	const names = plan.role_names;
	const mapped = found.flatMap((word) => (Object.hasOwn(names, word) ? [names[word] ?? ""] : []));
	return [...new Set(mapped)];
}

/** A token that says nothing of scopes has none: it may do only what needs none. */
function scopesOf(claims: Claims, { scopes }: ClaimsPlan): readonly string[] {
	if (scopes !== undefined) return wordsOf(claimAt(claims, scopes), scopes_max);
	const found = claims["scope"] ?? claims["scp"];
	return wordsOf(found, scopes_max);
}

/** A list of texts, or a text of words. What is too long is left out. */
function wordsOf(value: unknown, count_max: number): readonly string[] {
	const words = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
	const good = words.filter(
		(word): word is string =>
			typeof word === "string" && word !== "" && word.length <= word_chars_max,
	);
	return [...new Set(good)].slice(0, count_max);
}

/** A claim by its name, which may hold dots; else by the path that the dots make of it. */
function claimAt(claims: Claims, path: string): unknown {
	if (Object.hasOwn(claims, path)) return claims[path];
	let found: unknown = claims;
	for (const step of path.split(".")) {
		if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) {
			return undefined;
		}
		found = (found as Claims)[step];
	}
	return found;
}
