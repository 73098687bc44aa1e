import { globsOverlap, isGlob, matchesGlob } from "../lib/glob.ts";
import type { IssuerDraft } from "./draft-identity.ts";
import { type Located, offsetOf } from "./located.ts";
import type { LoginDraft } from "./login-form.ts";
import type { ClaimsPlan } from "./plan-claims.ts";
import type { ApiKeyPlan, CertificatePlan } from "./plan-identity.ts";
import type { Report } from "./report.ts";

/** Everything under `identity` that says who somebody is. */
export interface Speakers {
	readonly issuers: readonly IssuerDraft[];
	readonly login: LoginDraft | undefined;
	readonly keys: readonly ApiKeyPlan[];
	readonly certificates: readonly CertificatePlan[];
	/** Patterns of tenants in which several may name the same people. */
	readonly shared: readonly string[];
	/** Whether the only issuer stands in `issuer`, not in `issuers`. */
	readonly is_short: boolean;
}

/** Something that says who somebody is, and of which tenants. */
interface Speaker {
	/** In a sentence. */
	readonly what: string;
	readonly path: readonly PropertyKey[];
	/** Patterns; `*` is any tenant. */
	readonly tenants: readonly string[];
}

const anywhere: readonly string[] = ["*"];

/**
 * Two that speak for the same tenant can each name the other's people, who are then one: with their
 * sessions, their files and their accounts at other services. That is refused, unless
 * `shared_tenants` says that it is meant.
 */
export function checkSpeakers(speakers: Speakers, root: Located, report: Report): void {
	const refused = new Set<Speaker>();
	const refuse = (one: Speaker, others: readonly Speaker[]) => {
		for (const other of others) {
			const tenant = overlapOf(one.tenants, other.tenants, speakers.shared);
			if (tenant === undefined) continue;
			// Of two, it is the one without any bounds that has to be bounded.
			const [wrong, right] = isUnbounded(other) && !isUnbounded(one) ? [other, one] : [one, other];
			if (refused.has(wrong)) continue;
			refused.add(wrong);
			const text =
				`${wrong.what[0]?.toUpperCase()}${wrong.what.slice(1)} and ${right.what} both speak for ` +
				`${described(tenant)}, so people of the same name would be one.`;
			const next = `${remedyOf(wrong, right)}, or write \`shared_tenants: ["${tenant}"]\` under \`identity\` if they are to be one.`;
			report.problem(offsetOf(root, wrong.path), text, next);
		}
	};
	const issuers = speakers.issuers.map((draft, index) => issuerOf(draft, index, speakers.is_short));
	const providers = (speakers.login?.federated ?? []).map(({ name, claims }, index) => ({
		what: `the provider \`${name}\``,
		path: ["identity", "login", "federated", index],
		tenants: tenantsOf(claims),
	}));
	const accounts: Speaker = {
		what: "the accounts of `login`",
		path: ["identity", "login"],
		tenants: anywhere,
	};
	const holders = [...speakers.keys.map(keyOf), ...speakers.certificates.map(certificateOf)];
	const own = speakers.login?.accounts === true ? [accounts] : [];
	for (const [index, issuer] of issuers.entries()) {
		refuse(issuer, [...issuers.slice(0, index), ...providers, ...own, ...holders]);
	}
	for (const [index, provider] of providers.entries()) {
		// A provider takes over no account's name. But it must not come into tenants unasked.
		const is_anywhere = isUnbounded(provider);
		refuse(provider, [...providers.slice(0, index), ...(is_anywhere ? [...own, ...holders] : [])]);
	}
}

function issuerOf({ issuer, claims }: IssuerDraft, index: number, is_short: boolean): Speaker {
	const path = is_short ? ["identity", "issuer"] : ["identity", "issuers", index];
	return { what: `the issuer \`${placeOf(issuer)}\``, path, tenants: tenantsOf(claims) };
}

/** Without what does not belong into an issuer's address, such as a password. */
function placeOf(issuer: string): string {
	const url = URL.parse(issuer);
	return url === null ? "without an address" : `${url.host}${url.pathname}`.replace(/\/$/, "");
}

/** Whether it could be bounded with `tenants`, and is not. */
function isUnbounded({ tenants, path }: Speaker): boolean {
	return tenants === anywhere && path.length > 2;
}

function remedyOf(wrong: Speaker, right: Speaker): string {
	if (isUnbounded(wrong)) return "List the tenants it speaks for under `tenants`";
	if (right.tenants === anywhere) return "Set `login.accounts` to false";
	return "Give each tenants of its own";
}

function keyOf({ name, tenant }: ApiKeyPlan, index: number): Speaker {
	return { what: `the key \`${name}\``, path: ["identity", "keys", index], tenants: [tenant] };
}

function certificateOf({ name, tenant }: CertificatePlan, index: number): Speaker {
	const path = ["identity", "certificates", index];
	return { what: `the certificate \`${name}\``, path, tenants: [tenant] };
}

function tenantsOf({ tenant }: ClaimsPlan): readonly string[] {
	if (tenant.kind === "fixed") return [tenant.name];
	return tenant.allowed.length === 0 ? anywhere : tenant.allowed;
}

/** A tenant, or a pattern of some, that is in both and that is not shared by a word. */
function overlapOf(
	one: readonly string[],
	other: readonly string[],
	shared: readonly string[],
): string | undefined {
	for (const a of one) {
		for (const b of other) {
			if (!globsOverlap(a, b)) continue;
			const in_both = narrower(a, b);
			const is_meant = shared.some((pattern) => matchesGlob(pattern, in_both));
			if (!is_meant) return in_both;
		}
	}
	return undefined;
}

/** Of two patterns that overlap, the one that stands for no more than the other, where one does. */
function narrower(a: string, b: string): string {
	if (!isGlob(a) || b === "*") return a;
	return isGlob(b) && a !== "*" ? a : b;
}

function described(tenant: string): string {
	if (tenant === "*") return "any tenant";
	return isGlob(tenant) ? `tenants like \`${tenant}\`` : `the tenant \`${tenant}\``;
}
