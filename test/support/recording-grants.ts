import type { Caller } from "../../src/admin/caller.ts";
import type {
	MyGrant,
	RevokedGrants,
	UpstreamGrantEntry,
} from "../../src/admin/contracts/upstream-grants.ts";
import type { GrantBackend } from "../../src/admin/grant-backend.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

const issuers: RevokedGrants["issuers"] = [{ issuer: "https://login.example", outcome: "revoked" }];

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
		if (grant.server === "notes")
			return Promise.resolve(succeed({ ...grant, removed: 1, issuers }));
		return Promise.resolve(fail(problemOf("upstream_grant_unknown", "There is none.")));
	}

	mine(caller: Caller): Promise<MyGrant[]> {
		this.#calls.push(`grants.mine(${caller.principal.id})`);
		const notes = { server: "notes", used_by: "you", connectable: true, connected: false } as const;
		return Promise.resolve([notes]);
	}

	connect(server: string, caller: Caller): Result<{ url: string }, AdminProblem> {
		this.#calls.push(`grants.connect(${server}, ${caller.principal.id})`);
		if (server !== "notes") return fail(problemOf("server_unknown", "There is none."));
		return succeed({ url: "http://127.0.0.1:1/oauth/connect/notes" });
	}

	revokeMine(server: string, caller: Caller): Promise<Result<RevokedGrants, AdminProblem>> {
		this.#calls.push(`grants.revokeMine(${server}, ${caller.principal.id})`);
		const { tenant, user } = caller.principal;
		if (server === "notes")
			return Promise.resolve(succeed({ tenant, user, server, removed: 1, issuers }));
		return Promise.resolve(fail(problemOf("upstream_grant_unknown", "There is none.")));
	}
}
