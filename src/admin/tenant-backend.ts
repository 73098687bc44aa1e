import type { TenantDetails, TenantPage } from "./contracts/tenants.ts";

/** Which tenants are wanted. */
export interface TenantQuery {
	/** What their names hold; undefined: anything. */
	readonly q: string | undefined;
	readonly limit: number;
	/** `next` of the page before. */
	readonly cursor: string | undefined;
}

/** What the admin API can see of tenants. */
export interface TenantBackend {
	list(query: TenantQuery): TenantPage;
	/**
	 * Undefined where nothing is known of a tenant of that name.
	 * @param with_access whether it is found out what its members may use, which takes a look at
	 *   every rule for every tool
	 */
	get(tenant: string, with_access: boolean): TenantDetails | undefined;
}
