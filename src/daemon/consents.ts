import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { AfterRefusal } from "../upstreams/http/oauth/attempt.ts";
import { OAuthProblem } from "../upstreams/http/oauth/oauth-problem.ts";
import type { GrantFor } from "../upstreams/http/oauth/upstream-auths.ts";

/** Where authorization pages lead back to. */
export const consent_path = "/oauth/callback";

/** The address for one issuer, by which its answers are known from those of others; or for any. */
export function consentPath(issuer: string | undefined): string {
	if (issuer === undefined) return consent_path;
	const tag = createHash("sha256").update(issuer).digest("base64url").slice(0, 22);
	return `${consent_path}/${tag}`;
}

/** Whether an answer came at the address that its page was to lead back to. */
export function isAnsweredAt(page: URL, callback: URL): boolean {
	const wanted = URL.parse(page.searchParams.get("redirect_uri") ?? "");
	// What is in front of the gateway may have taken a part of the path away.
	return wanted?.pathname.endsWith(callback.pathname) === true;
}

/** How long a person has; pages are opened from a log line. */
const consent_ms = 600_000;
/** Authorizations that wait at one time for one person, or for all of a tenant or gateway. */
const consents_each_max = 256;
/** And for all together, so that nobody alone keeps others from being asked. */
const consents_max = 16_384;

/** Who agreed on our own page, and in which browser. */
export interface Begun {
	readonly principal: string;
	/** SHA-256 of what was left in that browser alone. */
	readonly bond_hash: string;
}

/** An authorization that waits for a person. */
export interface Waiting {
	readonly who: GrantFor;
	/** The page of the authorization server. */
	readonly page: URL;
	/** Who was led there by our own page: nobody else may answer. */
	begun: Begun | undefined;
	/** What comes of it, once it is answered or not wanted any more; never rejects. */
	readonly outcome: Promise<AfterRefusal>;
	/** Takes the address that the page led back to, once. */
	resolve(callback: URL): void;
}

/**
 * Authorizations that wait for a person: each answer is taken once, and only with its `state`.
 */
export class Consents {
	readonly #clock: Clock;
	readonly #log: Log;
	/** What the log says of where to go. */
	readonly #pageFor: (page: URL, who: GrantFor) => string;
	readonly #waiting = new Map<string, Waiting>();
	/** How many wait for each. */
	readonly #counts = new Map<string, number>();
	readonly #listeners = new Set<(waiting: Waiting) => void>();

	constructor(
		clock: Clock,
		log: Log,
		pageFor: (page: URL, who: GrantFor) => string = (page) => page.href,
	) {
		this.#clock = clock;
		this.#log = log;
		this.#pageFor = pageFor;
	}

	/**
	 * Asks for an authorization; rejects when nobody gives it in time, and when `signal` aborts: the
	 * answer is not taken any more then. Whose account it is to be is said, because whoever reads the
	 * log may be somebody else.
	 */
	authorize(
		server: string,
		page: URL,
		state: string,
		{ tenant, user }: GrantOwner,
		signal: AbortSignal,
		outcome: Promise<AfterRefusal>,
	): Promise<URL> {
		if (signal.aborted) return Promise.reject(new Error("nobody wants it any more"));
		const too_many = this.#tooMany({ tenant, user });
		if (too_many !== undefined) return Promise.reject(new OAuthProblem(too_many));
		const who = { tenant, user, server };
		this.#log.warn(
			{ page: this.#pageFor(page, who), ...who },
			`server "${server}" needs ${authorizer(who)}: open the page within 10 minutes`,
		);
		return new Promise((resolve, reject) => {
			const end = () => {
				timer.cancel();
				signal.removeEventListener("abort", withdraw);
				if (this.#waiting.delete(state)) this.#count(who, -1);
			};
			const withdraw = () => {
				end();
				reject(new Error("it was withdrawn"));
			};
			const timer = this.#clock.afterIdle(consent_ms, () => {
				end();
				reject(new Error("nobody answered"));
			});
			signal.addEventListener("abort", withdraw, { once: true });
			const waiting: Waiting = {
				who,
				page,
				begun: undefined,
				outcome,
				resolve: (callback) => {
					end();
					resolve(callback);
				},
			};
			this.#waiting.set(state, waiting);
			this.#count(who, 1);
			for (const listener of [...this.#listeners]) listener(waiting);
		});
	}

	/** Why somebody cannot be asked for another one now; undefined where they can. */
	#tooMany(owner: GrantOwner): string | undefined {
		if ((this.#counts.get(ownerKey(owner)) ?? 0) >= consents_each_max) {
			return (
				`${consents_each_max} authorizations of yours wait for an answer already. Answer some on the ` +
				"page /oauth/connect, or wait ten minutes, then try again."
			);
		}
		if (this.#waiting.size < consents_max) return undefined;
		return (
			`${consents_max} authorizations wait for an answer, and no more are asked for meanwhile. ` +
			"Try again in ten minutes."
		);
	}

	#count(owner: GrantOwner, more: number): void {
		const key = ownerKey(owner);
		const count = (this.#counts.get(key) ?? 0) + more;
		if (count === 0) this.#counts.delete(key);
		else this.#counts.set(key, count);
	}

	/** What waits for an answer with this `state`. */
	withState(state: string): Waiting | undefined {
		return this.#waiting.get(state);
	}

	/** What somebody is asked for at a server now. */
	of({ tenant, user, server }: GrantFor): Waiting | undefined {
		return [...this.#waiting.values()].find(
			({ who }) => who.tenant === tenant && who.user === user && who.server === server,
		);
	}

	/** What somebody is asked for at a server as soon as they are; never, once `signal` aborts. */
	next(who: GrantFor, signal: AbortSignal): Promise<Waiting> {
		return new Promise((resolve) => {
			const look = () => {
				const found = this.of(who);
				if (found === undefined) return;
				this.#listeners.delete(look);
				resolve(found);
			};
			this.#listeners.add(look);
			signal.addEventListener("abort", () => this.#listeners.delete(look), { once: true });
			look();
		});
	}
}

function ownerKey({ tenant, user }: GrantOwner): string {
	return JSON.stringify([tenant, user]);
}

function authorizer({ tenant, user }: GrantOwner): string {
	if (tenant === "") return "your authorization";
	return `the authorization of ${user === "" ? `the tenant ${tenant}` : `${tenant}/${user}`}`;
}
