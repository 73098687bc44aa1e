import type { Context } from "hono";
import { local_principal, type Principal } from "../identity/principal.ts";
import { assert } from "../lib/assert.ts";
import type { SessionHolder } from "./dashboard-sessions.ts";

/** What people may be towards the admin API. `admin` may everything. */
export const admin_roles = ["admin", "operator", "auditor", "approver", "member"] as const;
export type AdminRole = (typeof admin_roles)[number];

/** Who asks the admin API for something. */
export interface Caller {
	/** Its id is `admin` for whoever has the admin token. */
	readonly principal: Principal;
	readonly roles: readonly AdminRole[];
	/** The credential as it was presented, or what the session stands for. */
	readonly holder: SessionHolder;
	/** The session that the request came with, if it did. */
	readonly session_id: string | undefined;
	/** Header value that changes need, for sessions. */
	readonly csrf: string | undefined;
	readonly expires_at_ms: number | undefined;
}

declare module "hono" {
	/** What Hono carries through a request of ours. */
	interface ContextVariableMap {
		caller: Caller;
	}
}

/** Whoever has the admin token: the person who runs the gateway. */
export const admin_principal: Principal = Object.freeze({
	...local_principal,
	id: "admin",
	user: "admin",
	roles: ["admin"],
});

/** Who sent this request. Only handlers behind the admission may ask. */
export function callerOf(context: Context): Caller {
	const caller = context.get("caller") as Caller | undefined;
	assert(caller !== undefined, "nobody gets here without being known");
	return caller;
}

/** True for `admin`, and for whoever has one of these roles. */
export function hasRole(caller: Pick<Caller, "roles">, roles: readonly AdminRole[]): boolean {
	return caller.roles.some((role) => role === "admin" || roles.includes(role));
}

/**
 * The admin roles among those of a principal. Whoever is somebody here is a member at least: they
 * may see what is theirs.
 */
export function adminRolesOf(roles: readonly string[]): readonly AdminRole[] {
	const held = admin_roles.filter((role) => roles.includes(role));
	return held.includes("member") ? held : [...held, "member"];
}
