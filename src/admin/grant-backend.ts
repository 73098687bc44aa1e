import type { Result } from "../lib/result.ts";
import type { Caller } from "./caller.ts";
import type { MyGrant, RevokedGrants, UpstreamGrantEntry } from "./contracts/upstream-grants.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see and do with authorizations at remote servers. */
export interface GrantBackend {
	list(): Promise<readonly UpstreamGrantEntry[]>;
	/** Empty texts for `tenant` and `user`: the gateway's own. */
	revoke(
		grant: Pick<UpstreamGrantEntry, "tenant" | "user" | "server">,
	): Promise<Result<RevokedGrants, AdminProblem>>;
	/** What somebody has connected, and what they could. */
	mine(caller: Caller): Promise<readonly MyGrant[]>;
	/** The page on which somebody connects their account at a server. */
	connect(server: string, caller: Caller): Result<{ readonly url: string }, AdminProblem>;
	/** Ends what is somebody's own. */
	revokeMine(server: string, caller: Caller): Promise<Result<RevokedGrants, AdminProblem>>;
}
