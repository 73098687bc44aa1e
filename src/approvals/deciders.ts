import { partsOfPrincipal } from "../identity/principal.ts";
import type { Approval } from "./approval.ts";

/** Whoever looks at approvals or decides about them. */
export interface Decider {
	/** Id of a principal; the holder of the admin token is `admin`. */
	readonly id: string;
	readonly tenant: string;
	readonly roles: readonly string[];
}

const role_prefix = "role:";
const default_roles = ["approver", "admin"];

/** Whether somebody may know of an approval at all: admins, and people of the caller's tenant. */
export function maySee(approval: Approval, who: Decider): boolean {
	if (who.roles.includes("admin") || who.id === approval.principal) return true;
	if (who.tenant !== approval.tenant) return false;
	return isApprover(approval, who) || who.roles.some((role) => role === "auditor");
}

/** Why somebody may not decide: a sentence; undefined when they may. */
export function whyNotDecide(approval: Approval, who: Decider): string | undefined {
	if (!isApprover(approval, who)) {
		const { approvers } = approval.demand;
		const wanted = approvers.length === 0 ? default_roles.map((r) => role_prefix + r) : approvers;
		return `Only these may decide: ${wanted.join(", ")}.`;
	}
	if (approval.demand.other_than_caller && who.id === approval.principal) {
		return "Somebody else than the caller has to decide.";
	}
	return undefined;
}

function isApprover({ demand, tenant }: Approval, who: Decider): boolean {
	const is_admin = who.roles.includes("admin");
	// Whoever administers the gateway belongs to no tenant; everybody else decides for their own.
	if (!is_admin && who.tenant !== tenant) return false;
	if (demand.approvers.length === 0) {
		return default_roles.some((role) => who.roles.includes(role));
	}
	return demand.approvers.some((wanted) =>
		wanted.startsWith(role_prefix)
			? who.roles.includes(wanted.slice(role_prefix.length))
			: wanted === who.id || (!wanted.includes("/") && wanted === partsOfPrincipal(who.id).user),
	);
}
