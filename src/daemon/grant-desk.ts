import type { Caller } from "../admin/caller.ts";
import type {
	MyGrant,
	RevokedGrants,
	UpstreamGrantEntry,
} from "../admin/contracts/upstream-grants.ts";
import type { GrantBackend } from "../admin/grant-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import type { OAuthSpec } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { type EndedGrant, type ToldIssuer, tellIssuers } from "../upstreams/http/oauth/revoke.ts";
import type { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { GrantFor, UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import type { Connections } from "./connections.ts";
import type { UntoldGrants } from "./untold-grants.ts";

/** What the desk works with. */
export interface GrantDeskParts {
	readonly store: SealedTokenStore;
	readonly auths: UpstreamAuths;
	readonly connections: Connections;
	readonly clock: Clock;
	readonly log: Log;
	/** Those that ended while no gateway ran. */
	readonly untold: Pick<UntoldGrants, "list" | "remove">;
	/** What the configuration says of a server, with its values, where a grant is about that. */
	specOf(who: GrantFor, about: string): Promise<OAuthSpec | undefined>;
}

/** What people do with authorizations at remote servers. */
export class GrantDesk implements GrantBackend {
	readonly #parts: GrantDeskParts;

	constructor(parts: GrantDeskParts) {
		this.#parts = parts;
	}

	mine(caller: Caller): Promise<MyGrant[]> {
		return this.#parts.connections.mine(caller);
	}

	connect(server: string, caller: Caller): Result<{ url: string }, AdminProblem> {
		return this.#parts.connections.connect(server, caller);
	}

	async revokeMine(server: string, caller: Caller): Promise<Result<RevokedGrants, AdminProblem>> {
		const theirs = this.#parts.connections.ownOf(server, caller);
		if (theirs !== undefined) return this.revoke(theirs);
		const message = `You have no authorization at the server "${server}".`;
		return fail(problemOf("upstream_grant_unknown", message));
	}

	async list(): Promise<UpstreamGrantEntry[]> {
		const kept = await this.#parts.store.list();
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

	/**
	 * Ends everything that somebody has authorized or is asked for, wherever that is: what became of
	 * telling the authorization servers.
	 */
	async revokeAll({ tenant, user }: GrantOwner): Promise<ToldIssuer[]> {
		const { store, auths } = this.#parts;
		const theirs = await store.list((owner) => owner.tenant === tenant && owner.user === user);
		const kept = theirs.map(({ owner }) => owner.server);
		const ended: EndedGrant[] = [];
		// All of it ends here before anybody is told, however long that takes.
		for (const server of new Set([...kept, ...auths.serversOf({ tenant, user })])) {
			ended.push(...(await this.#end({ tenant, user, server })).ended);
		}
		return this.#tell(ended);
	}

	async revoke({ tenant, user, server }: GrantFor): Promise<Result<RevokedGrants, AdminProblem>> {
		const who = { tenant, user, server };
		const { removed, was_asked, ended } = await this.#end(who);
		if (removed > 0 || was_asked) {
			const told = await this.#tell(ended);
			const issuers = told.map(({ issuer, outcome }) => ({ issuer, outcome }));
			return succeed({ ...who, removed, issuers });
		}
		const whose = tenant === "" ? "The gateway itself" : `${tenant}/${user}`;
		return fail(
			problemOf(
				"upstream_grant_unknown",
				`${whose} has no authorization at the server "${server}".`,
			),
		);
	}

	/** Ends a grant here: nobody uses it any more, and nobody renews it. */
	async #end(who: GrantFor) {
		const { store, auths, specOf } = this.#parts;
		return auths.inTurn(who, async () => {
			// First, because it cannot fail: where the store does, nobody goes on with what is in memory.
			const was_asked = auths.forget(who);
			const { removed, grants } = await store.revoke(who);
			const ended = grants.map(async ({ grant, about }): Promise<EndedGrant> => {
				return { server: who.server, grant, spec: await specOf(who, about) };
			});
			return { removed, was_asked, ended: await Promise.all(ended) };
		});
	}

	/** Tells the issuer of a token that came when nobody wanted it any more. */
	async tellLate(ended: EndedGrant): Promise<void> {
		await this.#tell([ended]);
	}

	/** Tells the issuers of everything that ended while no gateway ran; what fails is kept. */
	async tellUntold(): Promise<void> {
		const { untold, specOf } = this.#parts;
		const waiting = await untold.list();
		const ended = waiting.map(async ({ who, about, grant }): Promise<EndedGrant> => {
			return { server: who.server, grant, spec: await specOf(who, about) };
		});
		const told = await this.#tell(await Promise.all(ended));
		for (const [at, { outcome }] of told.entries()) {
			const grant = waiting[at];
			if (grant !== undefined && outcome !== "failed") await untold.remove(grant);
		}
	}

	async #tell(ended: readonly EndedGrant[]): Promise<ToldIssuer[]> {
		const { clock, log } = this.#parts;
		const told = await tellIssuers(ended, clock);
		for (const { server, issuer, outcome } of told) {
			if (outcome !== "failed") continue;
			log.warn(
				{ server, issuer },
				"an authorization has ended here, but its authorization server could not be told: end it there as well",
			);
		}
		return told;
	}
}
