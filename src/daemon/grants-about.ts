import type { OAuthSpec, ServerPlan } from "../config/plan.ts";
import type { SpecValues } from "../hosting/spec-values.ts";
import { referencesIn } from "../secrets/template.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import { aboutOf } from "../upstreams/http/oauth/about.ts";

/** What puts values into the specs of servers. */
export type Values = Pick<SpecValues, "fillIn">;

/**
 * What grants of an owner for a server are about, as it stands in the configuration: empty where
 * the server wants none. Its address may hold values, which are not the same for everybody.
 */
export async function aboutServer(
	values: Values,
	server: ServerPlan,
	owner: GrantOwner,
): Promise<string> {
	const { spec } = server;
	if (spec.driver !== "http" || spec.auth === undefined) return "";
	if (referencesIn(spec.url).length === 0) return aboutOf(spec.url, spec.auth);
	const filled = await oauthOf(values, server, owner);
	return filled === undefined ? "" : aboutOf(filled.url, filled.auth);
}

/** Where a server is and who Moorage is there, with the values of an owner in their place. */
export async function oauthOf(
	values: Values,
	{ name, spec }: ServerPlan,
	{ tenant, user }: GrantOwner,
): Promise<{ readonly url: string; readonly auth: OAuthSpec } | undefined> {
	const whose = user === "" ? `tenant:${tenant}` : `user:${tenant}/${user}`;
	const key = { server: name, scope_key: tenant === "" ? "" : whose };
	const filled = await values.fillIn(spec, key);
	if (!filled.ok || filled.value.spec.driver !== "http") return undefined;
	const { url, auth } = filled.value.spec;
	return auth && { url, auth };
}
