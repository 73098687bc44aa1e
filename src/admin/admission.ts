import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Principal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { isSameText } from "../lib/same-text.ts";
import type { FaultCode } from "../protocol/fault.ts";
import { bearerOf, createTokenCheck } from "./auth.ts";
import { admin_principal, adminRolesOf, type Caller } from "./caller.ts";
import type {
	DashboardSessions,
	FoundSession,
	PersonHolder,
	SessionHolder,
} from "./dashboard-sessions.ts";
import { type AdminProblem, problemOf } from "./problem.ts";
import { type CookieOptions, PageCookie } from "./session-cookie.ts";
import type { Leaving, SignInBackend } from "./sign-in-backend.ts";

/** What decides who may come in. */
export interface AdmissionOptions extends CookieOptions {
	/** The admin token of the data folder. */
	readonly token: string;
	readonly sessions: DashboardSessions;
	readonly clock: Clock;
	readonly random: Random;
	readonly sign_in: SignInBackend;
	/**
	 * Who a credential other than the admin token belongs to; undefined where identity is off or
	 * does not know it. The request itself is there where the credential came with it; `again` where
	 * the same request was let in before, and what it proved then is not asked for once more.
	 */
	identify(
		credential: string,
		request: IncomingMessage | undefined,
		again?: boolean,
	): Promise<Principal | undefined>;
	/** Why somebody who is known may not come in all the same; undefined: nothing is against it. */
	obstacle(
		who: Principal,
	): (Pick<AdminProblem, "message"> & { readonly code: FaultCode }) | undefined;
	/** Who somebody is now who signed in with their name; undefined: nobody any more. */
	person(holder: PersonHolder): Principal | undefined;
}

/** Somebody whose browser has a session. */
export type SignedInCaller = Caller & { readonly session_id: string; readonly csrf: string };

/** What a browser is given that somebody has signed in in. */
export interface SignedInBrowser {
	/** `Set-Cookie` */
	readonly cookie: string;
	readonly csrf: string;
	readonly expires_at_ms: number;
}

/** Name of the header that carries the anti-forgery token. */
export const csrf_header = "x-moorage-csrf";

const reading = new Set(["GET", "HEAD"]);
/** Values of `Sec-Fetch-Site` that a request of our own page, or of an address bar, has. */
const own_sites = new Set(["same-origin", "none"]);

/** Decides who a request of the admin API is from. */
export class Admission {
	readonly #options: AdmissionOptions;
	readonly #cookie: PageCookie;
	readonly #isAdminToken: (header: string | undefined) => boolean;

	constructor(options: AdmissionOptions) {
		this.#options = options;
		this.#cookie = new PageCookie(options);
		this.#isAdminToken = createTokenCheck(options.token);
	}

	/** Who sent a request, or why nobody may. A bearer credential counts before a cookie. */
	async admit(context: Context): Promise<Result<Caller, AdminProblem>> {
		const header = context.req.header("authorization");
		if (header !== undefined) {
			const credential = bearerOf(header);
			if (credential === undefined || credential === "") return fail(wrong_token);
			return this.find({ kind: "credential", credential }, incomingOf(context));
		}
		const token = this.#cookie.read(context.req.header("cookie"));
		if (token === undefined) return fail(no_token);
		const session = this.#options.sessions.find(token);
		if (session === undefined) return fail(session_over);
		const forged = forgeryIn(context, session);
		if (forged !== undefined) return fail(forged);
		const found = await this.#sessionCaller(session);
		return found.ok || found.problem !== wrong_token ? found : fail(session_over);
	}

	/** Who is signed in in the browser that sent a `Cookie` header; undefined: nobody. */
	async visitor(header: string | undefined): Promise<SignedInCaller | undefined> {
		const token = this.#cookie.read(header);
		const session = token === undefined ? undefined : this.#options.sessions.find(token);
		const found = session === undefined ? undefined : await this.#sessionCaller(session);
		return found?.ok === true ? found.value : undefined;
	}

