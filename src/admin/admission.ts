import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Principal } from "../identity/principal.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { bearerOf, createTokenCheck } from "./auth.ts";
import { admin_principal, adminRolesOf, type Caller } from "./caller.ts";
import type { DashboardSessions, FoundSession } from "./dashboard-sessions.ts";
import { type AdminProblem, problemOf } from "./problem.ts";

/** What decides who may come in. */
export interface AdmissionOptions {
	/** The admin token of the data folder. */
	readonly token: string;
	readonly sessions: DashboardSessions;
	/** Distinguishes the cookies of several gateways on one machine: they share its name. */
	readonly cookie_name: string;
	/** Whether browsers reach this gateway over TLS only. */
	isSecure(): boolean;
	/**
	 * Who a credential other than the admin token belongs to; undefined where identity is off or
	 * does not know it. The request itself is there where the credential came with it.
	 */
	identify(
		credential: string,
		request: IncomingMessage | undefined,
	): Promise<Principal | undefined>;
}

/** Name of the header that carries the anti-forgery token. */
export const csrf_header = "x-moorage-csrf";

const reading = new Set(["GET", "HEAD"]);
/** Values of `Sec-Fetch-Site` that a request of our own page, or of an address bar, has. */
const own_sites = new Set(["same-origin", "none"]);

/** Decides who a request of the admin API is from. */
export class Admission {
	readonly #options: AdmissionOptions;
	readonly #isAdminToken: (header: string | undefined) => boolean;

	constructor(options: AdmissionOptions) {
		this.#options = options;
		this.#isAdminToken = createTokenCheck(options.token);
	}

	/** Who sent a request, or why nobody may. A bearer credential counts before a cookie. */
	async admit(context: Context): Promise<Result<Caller, AdminProblem>> {
		const header = context.req.header("authorization");
		if (header !== undefined) {
			const credential = bearerOf(header);
			const incoming = incomingOf(context);
			const caller = credential && (await this.identify(credential, incoming));
			return caller === undefined || caller === "" ? fail(wrong_token) : succeed(caller);
		}
		const token = this.cookie(context);
		if (token === undefined) return fail(no_token);
		const session = this.#options.sessions.find(token);
		if (session === undefined) return fail(session_over);
		const forged = forgeryIn(context, session);
		if (forged !== undefined) return fail(forged);
		const caller = await this.identify(session.credential, undefined);
		if (caller === undefined) return fail(session_over);
		const { id: session_id, csrf, expires_at_ms } = session;
		return succeed({ ...caller, session_id, csrf, expires_at_ms });
	}

	/** Whom a credential belongs to. */
	async identify(
		credential: string,
		request: IncomingMessage | undefined,
	): Promise<Caller | undefined> {
		const nothing = { session_id: undefined, csrf: undefined, expires_at_ms: undefined };
		if (this.#isAdminToken(`Bearer ${credential}`)) {
			return { principal: admin_principal, roles: ["admin"], credential, ...nothing };
		}
		const principal = await this.#options.identify(credential, request);
		if (principal === undefined) return undefined;
		const roles = adminRolesOf(principal.roles);
		return { principal, roles, credential, ...nothing };
	}

	/** The session token of a request's cookie. */
	cookie(context: Context): string | undefined {
		const name = `${this.#options.cookie_name}=`;
		const cookies = (context.req.header("cookie") ?? "").split(/; */);
		const value = cookies.find((one) => one.startsWith(name))?.slice(name.length);
		return value === undefined || !/^[A-Za-z0-9_-]{43}$/.test(value) ? undefined : value;
	}

	/** The `Set-Cookie` that carries a session; without a token, the one that takes it away. */
	setCookie(token: string | undefined, max_age_s: number): string {
		const { cookie_name } = this.#options;
		const secure = this.#options.isSecure() ? "; Secure" : "";
		const age = token === undefined ? 0 : max_age_s;
		const rest = `Path=/api; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`;
		return `${cookie_name}=${token ?? ""}; ${rest}`;
	}
}

/** The request of `node:http` behind one of Hono's; there is none in tests without sockets. */
function incomingOf(context: Context): IncomingMessage | undefined {
	return (context.env as { readonly incoming?: IncomingMessage } | undefined)?.incoming;
}

/**
 * A cookie is sent by the browser whoever made the request. So a session counts only for requests
 * that say they are from our own page, and changes have to name what only that page can read.
 */
function forgeryIn(context: Context, session: FoundSession): AdminProblem | undefined {
	const site = context.req.header("sec-fetch-site");
	if (site !== undefined && !own_sites.has(site)) return other_site;
	if (reading.has(context.req.method)) return undefined;
	const presented = Buffer.from(context.req.header(csrf_header) ?? "");
	const expected = Buffer.from(session.csrf);
	const is_same = presented.length === expected.length && timingSafeEqual(presented, expected);
	return is_same ? undefined : no_csrf;
}

const no_token = problemOf("unauthorized", "The admin API needs a token, a key or a session.");
const wrong_token = problemOf("unauthorized", "This token is not known here.");
const session_over = problemOf("session_over", "This session has ended.");
const other_site = problemOf(
	"forged_request",
	"A session counts only on the dashboard's own page.",
);
const no_csrf = problemOf("forged_request", `A change needs the session's ${csrf_header} header.`);
