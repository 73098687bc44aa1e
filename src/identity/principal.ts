import { assert } from "../lib/assert.ts";

/** Who is calling: a person of a tenant, with the client it was authenticated for. */
export interface Principal {
	/**
	 * One text for the pair of tenant and user, `acme/alice`: sessions, parked calls and tasks
	 * are bound to it. It is the same for all clients of one person.
	 */
	readonly id: string;
	readonly tenant: string;
	readonly user: string;
	/** What was authenticated in the person's name, such as an API key; never `clientInfo`. */
	readonly client: string | undefined;
	/** What the person may do here, as the configuration says or maps it from claims. */
	readonly roles: readonly string[];
	/** What the credential is limited to; undefined: it has no such limit. */
	readonly scopes: readonly string[] | undefined;
	/** What the issuer of a token says of its holder; empty for other credentials. */
	readonly claims: Readonly<Record<string, unknown>>;
	/** How it became known who calls. */
	readonly via: "local" | "key" | "token" | "certificate" | "session";
}

/** What a principal is made with beside tenant and user. */
export type PrincipalDetails = Partial<
	Pick<Principal, "client" | "roles" | "scopes" | "claims" | "via">
>;

/** The tenant of everyone where there is no identity. */
const local_tenant = "local";

/** Everybody as long as there is no identity: one person on one machine. */
export const local_principal: Principal = Object.freeze({
	id: "local",
	tenant: local_tenant,
	user: "local",
	client: undefined,
	roles: [],
	scopes: undefined,
	claims: {},
	via: "local",
});

/** The principal of a person. Neither part may hold a slash: the id is read back. */
export function principalOf(
	tenant: string,
	user: string,
	details: PrincipalDetails = {},
): Principal {
	assert(!tenant.includes("/") && !user.includes("/"), "a principal's parts hold no slash");
	const { client, roles = [], scopes, claims = {}, via = "key" } = details;
	return { id: `${tenant}/${user}`, tenant, user, client, roles, scopes, claims, via };
}

/** The tenant and user of a principal's id; an id of one part is a person of this machine. */
export function partsOfPrincipal(id: string): { readonly tenant: string; readonly user: string } {
	const slash = id.indexOf("/");
	if (slash < 0) return { tenant: local_tenant, user: id };
	return { tenant: id.slice(0, slash), user: id.slice(slash + 1) };
}
