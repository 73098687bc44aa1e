import type { RevokedGrants, UpstreamGrantEntry } from "../admin/contracts/upstream-grants.ts";
import type { GrantBackend } from "../admin/grant-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { GrantFor, UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";

/** What people do with authorizations at remote servers. */
export class GrantDesk implements GrantBackend {
	readonly #store: SealedTokenStore;
	readonly #auths: UpstreamAuths;

	constructor(store: SealedTokenStore, auths: UpstreamAuths) {
		this.#store = store;
		this.#auths = auths;
	}

	async list(): Promise<UpstreamGrantEntry[]> {
		const kept = await this.#store.list();
		return kept.map(({ owner, grant, created_at_ms, changed_at_ms }) => ({
			...owner,
			issuer: grant.issuer,
			scopes: [...grant.scopes],
			renewable: grant.refresh_token !== undefined,
			...(grant.renew_at_ms !== undefined && { renew_at_ms: grant.renew_at_ms }),
			created_at_ms,
			changed_at_ms,
		}));
	}

	/** Ends everything that somebody has authorized, wherever that was. */
	async revokeAll({ tenant, user }: GrantOwner): Promise<void> {
		const theirs = (await this.list()).filter(
			(entry) => entry.tenant === tenant && entry.user === user,
		);
		for (const server of new Set(theirs.map((entry) => entry.server))) {
			await this.revoke({ tenant, user, server });
		}
	}

	async revoke({ tenant, user, server }: GrantFor): Promise<Result<RevokedGrants, AdminProblem>> {
		const who = { tenant, user, server };
		const removed = await this.#auths.inTurn(who, async () => {
			const count = await this.#store.revoke(who);
			this.#auths.forget(who);
			return count;
		});
		if (removed > 0) return succeed({ ...who, removed });
		const whose = tenant === "" ? "The gateway itself" : `${tenant}/${user}`;
		return fail(
			problemOf(
				"upstream_grant_unknown",
				`${whose} has no authorization at the server "${server}".`,
			),
		);
	}
}
