import { rpc_codes } from "../../protocol/codes.ts";
import type { Message, Span } from "../../wire/message.ts";
import {
	indexArray,
	indexObject,
	memberSpan,
	rawText,
	readJson,
	readJsonText,
	readString,
} from "../../wire/object.ts";

/**
 * "Visit this URL first" (-32042) is an error of revision 2025-11-25 only. A modern client is
 * asked the same as an input request, and sends its call again when the person is done.
 */

/** The questions in a -32042 error as a raw `inputRequests` object; undefined for others. */
export function urlQuestions(reply: Message): string | undefined {
	const { bytes, error } = reply;
	const code = readJson(bytes, memberSpan(error, "code"));
	if (code !== rpc_codes.url_elicitation_required) return undefined;
	const data = memberSpan(error, "data");
	const list = memberSpan(data && indexObject(bytes, data), "elicitations");
	const items = list === undefined ? undefined : indexArray(bytes, list);
	const parts = (items ?? []).flatMap((item, at) => question(bytes, item, `q${at + 1}`) ?? []);
	return parts.length === 0 ? undefined : `{${parts.join(",")}}`;
}

function question(bytes: Buffer, span: Span, key: string): string | undefined {
	const object = indexObject(bytes, span);
	const url = memberSpan(object, "url");
	if (readString(bytes, url) === undefined) return undefined;
	// The id has no meaning in the modern revision; everything else is kept as it came.
	const members = (object?.members ?? [])
		.filter(({ key: name }) => name !== "elicitationId" && name !== "mode")
		.map(({ key: name, value }) => `${JSON.stringify(name)}:${rawText(bytes, value)}`);
	const params = ['"mode":"url"', ...members].join(",");
	return `"${key}":{"method":"elicitation/create","params":{${params}}}`;
}

/** True when a client says that it can show a URL to its person. */
export function canElicitUrl(client_capabilities: string): boolean {
	const parsed = readJsonText(client_capabilities) as { elicitation?: { url?: unknown } };
	return typeof parsed.elicitation?.url === "object" && parsed.elicitation.url !== null;
}
