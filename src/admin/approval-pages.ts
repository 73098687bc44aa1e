import type { IncomingMessage, ServerResponse } from "node:http";
import { isSameText } from "../lib/same-text.ts";
import { visibleJson } from "../lib/visible-json.ts";
import { type Html, html } from "../login/html.ts";
import { readForm } from "../login/read-form.ts";
import type { SignedInCaller } from "./admission.ts";
import type { ApprovalView, SafetyBackend } from "./safety-backend.ts";
import { whoIsHere } from "./sign-in-forms.ts";
import type { SignInPages } from "./sign-in-pages.ts";
import { alarm, answerPage as answer, isFromOurPage, pageOf, seeOther } from "./signed-in-pages.ts";
import type { Fields } from "./typed-fields.ts";

const path_form = /^\/approvals\/(appr_[A-Za-z0-9_-]{1,64})$/;

/**
 * The pages on which people decide about calls, made for phones and without scripts. The session of
 * the dashboard counts here too: its cookie comes along when a link in a chat leads here; changes
 * need what only the page itself has.
 */
export class ApprovalPages {
	readonly #backend: SafetyBackend;
	readonly #door: SignInPages;

	constructor(backend: SafetyBackend, door: SignInPages) {
		this.#backend = backend;
		this.#door = door;
	}

	/** Answers a request below `/approvals/`; rejects only where something of ours is broken. */
	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const [path = ""] = (request.url ?? "").split("?", 1);
		const id = path_form.exec(path)?.[1];
		if (id === undefined) return answer(response, 404, nothing);
		const visitor = await this.#door.visitor(request);
		if (request.method === "POST") return this.#post(id, visitor, request, response);
		if (request.method !== "GET") return answer(response, 405, nothing, { allow: "GET, POST" });
		if (visitor === undefined) return this.#door.ask(request, response, askAt(id));
		const typed = this.#door.typed(request, pathOf(id));
		return this.#show(id, visitor, { status: 200, typed }, response);
	}

	async #post(
		id: string,
		visitor: SignedInCaller | undefined,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const form = await readForm(request);
		if (form === undefined || !isFromOurPage(request)) {
			return answer(response, 400, message("This is not from our own page. Open the link again."));
		}
		if (visitor === undefined) {
			const typed = typedIn(form);
			const problem = "Your session has ended. Sign in again: what you typed is still there.";
			return this.#door.ask(request, response, { ...askAt(id), problem, typed });
		}
		if (!isSameText(form.get("csrf") ?? "", visitor.csrf)) {
			return answer(response, 403, message("This form is too old. Open the link again."));
		}
		const verdict = form.get("verdict") === "approve" ? "approve" : "deny";
		const typed = typedIn(form);
		const reason = typed["reason"]?.trim() || undefined;
		const arguments_hash = form.get("arguments_hash") ?? "";
		const decision = {
			verdict,
			arguments_hash,
			...(reason === undefined ? {} : { reason }),
		} as const;
		const decided = await this.#backend.decide(id, decision, typed["arguments"], visitor);
		if (decided.ok) return seeOther(response, pathOf(id));
		const problem = decided.problem.message;
		return this.#show(id, visitor, { status: 409, problem, typed }, response);
	}

	async #show(
		id: string,
		visitor: SignedInCaller,
		{ status, problem, typed }: { status: number; problem?: string; typed: Fields },
		response: ServerResponse,
	): Promise<void> {
		const approval = await this.#backend.approval(id, visitor);
		if (approval === undefined) return answer(response, 404, nothing);
		answer(response, status, approvalPage(approval, visitor, problem, typed));
	}
}

/** What somebody has typed: arguments that they left as they were are not theirs. */
function typedIn(form: URLSearchParams): Fields {
	const edited = form.get("arguments");
	return {
		reason: form.get("reason") ?? "",
		...(edited !== null && edited !== form.get("before") && { arguments: edited }),
	};
}

function pathOf(id: string): string {
	return `/approvals/${id}`;
}

function askAt(id: string) {
	return { to: pathOf(id), title: "Sign in to decide" };
}

function message(text: string): Html {
	return pageOf("Approval", html`<p class="alarm" role="alert">${text}</p>`);
}

const nothing = message("There is no such approval, or it is not yours to see.");

function approvalPage(
	approval: ApprovalView,
	{ csrf, principal: visitor }: SignedInCaller,
	problem: string | undefined,
	typed: Fields,
): Html {
	const { state, server, tool, principal, made_by, client_name, risk, rule } = approval;
	const { after, also_among } = approval;
	const among = also_among?.map((names) => html`, also among ${names.join(", ")}`);
	const body = html`${alarm(problem)}<dl>
<dt>State</dt><dd>${state}</dd>
<dt>Tool</dt><dd>${server}: ${tool}${risk === undefined ? "" : ` (${risk})`}</dd>
<dt>Caller</dt><dd>${principal}${made_by === undefined ? "" : ` (in whose name ${made_by} makes it)`}, with ${client_name || "an unnamed client"}</dd>
${rule === undefined ? undefined : html`<dt>Because of</dt><dd>${becauseOf(rule)}</dd>`}
<dt>Needs</dt><dd>${approval.needed} of ${approval.approvers.join(", ") || "approvers and admins"}${among}</dd>
<dt>Until</dt><dd>${timeOf(approval.expires_at_ms)}</dd></dl>
${after === undefined ? undefined : alarm(`The same call may have run before (${after}).`)}
<p>It is called with exactly these arguments:</p><pre>${visibleJson(approval.arguments_json)}</pre>
${approval.votes.map(
	({ approver, person, verdict, reason }) =>
		html`<p class="soft">${approver}${person === undefined ? "" : ` for ${person}`}: ${verdict}${reason === undefined ? "" : ` (${reason})`}</p>`,
)}${approval.may_decide ? decisionForm(approval, csrf, typed) : undefined}${whoIsHere(visitor.id, csrf)}`;
	return pageOf("Approval", body);
}

function decisionForm(approval: ApprovalView, csrf: string, typed: Fields): Html {
	const { arguments_hash, may_edit } = approval;
	const arguments_json = visibleJson(approval.arguments_json);
	const edit = html`<label>Arguments<textarea name="arguments" rows="6">${typed["arguments"] ?? arguments_json}</textarea></label>
<input type="hidden" name="before" value="${arguments_json}">`;
	return html`<form method="post" id="decide"><input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="arguments_hash" value="${arguments_hash}">
${may_edit ? edit : undefined}<label>Reason<input name="reason" maxlength="1000" value="${typed["reason"]}"></label>
<button name="verdict" value="approve">Approve</button>
<button class="plain" name="verdict" value="deny">Deny</button></form>`;
}

/** What wants a person asked; `tools` is how records call a tool's own setting. */
function becauseOf(rule: string): string {
	return rule === "tools" ? "the setting of this tool" : rule;
}

/** `2026-11-30 05:32 UTC`: the page has no script that knew the zone of whoever reads it. */
function timeOf(at_ms: number): string {
	return `${new Date(at_ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
