import type {
	RevokedGrants,
	UpstreamGrantEntry,
} from "../../src/admin/contracts/upstream-grants.ts";
import type { GrantBackend } from "../../src/admin/grant-backend.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

/** Authorizations that do nothing and remember what was asked. There are some for `notes`. */
export class RecordingGrants implements GrantBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	list(): Promise<UpstreamGrantEntry[]> {
		this.#calls.push("grants.list()");
		const owner = { tenant: "acme", user: "ana", server: "notes" };
		const issuer = "https://login.example";
		const times = { renew_at_ms: 3, created_at_ms: 1, changed_at_ms: 2 };
		return Promise.resolve([{ ...owner, issuer, scopes: ["read"], renewable: true, ...times }]);
	}

	revoke(
		grant: Pick<UpstreamGrantEntry, "tenant" | "user" | "server">,
	): Promise<Result<RevokedGrants, AdminProblem>> {
		this.#calls.push(`grants.revoke(${grant.tenant},${grant.user},${grant.server})`);
		if (grant.server === "notes") return Promise.resolve(succeed({ ...grant, removed: 1 }));
		return Promise.resolve(fail(problemOf("upstream_grant_unknown", "There is none.")));
	}
}
