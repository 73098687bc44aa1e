import type { Audience } from "../catalog/readings.ts";
import type { Scope, ServerPlan } from "../config/plan.ts";
import type { InstanceKey } from "../hosting/hosting.ts";
import { local_principal, partsOfPrincipal } from "../identity/principal.ts";
import type { ClientSide } from "./call.ts";

/** The part of a client that says who it is; what it calls itself is never part of it. */
export type Who = Pick<ClientSide, "session_id" | "principal" | "client_id">;

/** Who shares an instance, as a text: equal for those who do. */
export function scopeKey(scope: Scope, who: Who): string {
	switch (scope) {
		case "shared":
			return "";
		case "tenant":
			return `tenant:${partsOfPrincipal(who.principal).tenant}`;
		case "user":
			return `user:${who.principal}`;
		case "session":
			// A modern client has no session: its person and what was authenticated stand for one.
			if (who.session_id !== undefined) return session_prefix + who.session_id;
			return `client:${who.principal} ${who.client_id ?? ""}`;
	}
}

const session_prefix = "session:";

/** The session that a scope key stands for, where it stands for one. */
export function sessionOfScope(scope_key: string): string | undefined {
	return scope_key.startsWith(session_prefix) ? scope_key.slice(session_prefix.length) : undefined;
}

/** The clients that an instance works for, as its server's catalog sees them. */
export function audienceOf({ scope_key, capabilities }: InstanceKey): Audience {
	return { scope_key, capabilities, lasting: sessionOfScope(scope_key) === undefined };
}

/** Whether instances of this scope key work for this client, too. */
export function sharesScope(scope_key: string, who: Who): boolean {
	return all_scopes.some((scope) => scopeKey(scope, who) === scope_key);
}

const all_scopes: readonly Scope[] = ["shared", "tenant", "user", "session"];

/**
 * True where nothing tells this client from others, so that an instance for each of them cannot
 * be had: it has no session, and nobody was authenticated.
 */
export function isIndistinct(who: Who): boolean {
	return callerOf(who) === undefined;
}

/** One text for a client that sticks to its replica and waits its turn; undefined: anybody. */
export function callerOf({ session_id, principal, client_id }: Who): string | undefined {
	if (session_id !== undefined) return session_prefix + session_id;
	if (client_id === undefined && principal === local_principal.id) return undefined;
	return `client:${principal} ${client_id ?? ""}`;
}

/** By what a task is found again: the client it was made for, else the person. */
export function ownersOf(who: Who): readonly string[] {
	const caller = callerOf(who);
	const person = `person:${who.principal}`;
	return caller === undefined ? [person] : [caller, person];
}

/** What to say to a client that cannot have the instance of its own that a server wants. */
export function scopeProblem(server: ServerPlan, who: Who): string | undefined {
	if (server.scope !== "session" || !isIndistinct(who)) return undefined;
	return (
		`The server "${server.name}" has one instance for each session (\`scope: session\`), and ` +
		"this client has no session and was not authenticated. Set its scope to `user` or `shared`, " +
		"or give clients API keys."
	);
}