	/**
	 * Whether whoever sent a request that was let in would be let in again, as the same person with
	 * the same roles.
	 */
	async isStill(caller: Caller, context: Context): Promise<boolean> {
		const { holder, session_id, principal, roles } = caller;
		const { sessions } = this.#options;
		if (session_id !== undefined && !sessions.isOpen(session_id)) return false;
		const request = session_id === undefined ? incomingOf(context) : undefined;
		const now = await this.find(holder, request, true);
		if (!now.ok || now.value.principal.id !== principal.id) return false;
		const held = now.value.roles;
		return held.length === roles.length && held.every((role) => roles.includes(role));
	}

	/** Who somebody is, or why they may not come in. */
	async find(
		holder: SessionHolder,
		request: IncomingMessage | undefined,
		again = false,
	): Promise<Result<Caller, AdminProblem>> {
		if (holder.kind !== "credential") {
			return this.#let(this.#options.person(holder), holder);
		}
		const { credential } = holder;
		if (this.#isAdminToken(`Bearer ${credential}`)) {
			return succeed({ principal: admin_principal, roles: ["admin"], holder, ...no_session });
		}
		return this.#let(await this.#options.identify(credential, request, again), holder);
	}

	#let(principal: Principal | undefined, holder: SessionHolder): Result<Caller, AdminProblem> {
		if (principal === undefined) return fail(wrong_token);
		const obstacle = this.#options.obstacle(principal);
		if (obstacle !== undefined) return fail(problemOf(obstacle.code, obstacle.message));
		return succeed({ principal, roles: adminRolesOf(principal.roles), holder, ...no_session });
	}

	/**
	 * Signs somebody in who was found to be this caller. The token is always a new one, whatever the
	 * browser had before, and the session it had ends.
	 * @param header the `Cookie` header of the request
	 */
	async signIn(caller: Caller, header: string | undefined): Promise<SignedInBrowser> {
		const { sessions } = this.#options;
		const before = this.#cookie.read(header);
		const session = before === undefined ? undefined : sessions.find(before);
		const opened = await sessions.open(caller.holder, caller.principal.id, session?.id);
		const { token, csrf, expires_at_ms, lasts_ms } = opened;
		return { cookie: this.#cookie.write(token, lasts_ms), csrf, expires_at_ms };
	}

	/** Signs somebody out where they signed in; nothing is left to do of a key or a token. */
	async leave(
		holder: SessionHolder,
		account: string,
		request: IncomingMessage | undefined,
	): Promise<Leaving> {
		if (holder.kind === "credential") return { cookies: [] };
		return this.#options.sign_in.leave(holder, account, request);
	}

	/** The `Set-Cookie` of whoever signs out. */
	get sign_out_cookie(): string {
		return this.#cookie.clear();
	}

	async #sessionCaller(session: FoundSession): Promise<Result<SignedInCaller, AdminProblem>> {
		const found = await this.find(session.holder, undefined);
		if (!found.ok) return found;
		const { id: session_id, csrf, expires_at_ms } = session;
		return succeed({ ...found.value, session_id, csrf, expires_at_ms });
	}
}

/** The request of `node:http` behind one of Hono's; there is none in tests without sockets. */
export function incomingOf(context: Context): IncomingMessage | undefined {
	return (context.env as { readonly incoming?: IncomingMessage } | undefined)?.incoming;
}

/**
 * A cookie is sent by the browser whoever made the request. So a session counts only for requests
 * that say they are from our own page, and changes have to name what only that page can read.
 */
function forgeryIn(context: Context, session: FoundSession): AdminProblem | undefined {
	if (isFromElsewhere(context)) return other_site;
	if (reading.has(context.req.method)) return undefined;
	return isSameText(context.req.header(csrf_header) ?? "", session.csrf) ? undefined : no_csrf;
}

/** Whether a page of another origin sent this, as far as the browser says. */
export function isFromElsewhere(context: Context): boolean {
	const site = context.req.header("sec-fetch-site");
	return site !== undefined && !own_sites.has(site);
}

const no_session = { session_id: undefined, csrf: undefined, expires_at_ms: undefined };

const no_token = problemOf("unauthorized", "The admin API needs a token, a key or a session.");
const wrong_token = problemOf("unauthorized", "This token is not known here.");
const session_over = problemOf("session_over", "This session has ended.");
export const other_site = problemOf(
	"forged_request",
	"A session counts only on the dashboard's own page.",
);
const no_csrf = problemOf("forged_request", `A change needs the session's ${csrf_header} header.`);
