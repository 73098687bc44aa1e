import { fail, type Result, succeed } from "../lib/result.ts";
import { rpc_codes } from "../protocol/codes.ts";
import type { Fault } from "../protocol/fault.ts";
import { type ListMethod, list_methods } from "../protocol/methods.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { composeRequest } from "../wire/compose.ts";
import type { Message, Span } from "../wire/message.ts";
import {
	indexArray,
	indexObject,
	memberSpan,
	rawText,
	readJson,
	readString,
} from "../wire/object.ts";
import type { CatalogItem } from "./server-catalog.ts";

/** Which member of an item names it. */
const name_keys: Readonly<Record<ListMethod, string>> = {
	"tools/list": "name",
	"resources/list": "uri",
	"resources/templates/list": "uriTemplate",
	"prompts/list": "name",
};

/** Longest name, uri or template in characters; what is longer is dropped. */
export const name_chars_max = 4096;
/** As much of an error's text as is kept for the log. */
const detail_chars_max = 500;

/** What is left of a catalog's limits; all lists of one server draw from it. */
export interface FetchBudget {
	/** Pages of each list. */
	readonly pages_max: number;
	items: number;
	bytes: number;
}

/** How a list is fetched. */
export interface ListFetch {
	readonly method: ListMethod;
	readonly upstream: Upstream;
	readonly signal: AbortSignal;
	/** For each page. */
	readonly call_ms: number;
	readonly budget: FetchBudget;
	/** Told of everything that is left out, one sentence each. */
	note(text: string): void;
}

/** Why there is no list: the server refused it, or the connection did not carry it. */
export type ListProblem =
	| { readonly kind: "refused"; readonly reason: string; readonly detail: string | undefined }
	| { readonly kind: "fault"; readonly fault: Fault };

/**
 * All pages of one list. A server without the method has an empty list. What is over a limit,
 * has no name or repeats a name is left out and noted.
 */
export async function fetchList(fetch: ListFetch): Promise<Result<CatalogItem[], ListProblem>> {
	const { method, upstream, signal, call_ms, budget } = fetch;
	const found = new Map<string, CatalogItem>();
	const cursors = new Set<string>();
	let cursor: string | undefined;
	for (let pages = 1; ; pages++) {
		const params = cursor === undefined ? undefined : `{"cursor":${cursor}}`;
		// The upstream owns the ids on its hop and replaces this one.
		const message = composeRequest("1", method, params);
		const request = { message, edits: [], name: undefined, signal, call_ms };
		const reply = await upstream.request(request);
		if (!reply.ok) return fail({ kind: "fault", fault: reply.problem });
		if (reply.value.kind === "error") {
			const refused = refusal(method, reply.value);
			return refused === undefined ? succeed([]) : fail(refused);
		}
		const { bytes, result } = reply.value;
		const listed = memberSpan(result, list_methods[method]);
		const spans = listed === undefined ? undefined : indexArray(bytes, listed);
		if (spans === undefined) {
			const reason = `answered ${method} without a list of ${list_methods[method]}`;
			return fail({ kind: "refused", reason, detail: undefined });
		}
		const complete = spans.every((span) => take(fetch, bytes, span, found));
		cursor = complete ? nextCursor(fetch, reply.value, cursors) : undefined;
		if (cursor === undefined) break;
		if (pages >= budget.pages_max) {
			fetch.note(`${method} has more than ${budget.pages_max} pages; the rest is left out`);
			break;
		}
	}
	return succeed([...found.values()]);
}

/** Takes one item, if it is one. False when there is no room for it or any other. */
function take(
	fetch: ListFetch,
	bytes: Buffer,
	span: Span,
	found: Map<string, CatalogItem>,
): boolean {
	const { method, budget, note } = fetch;
	const name_key = name_keys[method];
	const name = readString(bytes, memberSpan(indexObject(bytes, span), name_key));
	if (name === undefined) {
		note(`an item of ${method} without a string "${name_key}" is left out`);
		return true;
	}
	if (name.length > name_chars_max) {
		const start = JSON.stringify(name.slice(0, 40));
		note(`an item of ${method} is left out: its ${name_key} ${start}... is too long`);
		return true;
	}
	if (found.has(name)) {
		note(`${method} has ${JSON.stringify(name)} more than once; the first one counts`);
		return true;
	}
	const size = span.end - span.start;
	if (budget.items < 1 || budget.bytes < size) {
		note(`${method} is too large: ${JSON.stringify(name)} and what follows is left out`);
		return false;
	}
	budget.items -= 1;
	budget.bytes -= size;
	// A copy, so that an item does not keep its whole page in memory.
	found.set(name, { name, bytes: Buffer.from(bytes.subarray(span.start, span.end)) });
	return true;
}

/** The raw cursor of the next page; undefined after the last one. */
function nextCursor(fetch: ListFetch, page: Message, seen: Set<string>): string | undefined {
	const span = memberSpan(page.result, "nextCursor");
	if (span === undefined) return undefined;
	const cursor = rawText(page.bytes, span);
	// Some servers write null where the specification has them leave the member out.
	if (cursor === "null") return undefined;
	if (readString(page.bytes, span) === undefined) {
		fetch.note(`${fetch.method} ends early: its nextCursor is not a string`);
		return undefined;
	}
	if (seen.has(cursor)) {
		fetch.note(`${fetch.method} ends early: it gave the same cursor twice`);
		return undefined;
	}
	seen.add(cursor);
	return cursor;
}

/** Undefined when the server only says that it has no such method. */
function refusal(method: ListMethod, message: Message): ListProblem | undefined {
	const { bytes, error } = message;
	const code = readJson(bytes, memberSpan(error, "code"));
	if (code === rpc_codes.method_not_found) return undefined;
	const text = readString(bytes, memberSpan(error, "message"));
	return {
		kind: "refused",
		reason: `answered ${method} with the error ${typeof code === "number" ? code : "?"}`,
		detail: text?.slice(0, detail_chars_max),
	};
}
