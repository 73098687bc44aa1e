import { createHash } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Html, html } from "../login/html.ts";
import { style } from "../login/style.ts";

/*
 * What pages without scripts that people are signed in on have in common: their looks, their
 * headers, and how they answer.
 */

const pages_style = `${style}pre { white-space: pre-wrap; overflow-wrap: anywhere; }
textarea, summary { font: inherit; }
textarea { display: block; width: 100%; margin-top: 0.25rem; padding: 0.6rem 0.7rem; color: inherit;
	background: var(--paper); border: 1px solid var(--line); border-radius: 0.5rem; }
summary { margin: 1rem 0; cursor: pointer; color: var(--soft); }
.who { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; margin-top: 1.25rem; }
.who button { width: auto; margin: 0; padding: 0.3rem 0.7rem; }
`;
const style_hash = createHash("sha256").update(pages_style).digest("base64");

/** As it is: the style is ours, and escaping would change what was hashed. */
const style_element = new Html(`<style>${pages_style}</style>`);

/**
 * Headers of every page: nothing is loaded, framed, kept or told to where a link leads. With no
 * referrer at all browsers would send the forms without an origin, which the front door refuses.
 */
const headers = {
	"content-type": "text/html; charset=utf-8",
	"cache-control": "no-store",
	"content-security-policy":
		`default-src 'none'; style-src 'sha256-${style_hash}'; form-action 'self'; ` +
		"frame-ancestors 'none'; base-uri 'none'",
	// The same again, for browsers that do not know `frame-ancestors`.
	"x-frame-options": "DENY",
	"referrer-policy": "same-origin",
	"x-content-type-options": "nosniff",
};

/** Whether a form may be from our own page, as far as the browser says. */
export function isFromOurPage(request: IncomingMessage): boolean {
	const site = request.headers["sec-fetch-site"];
	return site === undefined || site === "same-origin";
}

/** Answers with a page. */
export function answerPage(
	response: ServerResponse,
	status: number,
	page: Html,
	more: Readonly<Record<string, string | readonly string[]>> = {},
): void {
	response.writeHead(status, { ...headers, ...more } as OutgoingHttpHeaders);
	response.end(page.text);
}

/** Sends the browser to a page of ours, with cookies if there are any. */
export function seeOther(
	response: ServerResponse,
	location: string,
	cookie?: string | string[],
): void {
	response.writeHead(303, {
		location,
		"cache-control": "no-store",
		...(cookie !== undefined && { "set-cookie": cookie }),
	});
	response.end();
}

/** A whole page. `head` is put into its head. */
export function pageOf(title: string, body: Html, head?: Html): Html {
	return html`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${head}${style_element}
<main><h1>${title}</h1>${body}</main></html>`;
}

/** A sentence that must not be overlooked. */
export function alarm(problem: string | undefined): Html | undefined {
	return problem === undefined ? undefined : html`<p class="alarm" role="alert">${problem}</p>`;
}
