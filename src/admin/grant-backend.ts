import type { Result } from "../lib/result.ts";
import type { RevokedGrants, UpstreamGrantEntry } from "./contracts/upstream-grants.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see and do with authorizations at remote servers. */
export interface GrantBackend {
	list(): Promise<readonly UpstreamGrantEntry[]>;
	/** Empty texts for `tenant` and `user`: the gateway's own. */
	revoke(
		grant: Pick<UpstreamGrantEntry, "tenant" | "user" | "server">,
	): Promise<Result<RevokedGrants, AdminProblem>>;
}
