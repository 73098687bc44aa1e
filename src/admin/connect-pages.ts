import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Random } from "../lib/random.ts";
import { isSameText } from "../lib/same-text.ts";
import type { Html } from "../login/html.ts";
import { readForm } from "../login/read-form.ts";
import type { SignedInCaller } from "./admission.ts";
import type { Caller } from "./caller.ts";
import {
	type ConnectOutcome,
	type ConnectView,
	connect_path,
	connectedPage,
	endedNote,
	failedPage,
	leavingPage,
	listPage,
	message,
	nothing,
	nothing_waits,
	notTheirsPage,
	readyPage,
	refusedPage,
} from "./connect-views.ts";
import type { GrantBackend } from "./grant-backend.ts";
import { type CookieOptions, PageCookie } from "./session-cookie.ts";
import type { SignInPages } from "./sign-in-pages.ts";
import { alarm, answerPage, isFromOurPage } from "./signed-in-pages.ts";

const callback_path = "/oauth/callback";
/** Some issuers have an address of their own below it. */
const callback_form = /^\/oauth\/callback(?:\/[A-Za-z0-9_-]{22})?$/;
/** As long as an authorization waits. */
const bond_ms = 600_000;
const bond_bytes = 32;
const path_form = /^\/oauth\/connect\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})$/;

/** What the pages need of the house. */
export interface ConnectBackend {
	/** Finds out what would be asked for; `made_for` is what the link says of whom it is for. */
	look(server: string, caller: Caller, made_for: string | undefined): Promise<ConnectView>;
	/**
	 * Where the browser goes, now that its person agrees to what they have `seen`; `bond` is left in
	 * that browser, and in no other.
	 */
	leave(server: string, caller: Caller, seen: string, bond: string): URL | undefined;
	/**
	 * Takes what an issuer answered; `caller` is who is signed in in that browser, `bond` what it was
	 * left with.
	 */
	answer(
		callback: URL,
		caller: Caller | undefined,
		bond: string | undefined,
	): Promise<ConnectOutcome>;
}

/** What the pages are made of. */
export interface ConnectPagesParts {
	readonly connections: ConnectBackend;
	readonly grants: Pick<GrantBackend, "mine" | "revokeMine">;
	readonly random: Random;
	readonly cookies: CookieOptions;
	readonly door: SignInPages;
}

/**
 * The pages on which people connect their accounts at remote servers. Whoever follows a link has to
 * be signed in, sees what is asked for and by whom, and agrees with a click: only then does the
 * browser go to the issuer, and only that very browser may bring its answer. They see what they
 * have connected, too, and end it.
 */
export class ConnectPages {
	readonly #parts: ConnectPagesParts;

	constructor(parts: ConnectPagesParts) {
		this.#parts = parts;
	}

	/** Answers a request; rejects only where something of ours is broken. */
	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? "/", "http://localhost");
		if (callback_form.test(url.pathname)) return this.#callback(url, request, response);
		const server = path_form.exec(url.pathname)?.[1];
		if (server === undefined && url.pathname !== connect_path) {
			return answerPage(response, 404, nothing);
		}
		const visitor = await this.#parts.door.visitor(request);
		if (request.method === "POST") return this.#post(server, url, visitor, request, response);
		if (request.method !== "GET") return answerPage(response, 405, nothing, { allow: "GET, POST" });
		if (visitor === undefined) return this.#parts.door.ask(request, response, askAt(url));
		if (server === undefined) return this.#list(visitor, undefined, response);
		return this.#show(server, url, visitor, undefined, response);
	}

	async #list(
		visitor: SignedInCaller,
		done: Html | undefined,
		response: ServerResponse,
	): Promise<void> {
		const grants = await this.#parts.grants.mine(visitor);
		answerPage(response, 200, listPage(grants, visitor, done));
	}

	async #end(server: string, visitor: SignedInCaller, response: ServerResponse): Promise<void> {
		const ended = await this.#parts.grants.revokeMine(server, visitor);
		const done = ended.ok ? endedNote(ended.value) : alarm(ended.problem.message);
		return this.#list(visitor, done, response);
	}

	async #show(
		server: string,
		url: URL,
		caller: SignedInCaller,
		problem: string | undefined,
		response: ServerResponse,
	): Promise<void> {
		const made_for = url.searchParams.get("for") ?? undefined;
		const view = await this.#parts.connections.look(server, caller, made_for);
		switch (view.kind) {
			case "unknown":
				return answerPage(response, 404, nothing);
			case "refused":
				return answerPage(response, 403, refusedPage(view.message, caller, url));
			case "failed":
				return answerPage(response, 502, failedPage(server, view.message));
			case "connected":
				return answerPage(response, 200, connectedPage(server));
			case "ready":
				return answerPage(response, 200, readyPage(server, view, caller, problem));
		}
	}

	async #post(
		server: string | undefined,
		url: URL,
		visitor: SignedInCaller | undefined,
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const form = await readForm(request);
		if (form === undefined || !isFromOurPage(request)) {
			return answerPage(
				response,
				400,
				message("This is not from our own page. Open the link again."),
			);
		}
		if (visitor === undefined) {
			const problem = "Sign in again.";
			return this.#parts.door.ask(request, response, { ...askAt(url), problem });
		}
		if (!isSameText(form.get("csrf") ?? "", visitor.csrf)) {
			return answerPage(response, 403, message("This form is too old. Open the link again."));
		}
		if (server === undefined) return this.#end(form.get("end") ?? "", visitor, response);
		// Only now, after their consent, the browser is given what its answer is known by.
		const bond = this.#parts.random.bytes(bond_bytes).toString("base64url");
		const seen = form.get("seen") ?? "";
		const page = this.#parts.connections.leave(server, visitor, seen, bond);
		if (page !== undefined) {
			const state = page.searchParams.get("state") ?? "";
			const cookie = this.#bondOf(state).write(bond, bond_ms);
			return answerPage(response, 200, leavingPage(page), { "set-cookie": cookie });
		}
		const changed = "What is asked for has changed meanwhile. Look at it once more.";
		return this.#show(server, url, visitor, changed, response);
	}

	async #callback(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (request.method !== "GET") return answerPage(response, 405, nothing, { allow: "GET" });
		const visitor = await this.#parts.door.visitor(request);
		const cookie = this.#bondOf(url.searchParams.get("state") ?? "");
		const bond = cookie.read(request.headers.cookie);
		const outcome = await this.#parts.connections.answer(url, visitor, bond);
		// What has been used once is of no use any more; what was refused may still come.
		const used = { "set-cookie": cookie.clear() };
		switch (outcome.kind) {
			case "unknown":
				return answerPage(response, 404, nothing_waits);
			case "not_theirs":
				return answerPage(response, 403, notTheirsPage(outcome.server));
			case "connected":
				return answerPage(response, 200, connectedPage(outcome.server), used);
			case "failed":
				return answerPage(response, 502, failedPage(outcome.server, outcome.message), used);
		}
	}

	/** The cookie that ties one `state` to the browser whose person agreed. */
	#bondOf(state: string): PageCookie {
		const suffix = `_consent_${createHash("sha256").update(state).digest("hex").slice(0, 16)}`;
		return new PageCookie(this.#parts.cookies, { suffix, path: callback_path });
	}
}

function askAt({ pathname, search }: URL) {
	return { to: pathname + search, title: "Sign in to connect an account" };
}
