import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isSameText } from "../lib/same-text.ts";
import { type Html, html } from "../login/html.ts";
import { readForm } from "../login/read-form.ts";
import { Admission, type AdmissionOptions, type SignedInCaller } from "./admission.ts";
import type { SessionHolder } from "./dashboard-sessions.ts";
import type { AdminProblem } from "./problem.ts";
import { PageCookie } from "./session-cookie.ts";
import type { Leaving, SignInProblem } from "./sign-in-backend.ts";
import { sign_in_path, signInForms } from "./sign-in-forms.ts";
import { targetOf } from "./sign-in-target.ts";
import { alarm, answerPage, isFromOurPage, pageOf, seeOther } from "./signed-in-pages.ts";
import { TypedFields } from "./typed-fields.ts";

/** How somebody is asked to sign in. */
export interface SignInRequest {
	/** Where they are led then. */
	readonly to: string;
	readonly title?: string;
	readonly status?: number;
	readonly problem?: string | undefined;
	readonly name?: string;
	readonly retry_after_s?: number | undefined;
	/** What they have typed into the form that they have to send once more. */
	readonly typed?: Readonly<Record<string, string>>;
}

/** As long as a provider's page may take. */
const attempt_ms = 10 * 60_000;
const attempt_bytes = 32;
const with_path = new RegExp(`^${sign_in_path}/with/([a-z0-9-]{1,32})$`);

/**
 * The pages on which people sign in to the gateway's own pages, without scripts: with a name and a
 * password, at a provider, or with a key. A browser that is asked gets a token of its own first, so
 * that nobody can be signed in, as somebody they are not, by a form or an answer of another page.
 */
export class SignInPages {
	readonly #options: AdmissionOptions;
	readonly #admission: Admission;
	readonly #attempts: PageCookie;
	readonly #typed: TypedFields;

	constructor(options: AdmissionOptions) {
		this.#options = options;
		this.#admission = new Admission(options);
		this.#attempts = new PageCookie(options, { suffix: "_sign_in" });
		this.#typed = new TypedFields(options.clock);
	}

