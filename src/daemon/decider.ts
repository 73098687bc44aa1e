import type { Caller } from "../admin/caller.ts";
import type { Decider } from "../approvals/deciders.ts";

/** Whoever asks the admin API, as somebody who decides. */
export function deciderOf({ principal, roles }: Pick<Caller, "principal" | "roles">): Decider {
	return { id: principal.id, tenant: principal.tenant, roles: [...principal.roles, ...roles] };
}
