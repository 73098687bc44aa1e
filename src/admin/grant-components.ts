import type { z } from "zod";
import * as grants from "./contracts/upstream-grants.ts";

/** Component names of the schemas of upstream authorization in the OpenAPI document. */
export const grant_components: Readonly<Record<string, z.ZodType>> = {
	UpstreamGrant: grants.upstream_grant_schema,
	UpstreamGrants: grants.upstream_grants_schema,
	MyGrant: grants.my_grant_schema,
	MyGrants: grants.my_grants_schema,
	ConnectPage: grants.connect_page_schema,
	RevokedUpstreamGrants: grants.revoked_grants_schema,
};
