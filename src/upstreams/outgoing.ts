import { assert } from "../lib/assert.ts";
import { meta_keys } from "../protocol/meta.ts";
import { indexMessage } from "../wire/index-message.ts";
import type { Edit, Message } from "../wire/message.ts";
import { asLine } from "../wire/ndjson.ts";
import { memberSpan, rawText } from "../wire/object.ts";
import { applyEdits, objectEdits, replaceSpan } from "../wire/splice.ts";
import type { UpstreamRequest } from "./driver.ts";

/** What a modern request says of the client on its hop; all raw JSON but the revision. */
export interface Envelope {
	readonly revision: string;
	readonly capabilities: string;
	readonly info: string;
}

/** The client's own progress token as raw JSON. */
export function progressToken(message: Message): string | undefined {
	const span = memberSpan(message.meta, meta_keys.progress_token);
	return span === undefined ? undefined : rawText(message.bytes, span);
}

/**
 * The request as it goes out: with the changes asked for, the id of this hop, and the same
 * number as progress token where the client wants progress. One copy, however many changes.
 */
export function stampRequest(message: Message, edits: readonly Edit[], id: number): Buffer {
	return applyEdits(message.bytes, stamps(message, edits, id));
}

/** The same as one line, for a stream of lines: no second copy is made for that. */
export function stampLine(message: Message, edits: readonly Edit[], id: number): Buffer {
	const end = message.bytes.length;
	const all = stamps(message, edits, id);
	all.push({ start: end, end, text: "\n" });
	return asLine(applyEdits(message.bytes, all));
}

function stamps(message: Message, edits: readonly Edit[], id: number): Edit[] {
	assert(message.id !== undefined, "a request has an id");
	const text = String(id);
	const stamp = replaceSpan(message.id, text);
	const first = edits[0];
	// In their order, where nothing has to be sorted: most write the id before the params.
	const all =
		first !== undefined && first.start < stamp.start ? [...edits, stamp] : [stamp, ...edits];
	const token = memberSpan(message.meta, meta_keys.progress_token);
	if (token !== undefined) all.push(replaceSpan(token, text));
	return all;
}

const envelope_keys = [
	meta_keys.protocol_version,
	meta_keys.client_capabilities,
	meta_keys.client_info,
];

/**
 * The request with the `_meta` that a modern server needs (basic, 2026-07-28). What the
 * message or its edits already say stays as it is, and then nothing is copied.
 */
export function withEnvelope(request: UpstreamRequest, envelope: Envelope): UpstreamRequest {
	// A client of the modern revision has said it all; it is the one who is in a hurry.
	if (envelope_keys.every((key) => mentions(request, key))) return request;
	const wanted: Record<string, string> = {
		[meta_keys.protocol_version]: JSON.stringify(envelope.revision),
		[meta_keys.client_capabilities]: envelope.capabilities,
		[meta_keys.client_info]: envelope.info,
	};
	const missing: Record<string, string> = {};
	for (const key of Object.keys(wanted)) {
		if (!mentions(request, key)) missing[key] = wanted[key] as string;
	}
	// Two sets of edits to one object do not know of each other's commas: one after the other.
	const edited = reindex(applyEdits(request.message.bytes, request.edits));
	return { ...request, message: reindex(addMeta(edited, missing)), edits: [] };
}

function mentions({ message, edits }: UpstreamRequest, key: string): boolean {
	if (memberSpan(message.meta, key) !== undefined) return true;
	return edits.some(({ text }) => text.includes(key));
}

function addMeta(message: Message, missing: Readonly<Record<string, string>>): Buffer {
	const { bytes, envelope, params, meta } = message;
	if (meta !== undefined) return applyEdits(bytes, objectEdits(bytes, meta, { set: missing }));
	const members = Object.entries(missing).map(([key, json]) => `${JSON.stringify(key)}:${json}`);
	const json = `{${members.join(",")}}`;
	const edits =
		params === undefined
			? objectEdits(bytes, envelope, { set: { params: `{"_meta":${json}}` } })
			: objectEdits(bytes, params, { set: { _meta: json } });
	return applyEdits(bytes, edits);
}

function reindex(bytes: Buffer): Message {
	const indexed = indexMessage(bytes);
	assert(indexed.ok, "an edited message must stay a message");
	return indexed.value;
}
