import type { KeyEntry, UserEntry } from "../../admin/contract-people.ts";
import type { AccessCaller } from "../../admin/contracts/server-page.ts";
import type { Plan } from "../../config/plan.ts";
import { default_tenant } from "../../config/principal-names.ts";
import { local_principal, type Principal, principalOf } from "../../identity/principal.ts";

/** Somebody who may come, as far as that is known beforehand. */
export interface KnownCaller extends Pick<AccessCaller, "kind" | "name" | "roles"> {
	readonly principal: Principal;
}

/** Most callers that are asked about at once. */
export const callers_max = 200;

/** Everybody who is known: people and keys, and whoever has no role at all. */
export function knownCallers(
	identity: Plan["identity"],
	users: readonly UserEntry[],
	keys: readonly KeyEntry[],
): readonly KnownCaller[] {
	if (identity === undefined) {
		const name = "Everybody who can connect";
		return [{ kind: "everybody", name, roles: [], principal: local_principal }];
	}
	const nobody = principalOf(default_tenant, "somebody", { via: "token" });
	const roles_by_id = new Map(users.map(({ id, roles }) => [id, roles]));
	const known: readonly KnownCaller[] = [
		{ kind: "anybody", name: "Somebody without a role", roles: [], principal: nobody },
		...users.map(({ id, tenant, user, roles }): KnownCaller => {
			const principal = principalOf(tenant, user, { roles, via: "token" });
			return { kind: "person", name: id, roles, principal };
		}),
		...keys.map(({ name, tenant, user, scopes, ...key }): KnownCaller => {
			const roles = key.roles ?? roles_by_id.get(`${tenant}/${user}`) ?? [];
			const details = { client: `key:${name}`, roles, scopes, via: "key" } as const;
			return { kind: "key", name, roles, principal: principalOf(tenant, user, details) };
		}),
	];
	return known.slice(0, callers_max);
}

/** What cannot be told of callers beforehand. */
export function callerNotes(
	identity: Plan["identity"],
	conditions: readonly ReadonlySet<string>[],
	known: number,
): string[] {
	const notes: string[] = [];
	if (identity !== undefined && (identity.issuers.length > 0 || identity.login !== undefined)) {
		notes.push(
			"People who come with a token of an issuer may have roles, scopes and claims that are not known here.",
		);
	}
	if (conditions.some((mentions) => mentions.has("args"))) {
		notes.push(
			"Some rules look at the arguments of a call. Ask them about exact ones under People and access, Rules.",
		);
	}
	if (known >= callers_max) notes.push(`Only the first ${callers_max} are asked about.`);
	return notes;
}
