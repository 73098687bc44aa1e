import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Html, html } from "../login/html.ts";
import { readForm } from "../login/read-form.ts";
import { style } from "../login/style.ts";
import { Admission, type AdmissionOptions } from "./admission.ts";
import type { Caller } from "./caller.ts";
import { session_ms } from "./dashboard-sessions.ts";
import type { ApprovalView, SafetyBackend } from "./safety-backend.ts";

const path_form = /^\/approvals\/(appr_[A-Za-z0-9_-]{1,64})$/;
const approvals_style = `${style}pre { white-space: pre-wrap; overflow-wrap: anywhere; }`;
const style_hash = createHash("sha256").update(approvals_style).digest("base64");

/** As it is: the style is ours, and escaping would change what was hashed. */
const style_element = new Html(`<style>${approvals_style}</style>`);

/** Headers of every page: nothing is loaded, framed, kept or told to where a link leads. */
const headers = {
	"content-type": "text/html; charset=utf-8",
	"cache-control": "no-store",
	"content-security-policy":
		`default-src 'none'; style-src 'sha256-${style_hash}'; form-action 'self'; ` +
		"frame-ancestors 'none'; base-uri 'none'",
	"referrer-policy": "no-referrer",
	"x-content-type-options": "nosniff",
};

/** Somebody who is signed in on these pages. */
interface Visitor {
	readonly caller: Caller;
	/** Every form of theirs has it: a page of another origin cannot know it. */
	readonly csrf: string;
}

/**
 * The pages on which people decide about calls, made for phones and without scripts. They have a
 * session of their own: its cookie comes along when a link in a chat leads here, and no further
 * than here; changes need what only the page itself has.
 */
export class ApprovalPages {
	readonly #backend: SafetyBackend;
	readonly #options: AdmissionOptions;
	readonly #admission: Admission;

	constructor(backend: SafetyBackend, options: AdmissionOptions) {
		this.#backend = backend;
		this.#options = options;
		this.#admission = new Admission(options);
	}

	/** Answers a request below `/approvals/`; rejects only where something of ours is broken. */
	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const [path = ""] = (request.url ?? "").split("?", 1);
		const id = path_form.exec(path)?.[1];
		if (id === undefined) return answer(response, 404, nothing);
		const visitor = await this.#visitor(request);
		if (request.method === "POST") return this.#post(id, visitor, request, response);
		if (request.method !== "GET") return answer(response, 405, nothing, { allow: "GET, POST" });
		if (visitor === undefined) return answer(response, 401, signInPage(undefined));
		return this.#show(id, visitor, 200, undefined, response);
	}

	async #post(
		id: string,
		visitor: Visitor | undefined,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const site = request.headers["sec-fetch-site"];
		const form = await readForm(request);
		if (form === undefined || (site !== undefined && site !== "same-origin")) {
			return answer(response, 400, message("This is not from our own page. Open the link again."));
		}
		if (form.has("credential")) return this.#signIn(id, form, response);
		if (visitor === undefined) return answer(response, 401, signInPage("Sign in again."));
		if (!isSame(form.get("csrf") ?? "", visitor.csrf)) {
			return answer(response, 403, message("This form is too old. Open the link again."));
		}
		const verdict = form.get("verdict") === "approve" ? "approve" : "deny";
		const reason = form.get("reason")?.trim() || undefined;
		const arguments_hash = form.get("arguments_hash") ?? "";
		const edited = form.get("arguments") ?? undefined;
		const decision = {
			verdict,
			arguments_hash,
			...(reason === undefined ? {} : { reason }),
		} as const;
		const wanted = edited === undefined || edited === form.get("before") ? undefined : edited;
		const decided = await this.#backend.decide(id, decision, wanted, visitor.caller);
		if (!decided.ok) return this.#show(id, visitor, 409, decided.problem.message, response);
		response.writeHead(303, { location: `/approvals/${id}`, "cache-control": "no-store" });
		response.end();
	}

	async #signIn(id: string, form: URLSearchParams, response: ServerResponse): Promise<void> {
		const credential = (form.get("credential") ?? "").trim();
		const caller = await this.#admission.identify(credential, undefined);
		if (caller === undefined) return answer(response, 401, signInPage("That is not known here."));
		const { token } = await this.#options.sessions.open(credential, caller.principal.id);
		const secure = this.#options.isSecure() ? "; Secure" : "";
		const age_s = Math.floor(session_ms / 1000);
		const cookie = `${this.#cookie}=${token}; Path=/approvals; HttpOnly; SameSite=Lax; Max-Age=${age_s}`;
		response.writeHead(303, {
			location: `/approvals/${id}`,
			"set-cookie": cookie + secure,
			"cache-control": "no-store",
		});
		response.end();
	}

	async #show(
		id: string,
		{ caller, csrf }: Visitor,
		status: number,
		problem: string | undefined,
		response: ServerResponse,
	): Promise<void> {
		const approval = await this.#backend.approval(id, caller);
		if (approval === undefined) return answer(response, 404, nothing);
		answer(response, status, approvalPage(approval, csrf, problem));
	}

	/** The credential is looked at anew each time: whoever loses it is no longer signed in. */
	async #visitor(request: IncomingMessage): Promise<Visitor | undefined> {
		const name = `${this.#cookie}=`;
		const cookies = (request.headers.cookie ?? "").split(/; */);
		const token = cookies.find((one) => one.startsWith(name))?.slice(name.length);
		const session = token === undefined ? undefined : this.#options.sessions.find(token);
		if (session === undefined) return undefined;
		const caller = await this.#admission.identify(session.credential, undefined);
		return caller && { caller, csrf: session.csrf };
	}

	get #cookie(): string {
		return `${this.#options.cookie_name}_approvals`;
	}
}

