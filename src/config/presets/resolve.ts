import { matchesGlob } from "../../lib/glob.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { OAuthEndpoints, OAuthService } from "../oauth-service.ts";
import type { OAuthSpec } from "../plan.ts";
import type { Preset, PresetFacts } from "./preset.ts";
import { presets } from "./presets.ts";

/** What a configuration says beside the name of a preset. */
export interface PresetChoice {
	readonly preset: string;
	/** The address of the server, with anything in the place of its references. */
	readonly url: string;
	readonly tenant: string | undefined;
	/** What `oauth` says itself. */
	readonly spec: OAuthSpec;
}

/** Why a preset cannot be used as it is configured; sentences for people. */
export interface PresetProblem {
	/** The key of `oauth` that it is about. */
	readonly key: "preset" | "tenant" | "issuer";
	readonly message: string;
	readonly next: string;
}

/** What a tenant may be: a domain, a UUID, or a word for several. */
const tenant_form = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

/**
 * What `oauth` says, with everything in place that the preset knows. What the configuration names
 * itself, scopes and an issuer, holds.
 */
export function resolvePreset(choice: PresetChoice): Result<OAuthSpec, PresetProblem> {
	const { preset: name, url, spec } = choice;
	const preset = presets[name];
	if (preset === undefined) return wrong("preset", `There is no preset \`${name}\`.`, "Remove it.");
	const facts = factsFor(preset, url, spec.issuer);
	if (facts === undefined) {
		const hosts = (preset.mcp?.hosts ?? []).map((host) => `\`${host}\``).join(", ");
		const message = `The preset \`${name}\` knows the server at ${hosts} alone.`;
		return wrong("preset", message, "Remove `url`, or remove `preset`.");
	}
	const missing = missingFor(preset, facts, spec);
	if (missing !== undefined) return wrong("preset", ...missing);
	const tenant = tenantFor(preset, choice);
	if (!tenant.ok) return tenant;
	const service = serviceOf(name, facts, spec.issuer, tenant.value);
	if (!service.ok) return service;
	const named = spec.scopes.length > 0 || facts.scopes === "to be named";
	return succeed({
		...spec,
		scopes: named ? spec.scopes : [...facts.scopes],
		// A secret that was given for one issuer is shown to no other.
		issuer: facts.endpoints === undefined ? spec.issuer : service.value.issuer,
		service: service.value,
	});
}

/** The service's own servers, and the same at an address of somebody's own; else its API. */
function factsFor(
	preset: Preset,
	url: string,
	issuer: string | undefined,
): PresetFacts | undefined {
	const { mcp, api } = preset;
	const { host = "", origin } = URL.parse(url) ?? {};
	const is_moved = issuer !== undefined && URL.parse(issuer)?.origin === origin;
	const is_own = is_moved || mcp?.hosts.some((pattern) => matchesGlob(pattern, host)) === true;
	return mcp !== undefined && is_own ? mcp : api;
}

function missingFor(
	{ title, register_at }: Preset,
	{ registration, pkce, scopes }: PresetFacts,
	spec: OAuthSpec,
): [string, string] | undefined {
	if (registration === "by_hand" && spec.client_id === undefined) {
		const then = "set `client_id` and `client_secret`";
		const next = `Register Moorage there (${register_at}) and ${then}.`;
		return [`${title} lets nobody register by itself.`, next];
	}
	if (pkce === "ignored" && spec.client_secret === undefined) {
		const next = "Set the `client_secret` that was given with the `client_id`.";
		return [`${title} takes clients with a secret alone.`, next];
	}
	if (scopes === "to be named" && spec.scopes.length === 0) {
		const next = "Name under `scopes` those that the server needs.";
		return [`What to ask ${title} for depends on the server.`, next];
	}
	return undefined;
}

function tenantFor(
	preset: Preset,
	{ preset: name, tenant }: PresetChoice,
): Result<string, PresetProblem> {
	if (tenant !== undefined && preset.tenant === undefined) {
		return wrong("tenant", `The preset \`${name}\` knows no tenants.`, "Remove `tenant`.");
	}
	if (tenant === undefined || tenant_form.test(tenant)) {
		return succeed(tenant ?? preset.tenant ?? "");
	}
	const next = "Write a domain or an id, for example `contoso.onmicrosoft.com`.";
	return wrong("tenant", "This is no tenant.", next);
}

function serviceOf(
	name: string,
	facts: PresetFacts,
	moved: string | undefined,
	tenant: string,
): Result<OAuthService, PresetProblem> {
	const { registration: _, scopes: __, endpoints, ...rest } = facts;
	const known = facts.issuer.replace("{tenant}", tenant);
	const is_moved = moved !== undefined && moved !== known;
	const fixed = Object.values(endpoints ?? {}).some((address) => !address.startsWith("/"));
	if (is_moved && fixed) {
		const message = `The preset \`${name}\` knows one issuer alone: ${known}.`;
		return wrong("issuer", message, "Remove `issuer`, or remove `preset`.");
	}
	const issuer = moved ?? known;
	return succeed({
		...withoutPlaces(rest),
		preset: name,
		issuer,
		endpoints: endpoints && placed(endpoints, issuer, tenant),
	});
}

/** The facts without where servers are: that is of no use to whoever asks for tokens. */
function withoutPlaces<Facts extends object>(facts: Facts): Omit<Facts, "url" | "hosts"> {
	const { url: _, hosts: __, ...rest } = { url: undefined, hosts: undefined, ...facts };
	return rest;
}

function placed(endpoints: OAuthEndpoints, issuer: string, tenant: string): OAuthEndpoints {
	const at = (address: string) =>
		address.startsWith("/")
			? `${issuer.replace(/\/$/, "")}${address}`
			: address.replace("{tenant}", tenant);
	const { authorization, token, revocation } = endpoints;
	return {
		authorization: at(authorization),
		token: at(token),
		revocation: revocation === undefined ? undefined : at(revocation),
	};
}

function wrong(
	key: PresetProblem["key"],
	message: string,
	next: string,
): Result<never, PresetProblem> {
	return fail({ key, message, next });
}
