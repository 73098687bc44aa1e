import { partsOfPrincipal } from "../identity/principal.ts";
import type { Approval } from "./approval.ts";

/** Whoever looks at approvals or decides about them. */
export interface Decider {
	/** Id of a principal; the holder of the admin token is `admin`. */
	readonly id: string;
	readonly tenant: string;
	readonly roles: readonly string[];
	/** For whom a webhook vouches: id of the principal that decided there. */
	readonly person?: string | undefined;
}

const role_prefix = "role:";
const default_roles = ["approver", "admin"];

/** Whether somebody may know of an approval at all: admins, and people of the caller's tenant. */
export function maySee(approval: Approval, who: Decider): boolean {
	if (who.roles.includes("admin") || isCaller(approval, who.id)) return true;
	if (who.tenant !== approval.tenant) return false;
	return isApprover(approval, who) || who.roles.some((role) => role === "auditor");
}

/** Why somebody may not decide: a sentence; undefined when they may. */
export function whyNotDecide(approval: Approval, who: Decider): string | undefined {
	if (!isApprover(approval, who)) {
		const { approvers, also_among = [] } = approval.demand;
		const wanted = approvers.length === 0 ? default_roles.map((r) => role_prefix + r) : approvers;
		const all = [wanted, ...also_among].map((names) => names.join(", "));
		return `Only these may decide: ${all.join("; of them those who are also among: ")}.`;
	}
	if (!approval.demand.other_than_caller) return undefined;
	const { principal, made_by } = approval;
	const { id, person } = who;
	const is_named = [principal, made_by].some(
		(caller) => caller !== undefined && person !== undefined && isVouchedFor(person, caller),
	);
	if (!is_named && !isCaller(approval, id)) return undefined;
	return "Somebody else than the caller has to decide.";
}

/** Whether a principal calls: who makes a call in another's name is its caller just as much. */
export function isCaller({ principal, made_by }: Approval, id: string): boolean {
	return id === principal || id === made_by;
}

/** Whether a name that a webhook gave means a principal: another spelling is nobody else. */
export function isVouchedFor(name: string, principal: string): boolean {
	return spelled(name) === spelled(principal);
}

function spelled(name: string): string {
	return name.normalize("NFKC").toLowerCase();
}

/** Whether somebody is among those whom every demand names. */
function isApprover({ demand, tenant }: Approval, who: Decider): boolean {
	const is_admin = who.roles.includes("admin");
	// Whoever administers the gateway belongs to no tenant; everybody else decides for their own.
	if (!is_admin && who.tenant !== tenant) return false;
	if (demand.approvers.length === 0) {
		return default_roles.some((role) => who.roles.includes(role));
	}
	return [demand.approvers, ...(demand.also_among ?? [])].every((names) => isAmong(names, who));
}

function isAmong(names: readonly string[], who: Decider): boolean {
	return names.some((wanted) =>
		wanted.startsWith(role_prefix)
			? who.roles.includes(wanted.slice(role_prefix.length))
			: wanted === who.id || (!wanted.includes("/") && wanted === partsOfPrincipal(who.id).user),
	);
}
