import type { ServerResponse } from "node:http";
import { type Html, html } from "./html.ts";
import { style_path } from "./style.ts";

/** A page, and where its forms lead to beside this server. */
export interface Page {
	readonly title: string;
	readonly body: Html;
	/** Where the browser is sent after a form: browsers hold redirects to this list as well. */
	readonly form_targets?: readonly string[];
}

/** What the person is asked to allow. */
export interface ConsentRequest {
	readonly client_id: string;
	readonly client_name: string;
	/** The address of the client's home page, where it says so. */
	readonly client_uri: string | undefined;
	/** How the client came to be known here: a sentence. */
	readonly client_origin: string;
	readonly account: string;
	readonly scopes: readonly string[];
	readonly resources: readonly string[];
	/** Where the answer goes. */
	readonly redirect_uri: string;
}

/** What every form of a page carries. */
export interface FormParts {
	/** Address of the interaction. */
	readonly action: string;
	/** Proves that the form was given to this browser. */
	readonly token: string;
}

/** How the people of a login page can prove who they are. */
export interface LoginWays {
	readonly accounts: boolean;
	readonly federated: readonly { readonly name: string; readonly title: string }[];
}

/** Asks who the person is. */
export function loginPage(
	form: FormParts,
	ways: LoginWays,
	client_name: string,
	redirect_uri: string,
	said: { readonly name?: string; readonly problem?: string } = {},
): Page {
	const problem =
		said.problem === undefined
			? undefined
			: html`<p class="alarm" role="alert">${said.problem}</p>`;
	const local = ways.accounts
		? html`<form method="post" action="${form.action}/login" autocomplete="on">
<input type="hidden" name="token" value="${form.token}">
<label>Name<input name="name" value="${said.name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="129" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" maxlength="1024" required></label>
<button>Log in</button>
</form>`
		: undefined;
	const federated = ways.federated.map(
		// A link, not a form: browsers would hold the way to the provider to this page's policy.
		({ name, title }) =>
			html`<a class="button" href="${form.action}/federated/${name}?token=${form.token}">Continue with ${title}</a>`,
	);
	const rule = ways.accounts && federated.length > 0 ? html`<hr>` : undefined;
	return {
		title: "Log in",
		body: html`<h1>Log in</h1>
<p class="soft">to let <strong>${client_name}</strong> use MCP servers in your name</p>
${problem}${local}${rule}${federated}${cancelForm(form)}`,
		form_targets: [redirect_uri],
	};
}

/** Asks whether a client may act in the person's name. */
export function consentPage(form: FormParts, request: ConsentRequest): Page {
	const { client_name, client_uri, client_id, account, redirect_uri } = request;
	const target = targetOf(redirect_uri);
	const scopes = request.scopes.map((scope) => html`<li>${scopeMeaning(scope)}</li>`);
	const resources = request.resources.map((resource) => html`<li>${resource}</li>`);
	const local = isLocal(redirect_uri)
		? html`<p class="alarm">The answer goes to a program on this computer. Go on only if you have just
started to connect that program yourself.</p>`
		: undefined;
	const home = client_uri === undefined ? undefined : html`<dt>Its page</dt><dd>${client_uri}</dd>`;
	return {
		title: "Allow access",
		body: html`<h1>Allow “${client_name}” to act for you?</h1>
<dl>
<dt>Client</dt><dd>${client_id}<br><span class="soft">${request.client_origin}</span></dd>
${home}
<dt>May</dt><dd><ul>${scopes}</ul></dd>
<dt>At</dt><dd><ul>${resources}</ul></dd>
<dt>The answer goes to</dt><dd><strong>${target}</strong></dd>
<dt>You are</dt><dd>${account}</dd>
</dl>
${local}
<form method="post" action="${form.action}/consent">
<input type="hidden" name="token" value="${form.token}">
<button>Allow</button>
</form>
${cancelForm(form)}`,
		form_targets: [redirect_uri],
	};
}

/** Says that something went wrong, in the library's own words, which hold no secrets. */
export function errorPage(out: {
	readonly error: string;
	readonly error_description?: string | undefined;
}): Page {
	return messagePage(
		"This did not work",
		out.error_description ?? out.error,
		`Go back to the program you came from and try again. (${out.error})`,
	);
}

/** A page with one message and what to do next. */
export function messagePage(title: string, message: string, next: string): Page {
	return {
		title,
		body: html`<h1>${title}</h1><p role="alert">${message}</p><p class="soft">${next}</p>`,
	};
}

/** A page as it is sent: nothing inline, nothing of others, not in a frame, never kept. */
export function renderPage(page: Page): {
	readonly headers: Readonly<Record<string, string>>;
	readonly text: string;
} {
	const targets = (page.form_targets ?? []).map(formSource).filter((target) => target !== "");
	const policy = [
		"default-src 'none'",
		"style-src 'self'",
		`form-action ${["'self'", ...targets].join(" ")}`,
		"frame-ancestors 'none'",
		"base-uri 'none'",
	];
	const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} · Moorage</title>
<link rel="stylesheet" href="${style_path}">
</head>
<body><main>${page.body}</main></body>
</html>
`;
	const headers = {
		...page_headers,
		"content-security-policy": policy.join("; "),
		"content-type": "text/html; charset=utf-8",
	};
	return { headers, text: document.text };
}

/** Writes a page. */
export function sendPage(
	response: ServerResponse,
	page: Page,
	status = 200,
	more: Readonly<Record<string, string>> = {},
): void {
	const { headers, text } = renderPage(page);
	const bytes = Buffer.from(text);
	response.writeHead(status, { ...headers, ...more, "content-length": bytes.length });
	response.end(bytes);
}

/** Of every answer to a browser. With no referrer at all, browsers would send no origin either. */
export const page_headers: Readonly<Record<string, string>> = {
	"cache-control": "no-store",
	"referrer-policy": "same-origin",
	"x-content-type-options": "nosniff",
	"x-frame-options": "DENY",
};

function cancelForm(form: FormParts): Html {
	return html`<form method="post" action="${form.action}/abort">
<input type="hidden" name="token" value="${form.token}">
<button class="plain">Cancel</button>
</form>`;
}

function scopeMeaning(scope: string): Html {
	switch (scope) {
		case "mcp":
			return html`use the MCP servers you may use`;
		case "openid":
			return html`know who you are`;
		case "offline_access":
			return html`go on while you are away`;
		default:
			return html`<code>${scope}</code>`;
	}
}

/** Where an answer goes, in the part that says whose it is. */
function targetOf(redirect_uri: string): string {
	const url = URL.parse(redirect_uri);
	if (url === null) return redirect_uri;
	return url.protocol === "https:" || url.protocol === "http:" ? url.host : `${url.protocol}//`;
}

function isLocal(redirect_uri: string): boolean {
	return !redirect_uri.startsWith("https://");
}

/** A redirect address as a source of a policy; empty for what could end the policy. */
function formSource(target: string): string {
	const url = URL.parse(target);
	if (url === null) return "";
	const source = ["https:", "http:"].includes(url.protocol) ? url.origin : url.protocol;
	return /^[A-Za-z0-9+.:/[\]-]+$/.test(source) ? source : "";
}
