import { type Html, html } from "../login/html.ts";
import type { SignedInCaller } from "./admission.ts";
import type { Caller } from "./caller.ts";
import type { MyGrant, RevokedGrants } from "./contracts/upstream-grants.ts";
import { sign_in_path, whoIsHere } from "./sign-in-forms.ts";
import { alarm, pageOf } from "./signed-in-pages.ts";

/** Here, and below it, people connect their accounts. */
export const connect_path = "/oauth/connect";

/** What somebody finds at the page of a server. */
export type ConnectView =
	/** No such server, or nothing there is to be authorized, or not for them to know. */
	| { readonly kind: "unknown" }
	/** Why they cannot; a sentence. */
	| { readonly kind: "refused"; readonly message: string }
	/** Why nobody can now; a sentence. */
	| { readonly kind: "failed"; readonly message: string }
	| { readonly kind: "connected" }
	| {
			readonly kind: "ready";
			/** The origin of the page they would be led to. */
			readonly issuer: string;
			readonly scopes: readonly string[];
			/** Whose calls would use their account, as a sentence continues "for ...". */
			readonly used_by: string;
			/** Where the issuer leads back to with its answer. */
			readonly answer_to: string;
			/** Stands for exactly what is shown. */
			readonly seen: string;
	  };

/** What became of an answer that an issuer led back with. */
export type ConnectOutcome =
	/** Nobody waits for it. */
	| { readonly kind: "unknown" }
	/** Somebody else waits for it, or it was not begun on our page. It still waits. */
	| { readonly kind: "not_theirs"; readonly server: string }
	| { readonly kind: "connected"; readonly server: string }
	| { readonly kind: "failed"; readonly server: string; readonly message: string };

/** A page with a sentence that says why there is nothing else on it. */
export function message(text: string): Html {
	return pageOf("Connect an account", html`${alarm(text)}`);
}

/** What is not there, or not for whoever asks to know. */
export const nothing = message("There is nothing to connect here, or it is not yours to see.");
/** An answer that comes too late, for the second time, or was never asked for. */
export const nothing_waits = message(
	"No authorization waits for this answer. Open the newest page from Moorage's log, or begin " +
		`again at ${connect_path}.`,
);

/** Why this person connects nothing here, and how somebody else may. */
export function refusedPage(text: string, { principal }: Caller, { pathname, search }: URL): Html {
	const query = new URLSearchParams({ to: pathname + search }).toString();
	const body = html`${alarm(text)}<p class="soft">You are signed in as ${principal.id}.</p>
<p><a href="${sign_in_path}?${query}">Sign in as somebody else</a></p>`;
	return pageOf("Connect an account", body);
}

/** Says who asks for what, and asks whether that is wanted. */
export function readyPage(
	server: string,
	view: Extract<ConnectView, { kind: "ready" }>,
	{ principal, csrf }: SignedInCaller,
	problem: string | undefined,
): Html {
	const scopes =
		view.scopes.length === 0 ? "What the issuer gives by itself" : view.scopes.join(", ");
	const body = html`${alarm(problem)}<p>Moorage asks for the use of your account there, for ${view.used_by}.
Go on only if you have asked for that yourself.</p><dl>
<dt>Server</dt><dd>${server}</dd>
<dt>You log in at</dt><dd>${view.issuer}</dd>
<dt>It asks for</dt><dd>${scopes}</dd>
<dt>It answers to</dt><dd>${view.answer_to}</dd>
<dt>You are here</dt><dd>${principal.id}</dd></dl>
<form method="post">${csrfField(csrf)}
<input type="hidden" name="seen" value="${view.seen}"><button>Connect</button></form>`;
	return pageOf(`Connect ${server}`, body);
}

/**
 * Leads on by itself. A redirect would count as where the form goes, and that is nowhere but here
 * (`form-action`), whatever the issuer redirects to in turn.
 */
export function leavingPage(page: URL): Html {
	const head = html`<meta http-equiv="refresh" content="0; url=${page.href}">`;
	const body = html`<p>If nothing happens: <a href="${page.href}">go on to ${page.origin}</a>.</p>`;
	return pageOf("Going on", body, head);
}

/** It is done. */
export function connectedPage(server: string): Html {
	const body = html`<p>Your account is connected. You can close this page and go back to what you
did.</p><p class="soft"><a href="${connect_path}">Your connections</a> lists what is connected, and ends
it.</p>`;
	return pageOf(`${server} is connected`, body);
}

/** The answer came with another browser than the one it was begun in. */
export function notTheirsPage(server: string): Html {
	const body = html`${alarm(
		"This was not begun by whoever is signed in in this browser, so the answer was not used. " +
			"If you have begun it yourself, do it again in this browser.",
	)}<p><a href="${connect_path}/${server}">Connect ${server}</a></p>`;
	return pageOf("Not connected", body);
}

/** It was begun, and did not come about. */
export function failedPage(server: string, text: string): Html {
	const body = html`${alarm(text)}<p><a href="${connect_path}/${server}">Try again</a></p>`;
	return pageOf(`${server} is not connected`, body);
}

/** What somebody has connected and could connect, with what was just done as a sentence. */
export function listPage(
	grants: readonly MyGrant[],
	{ principal, csrf }: SignedInCaller,
	done: Html | undefined,
): Html {
	const none = html`<p>No server here asks for an account of yours.</p>`;
	const body = html`${done}${grants.length === 0 ? none : grants.map((grant) => entry(grant, csrf))}
${whoIsHere(principal.id, csrf)}`;
	return pageOf("Your connections", body);
}

/** Says what has ended, and where something is left to be done. */
export function endedNote({ server, issuers }: RevokedGrants): Html {
	const untold = issuers.filter(({ outcome }) => outcome !== "revoked");
	const left = untold.map(
		({ issuer, outcome }) =>
			html` ${issuer} ${outcome === "failed" ? "could not be told" : "cannot be told"}: end it on its own page as well.`,
	);
	return html`<p role="status">${server} is not connected any more.${left}</p>`;
}

function entry({ server, used_by, connected, connectable, issuer, scopes }: MyGrant, csrf: string) {
	const whose = { you: "your own calls", tenant: "everybody of your tenant", gateway: "everybody" };
	const about = html`<h2>${server}</h2><p class="soft">For ${whose[used_by]}.${
		connected
			? html` Connected at ${issuer ?? "an unknown issuer"}${(scopes ?? []).length > 0 ? html`, for ${scopes?.join(", ")}` : undefined}.`
			: html` Not connected.`
	}${connectable ? undefined : html` The server is not here any more.`}</p>`;
	if (!connected) {
		return html`${about}<p><a class="button" href="${connect_path}/${server}">Connect ${server}</a></p>`;
	}
	return html`${about}<form method="post">${csrfField(csrf)}<input type="hidden" name="end" value="${server}">
<button class="plain">End the connection of ${server}</button></form>`;
}

function csrfField(csrf: string): Html {
	return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