	/** Answers a request at or below `/sign-in`; rejects only where something of ours is broken. */
	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? "/", "http://localhost");
		const provider = with_path.exec(url.pathname)?.[1];
		const step = `${request.method} ${provider === undefined ? url.pathname : "with"}`;
		switch (step) {
			case `GET ${sign_in_path}`:
				return this.#show(url, request, response);
			case `POST ${sign_in_path}`:
				return this.#post(request, response);
			case "GET with":
				return this.#leave(provider ?? "", url, request, response);
			case `GET ${sign_in_path}/callback`:
				return this.#comeBack(url, request, response);
			case `GET ${sign_in_path}/done`:
				return answerPage(response, 200, done);
			case `POST ${sign_in_path}/out`:
				return this.#signOut(request, response);
			default:
				return answerPage(response, 404, nothing);
		}
	}

	/** Who is signed in in the browser that a request is from; undefined: nobody. */
	visitor(request: IncomingMessage): Promise<SignedInCaller | undefined> {
		return this.#admission.visitor(request.headers.cookie);
	}

	/** Asks somebody to sign in, in place of the page that they wanted. */
	ask(request: IncomingMessage, response: ServerResponse, wanted: SignInRequest): void {
		const { title = "Sign in", status = 401, problem, name, retry_after_s, typed } = wanted;
		const to = targetOf(wanted.to);
		const attempt = this.#attempts.read(request.headers.cookie) ?? this.#draw();
		if (typed !== undefined) this.#typed.keep(attempt, to, typed);
		const ways = this.#options.sign_in.ways();
		const forms = signInForms({ ways, to, token: tokenOf(attempt), problem, name });
		answerPage(response, status, pageOf(title, forms), {
			"set-cookie": this.#attempts.write(attempt, attempt_ms),
			...(retry_after_s !== undefined && { "retry-after": String(retry_after_s) }),
		});
	}

	/** What the person had typed into the form of a page before they had to sign in; once. */
	typed(request: IncomingMessage, page: string): Readonly<Record<string, string>> {
		const attempt = this.#attempts.read(request.headers.cookie);
		return (attempt === undefined ? undefined : this.#typed.take(attempt, page)) ?? {};
	}

	async #show(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
		const to = url.searchParams.get("to") ?? "/";
		const visitor = await this.visitor(request);
		const here = visitor && `You are signed in as ${visitor.principal.id}. To be somebody else:`;
		return this.ask(request, response, { to, status: 200, problem: here });
	}

	async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const form = await readForm(request);
		if (form === undefined || !isFromOurPage(request)) return answerPage(response, 400, foreign);
		const to = targetOf(form.get("to"));
		const name = form.get("name") ?? "";
		const attempt = this.#attempts.read(request.headers.cookie);
		if (attempt === undefined || !isSameText(form.get("token") ?? "", tokenOf(attempt))) {
			const problem = "This form was too old, or cookies are off. Send it once more.";
			return this.ask(request, response, { to, name, status: 403, problem });
		}
		const credential = form.get("credential")?.trim();
		if (credential !== undefined) {
			const holder = { kind: "credential", credential } as const;
			return this.#enter(holder, to, request, response);
		}
		const password = form.get("password") ?? "";
		const found = await this.#options.sign_in.logIn(name, password, request);
		if (!found.ok) return this.#refuse(found.problem, { to, name }, request, response);
		return this.#enter(found.value, to, request, response);
	}

	/** To a provider. What is kept there belongs to a token that only this browser has. */
	async #leave(
		provider: string,
		url: URL,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const wanted_as = request.headers["sec-fetch-dest"];
		if (wanted_as !== undefined && wanted_as !== "document")
			return answerPage(response, 400, foreign);
		const to = targetOf(url.searchParams.get("to"));
		const attempt = this.#draw();
		const page = await this.#options.sign_in.begin(provider, attempt, request);
		if (!page.ok) return this.#refuse(page.problem, { to }, request, response);
		this.#typed.move(this.#attempts.read(request.headers.cookie), attempt);
		this.#typed.keep(attempt, here, { to });
		return seeOther(response, page.value.href, this.#attempts.write(attempt, attempt_ms));
	}

	async #comeBack(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
		const attempt = this.#attempts.read(request.headers.cookie);
		if (attempt === undefined) return answerPage(response, 403, not_begun);
		const found = await this.#options.sign_in.finish(url, attempt);
		const to = targetOf(this.#typed.take(attempt, here)?.["to"]);
		if (!found.ok) return this.#refuse(found.problem, { to }, request, response);
		return this.#enter(found.value, to, request, response);
	}

	async #enter(
		holder: SessionHolder,
		to: string,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const found = await this.#admission.find(holder, undefined);
		if (!found.ok) {
			const { code, message } = found.problem;
			const why = notLetIn(code, message);
			return this.#refuse(why, { to }, request, response);
		}
		const { cookie } = await this.#admission.signIn(found.value, request.headers.cookie);
		return seeOther(response, to, cookie);
	}

	async #signOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const form = await readForm(request);
		const visitor = await this.visitor(request);
		if (visitor === undefined) return seeOther(response, sign_in_path);
		const is_ours = isSameText(form?.get("csrf") ?? "", visitor.csrf);
		if (!is_ours || !isFromOurPage(request)) return answerPage(response, 403, foreign);
		await this.#options.sessions.end(visitor.session_id);
		const { holder, principal } = visitor;
		const { cookies, elsewhere } = await this.#admission.leave(holder, principal.id, request);
		const set = { "set-cookie": [this.#admission.sign_out_cookie, ...cookies] };
		if (elsewhere !== undefined) return answerPage(response, 200, stillThere(elsewhere), set);
		return seeOther(response, sign_in_path, set["set-cookie"]);
	}

	#refuse(
		{ status, message, retry_after_s }: SignInProblem,
		wanted: Pick<SignInRequest, "to" | "name">,
		request: IncomingMessage,
		response: ServerResponse,
	): void {
		this.ask(request, response, { ...wanted, status, problem: message, retry_after_s });
	}

	#draw(): string {
		return this.#options.random.bytes(attempt_bytes).toString("base64url");
	}
}

/** Where a browser's own way through is kept. */
const here = sign_in_path;

/** Made from the browser's token, so that whoever sees a page learns nothing about the cookie. */
function tokenOf(attempt: string): string {
	return createHmac("sha256", attempt).update("sign-in form").digest("base64url");
}

function message(text: string): Html {
	return pageOf("Sign in", html`${alarm(text)}<p><a href="${sign_in_path}">Sign in</a></p>`);
}

/** Browsers follow no form to another site, so the rest of the way is a link. */
function stillThere({ title, url }: NonNullable<Leaving["elsewhere"]>): Html {
	return pageOf(
		"You are signed out here",
		html`<p>You are still signed in at ${title}.</p><p><a href="${url}">Sign out at ${title}, too</a></p>
<p class="soft"><a href="${sign_in_path}">Sign in again</a></p>`,
	);
}

const nothing = message("There is no such page.");
const foreign = message("This is not from our own page. Nothing was done.");
const not_begun = message("This sign-in was not begun in this browser, or took too long.");
const done = pageOf(
	"You are signed in",
	html`<p>You can close this page and go back to where you were.</p><p class="soft">Or go on to the
<a href="/">dashboard</a>.</p>`,
);

/** Who is known but may not come in is told why. */
function notLetIn(code: AdminProblem["code"], message: string): SignInProblem {
	if (code !== "unauthorized") return { status: 403, message };
	return { status: 401, message: "That is not known here." };
}
