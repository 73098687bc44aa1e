import { type Html, html } from "../login/html.ts";
import type { SignInWays } from "./sign-in-backend.ts";
import { alarm } from "./signed-in-pages.ts";

/** Below this people sign in. */
export const sign_in_path = "/sign-in";

/** What the forms of a page carry. */
export interface SignInForms {
	readonly ways: SignInWays;
	/** Where people are led once they are signed in. */
	readonly to: string;
	/** Proves that the form was given to this browser. */
	readonly token: string;
	readonly problem?: string | undefined;
	/** The name that was typed. */
	readonly name?: string | undefined;
}

/** Every way to sign in: a name and a password, providers, a key. */
export function signInForms({ ways, to, token, problem, name }: SignInForms): Html {
	const hidden = html`<input type="hidden" name="token" value="${token}">
<input type="hidden" name="to" value="${to}">`;
	const local = html`<form method="post" action="${sign_in_path}">${hidden}
<label>Name<input name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="129" required></label>
<label>Password<input name="password" type="password" autocomplete="current-password" maxlength="1024" required></label>
<button>Sign in</button></form>`;
	const query = new URLSearchParams({ to }).toString();
	// Links, not forms: browsers would hold the way to a provider to this page's policy.
	const providers = ways.providers.map(
		(one) =>
			html`<a class="button" href="${sign_in_path}/with/${one.name}?${query}">Continue with ${one.title}</a>`,
	);
	const key = html`<form method="post" action="${sign_in_path}">${hidden}
<label>Your API key or token<input type="password" name="credential" autocomplete="off" required></label>
<button>Sign in</button></form>`;
	const is_only = !ways.accounts && providers.length === 0;
	return html`${alarm(problem)}${ways.accounts ? local : undefined}${providers}${
		is_only ? key : html`<details><summary>With an API key or token</summary>${key}</details>`
	}`;
}

/** Who is signed in, with the way out. */
export function whoIsHere(principal: string, csrf: string): Html {
	return html`<form method="post" action="${sign_in_path}/out" class="who soft">
<input type="hidden" name="csrf" value="${csrf}"><span>You are ${principal}.</span>
<button class="plain">Sign out</button></form>`;
}
