import { callerOf } from "./caller.ts";
import type { GrantBackend } from "./grant-backend.ts";
import type { grant_operations } from "./grant-operations.ts";
import type { Handler } from "./handlers.ts";
import { json, outcome } from "./responses.ts";

/** A handler for every operation about authorizations at remote servers. */
export function createGrantHandlers(
	grants: GrantBackend,
): Record<keyof typeof grant_operations, Handler> {
	return {
		listMyGrants: async (context) => json({ grants: await grants.mine(callerOf(context)) }),
		connectMyGrant(context) {
			const page = grants.connect(context.req.param("server") as string, callerOf(context));
			return outcome(page);
		},
		async revokeMyGrant(context) {
			const server = context.req.param("server") as string;
			return outcome(await grants.revokeMine(server, callerOf(context)));
		},
		listUpstreamGrants: async () => json({ grants: await grants.list() }),
		async revokeUpstreamGrant(context) {
			const server = context.req.param("server") as string;
			const tenant = context.req.query("tenant") ?? "";
			const user = context.req.query("user") ?? "";
			return outcome(await grants.revoke({ tenant, user, server }));
		},
	};
}
