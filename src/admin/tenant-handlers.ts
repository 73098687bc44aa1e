import { tenants_default, tenants_max } from "./contracts/tenants.ts";
import type { Handler } from "./handlers.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { json } from "./responses.ts";
import type { TenantBackend } from "./tenant-backend.ts";
import type { tenant_operations } from "./tenant-operations.ts";

/** A handler for every operation about tenants. */
export function createTenantHandlers(
	tenants: TenantBackend,
): Record<keyof typeof tenant_operations, Handler> {
	return {
		listTenants(context) {
			const { q, limit: given, cursor } = context.req.query();
			const limit = given === undefined ? tenants_default : Number(given);
			if (!Number.isInteger(limit) || limit < 1 || limit > tenants_max) {
				const message = `limit is a number from 1 to ${tenants_max}.`;
				return problemResponse(problemOf("invalid_request", message));
			}
			return json(tenants.list({ q, limit, cursor }));
		},
		getTenant(context) {
			const name = context.req.param("tenant") as string;
			const found = tenants.get(name, context.req.query("access") === "true");
			if (found !== undefined) return json(found);
			const message = `Nothing is known of a tenant named "${name}".`;
			return problemResponse(problemOf("tenant_unknown", message));
		},
	};
}