function answer(
	response: ServerResponse,
	status: number,
	page: Html,
	more: Readonly<Record<string, string>> = {},
): void {
	response.writeHead(status, { ...headers, ...more });
	response.end(page.text);
}

function pageOf(title: string, body: Html): Html {
	return html`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${style_element}
<main><h1>${title}</h1>${body}</main></html>`;
}

function message(text: string): Html {
	return pageOf("Approval", html`<p class="alarm" role="alert">${text}</p>`);
}

const nothing = message("There is no such approval, or it is not yours to see.");

function signInPage(problem: string | undefined): Html {
	return pageOf(
		"Sign in to decide",
		html`${alarm(problem)}<form method="post"><label>Your API key or token
<input type="password" name="credential" autocomplete="off" required></label>
<button>Sign in</button></form>`,
	);
}

function alarm(problem: string | undefined): Html | undefined {
	return problem === undefined ? undefined : html`<p class="alarm" role="alert">${problem}</p>`;
}

function approvalPage(approval: ApprovalView, csrf: string, problem: string | undefined): Html {
	const { state, server, tool, principal, client_name, risk, rule, after } = approval;
	const body = html`${alarm(problem)}<dl>
<dt>State</dt><dd>${state}</dd>
<dt>Tool</dt><dd>${server}: ${tool}${risk === undefined ? "" : ` (${risk})`}</dd>
<dt>Caller</dt><dd>${principal}, with ${client_name || "an unnamed client"}</dd>
${rule === undefined ? undefined : html`<dt>Asked by</dt><dd>${rule}</dd>`}
<dt>Needs</dt><dd>${approval.needed} of ${approval.approvers.join(", ") || "approvers and admins"}</dd>
<dt>Until</dt><dd>${new Date(approval.expires_at_ms).toISOString()}</dd></dl>
${after === undefined ? undefined : alarm(`The same call may have run before (${after}).`)}
<p>It is called with exactly these arguments:</p><pre>${approval.arguments_json}</pre>
${approval.votes.map(
	({ approver, verdict, reason }) =>
		html`<p class="soft">${approver}: ${verdict}${reason === undefined ? "" : ` (${reason})`}</p>`,
)}${approval.may_decide ? decisionForm(approval, csrf) : undefined}`;
	return pageOf("Approval", body);
}

function decisionForm(approval: ApprovalView, csrf: string): Html {
	const { arguments_json, arguments_hash, may_edit } = approval;
	const edit = html`<label>Arguments<textarea name="arguments" rows="6">${arguments_json}</textarea></label>
<input type="hidden" name="before" value="${arguments_json}">`;
	return html`<form method="post"><input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="arguments_hash" value="${arguments_hash}">
${may_edit ? edit : undefined}<label>Reason<input name="reason" maxlength="1000"></label>
<button name="verdict" value="approve">Approve</button>
<button name="verdict" value="deny">Deny</button></form>`;
}

function isSame(presented: string, expected: string): boolean {
	const [one, other] = [Buffer.from(presented), Buffer.from(expected)];
	return one.length === other.length && timingSafeEqual(one, other);
}
