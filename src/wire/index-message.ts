import { isUtf8 } from "node:buffer";
import type { Result } from "../lib/result.ts";
import { fail, succeed } from "../lib/result.ts";
import { decodeName } from "./decode.ts";
import type { Member, Message, MessageKind, ObjectIndex, Span, WireProblem } from "./message.ts";
import { indexArray, rawText, readString } from "./object.ts";
import {
	byte_array_open,
	byte_colon,
	byte_comma,
	byte_minus,
	byte_nine,
	byte_object_close,
	byte_object_open,
	byte_quote,
	byte_zero,
	depth_max,
	failedAt,
	failureOffset,
	skipSpace,
	skipString,
	skipValue,
	too_deep,
} from "./scan.ts";

/** More members than this in the envelope, params, result, error or `_meta` are refused. */
export const members_max = 4096;

/** A batch of more messages than this is refused. */
export const batch_messages_max = 1000;

/** Up to here comparing every pair of keys is cheaper than building a set. */
const pairwise_members_max = 16;

/** What an object is to the message; decides which of its members are collected in turn. */
const role_envelope = 0;
const role_body = 1;
const role_plain = 2;
type Role = typeof role_envelope | typeof role_body | typeof role_plain;

/** What one pass over a message has found so far. */
class Findings {
	/** The object that was collected last; whoever asked for it takes it from here. */
	collected: ObjectIndex | undefined = undefined;
	/** The `_meta` of the params or result that was collected last. */
	meta: ObjectIndex | undefined = undefined;
	/** The first thing found that makes valid JSON an invalid message. */
	refusal: string | undefined = undefined;
	jsonrpc: Span | undefined = undefined;
	id: Span | undefined = undefined;
	/** An id given twice names nobody: an answer to either might reach the wrong asker. */
	id_is_ambiguous = false;
	method: Span | undefined = undefined;
	params: ObjectIndex | undefined = undefined;
	result: ObjectIndex | undefined = undefined;
	error: ObjectIndex | undefined = undefined;
	params_meta: ObjectIndex | undefined = undefined;
	result_meta: ObjectIndex | undefined = undefined;
}

/**
 * Validates all of `bytes` in one pass and locates what a JSON-RPC 2.0 message of MCP is made
 * of. Beside what JSON forbids (-32700, as are invalid UTF-8 and nesting deeper than
 * `depth_max`), refused with -32600 are: duplicate or too many members in the envelope, in
 * params, result, error and in the `_meta` of params or result; and what is not a request, a
 * notification, a result or an error. The message keeps `bytes`; they must not change.
 */
export function indexMessage(bytes: Buffer): Result<Message, WireProblem> {
	const found = new Findings();
	const end = bytes.length;
	const start = skipSpace(bytes, 0, end);
	let at: number;
	if (start < end && bytes[start] === byte_object_open) {
		at = collect(bytes, start, end, role_envelope, depth_max - 1, found);
	} else {
		found.refusal = "A message must be a JSON object.";
		at = skipValue(bytes, start, end, depth_max);
	}
	const envelope = found.collected;
	if (at >= 0) {
		const rest = skipSpace(bytes, at, end);
		if (rest < end) at = failedAt(rest);
	}
	if (at < 0) return fail(notJson(bytes, found, at));
	if (!isUtf8(bytes)) {
		const message = "The message is not valid UTF-8; send JSON encoded as UTF-8.";
		return fail({ code: -32700, message, id: readableId(bytes, found) });
	}
	if (found.refusal !== undefined) return fail(notMessage(bytes, found, found.refusal));
	return shape(bytes, envelope as ObjectIndex, found);
}

/**
 * Indexes a JSON array of messages; each message's `bytes` is a view of its part of `bytes`.
 * An empty batch, one of more than `batch_messages_max`, and one with an invalid message in it
 * are refused as a whole.
 */
export function indexBatch(bytes: Buffer): Result<Message[], WireProblem> {
	const end = bytes.length;
	const start = skipSpace(bytes, 0, end);
	// One level more than a message may have: the array around them.
	const stop = skipValue(bytes, start, end, depth_max + 1);
	const rest = stop < 0 ? stop : skipSpace(bytes, stop, end);
	if (rest !== end) {
		return fail(notJson(bytes, undefined, rest < 0 ? rest : failedAt(rest)));
	}
	const items = indexArray(bytes, { start, end });
	if (items === undefined) return fail(notBatch("A batch must be a JSON array of messages."));
	if (items.length === 0) {
		return fail(notBatch("The batch is empty; send at least one message in it."));
	}
	if (items.length > batch_messages_max) {
		const message = `The batch has more than ${batch_messages_max} messages; send it in parts.`;
		return fail(notBatch(message));
	}
	const messages: Message[] = [];
	for (const item of items) {
		const message = indexMessage(bytes.subarray(item.start, item.end));
		if (!message.ok) return message;
		messages.push(message.value);
	}
	return succeed(messages);
}

/** Whether the first byte that is not whitespace opens an array. */
export function isBatch(bytes: Buffer): boolean {
	const at = skipSpace(bytes, 0, bytes.length);
	return at < bytes.length && bytes[at] === byte_array_open;
}

/**
 * Collects the members of the object that opens at `start` into `found.collected`. Gives the
 * offset behind it, or a negative number as `skipValue` does.
 */
function collect(
	bytes: Buffer,
	start: number,
	end: number,
	role: Role,
	depth: number,
	found: Findings,
): number {
	const members: Member[] = [];
	let at = skipSpace(bytes, start + 1, end);
	if (at < end && bytes[at] === byte_object_close) {
		found.collected = { span: { start, end: at + 1 }, members };
		return at + 1;
	}
	while (at < end) {
		if (bytes[at] !== byte_quote) return failedAt(at);
		const key_start = at;
		at = skipString(bytes, at + 1, end);
		if (at < 0) return at;
		const key = decodeName(bytes, key_start + 1, at - 1);
		at = skipSpace(bytes, at, end);
		if (at >= end || bytes[at] !== byte_colon) return failedAt(at);
		const value_start = skipSpace(bytes, at + 1, end);
		at = collectValue(bytes, value_start, end, role, depth, key, found);
		if (at < 0) return at;
		const value = { start: value_start, end: at };
		if (role === role_envelope) noteMember(key, value, found);
		if (members.length < members_max) members.push({ key, key_start, value });
		else found.refusal ??= `An object of the message has more than ${members_max} members.`;
		at = skipSpace(bytes, at, end);
		if (at >= end) break;
		const byte = bytes[at] as number;
		if (byte === byte_object_close) {
			if (hasDuplicates(members)) {
				found.refusal ??= "An object of the message has two members of the same name.";
			}
			found.collected = { span: { start, end: at + 1 }, members };
			return at + 1;
		}
		if (byte !== byte_comma) return failedAt(at);
		at = skipSpace(bytes, at + 1, end);
	}
	return failedAt(end);
}

/** Skips the value of `key`, or collects it where its members are wanted too. */
function collectValue(
	bytes: Buffer,
	start: number,
	end: number,
	role: Role,
	depth: number,
	key: string,
	found: Findings,
): number {
	if (role === role_plain || start >= end || bytes[start] !== byte_object_open) {
		return skipValue(bytes, start, end, depth);
	}
	let at: number;
	if (role === role_body) {
		if (key !== "_meta") return skipValue(bytes, start, end, depth);
		at = collect(bytes, start, end, role_plain, depth - 1, found);
		found.meta = found.collected;
	} else if (key === "params") {
		found.meta = undefined;
		at = collect(bytes, start, end, role_body, depth - 1, found);
		found.params = found.collected;
		found.params_meta = found.meta;
	} else if (key === "result") {
		found.meta = undefined;
		at = collect(bytes, start, end, role_body, depth - 1, found);
		found.result = found.collected;
		found.result_meta = found.meta;
	} else if (key === "error") {
		at = collect(bytes, start, end, role_plain, depth - 1, found);
		found.error = found.collected;
	} else {
		at = skipValue(bytes, start, end, depth);
	}
	return at;
}

/** Keeps what the envelope says, as it is read: an id is known even when the rest is broken. */
function noteMember(key: string, value: Span, found: Findings): void {
	if (key === "id") {
		found.id_is_ambiguous = found.id !== undefined;
		found.id = value;
	} else if (key === "method") found.method = value;
	else if (key === "jsonrpc") found.jsonrpc = value;
	else if (key === "params" && found.params?.span.start !== value.start) {
		found.refusal ??= "The params of a message must be an object.";
	} else if (key === "result" && found.result?.span.start !== value.start) {
		found.refusal ??= "The result of a message must be an object.";
	} else if (key === "error" && found.error?.span.start !== value.start) {
		found.refusal ??= "The error of a message must be an object.";
	}
}

function hasDuplicates(members: readonly Member[]): boolean {
	const count = members.length;
	if (count > pairwise_members_max) {
		const keys = new Set<string>();
		for (const member of members) keys.add(member.key);
		return keys.size < count;
	}
	for (let later = 1; later < count; later++) {
		const { key } = members[later] as Member;
		for (let earlier = 0; earlier < later; earlier++) {
			if ((members[earlier] as Member).key === key) return true;
		}
	}
	return false;
}

/** The last step: valid JSON without duplicates; is it one of the four kinds of message? */
function shape(
	bytes: Buffer,
	envelope: ObjectIndex,
	found: Findings,
): Result<Message, WireProblem> {
	const { id, params, result, error } = found;
	if (!isVersionTwo(bytes, found.jsonrpc)) {
		return fail(notMessage(bytes, found, 'The message must have "jsonrpc": "2.0".'));
	}
	let kind: MessageKind;
	let method: string | undefined;
	if (found.method !== undefined) {
		if (bytes[found.method.start] !== byte_quote) {
			return fail(notMessage(bytes, found, "The method of a message must be a string."));
		}
		if (result !== undefined || error !== undefined) {
			const message = "A message with a method must not have a result or an error.";
			return fail(notMessage(bytes, found, message));
		}
		method = decodeName(bytes, found.method.start + 1, found.method.end - 1);
		kind = id === undefined ? "notification" : "request";
	} else {
		if ((result === undefined) === (error === undefined)) {
			const message = "A message must have a method, or either a result or an error.";
			return fail(notMessage(bytes, found, message));
		}
		kind = result === undefined ? "error" : "result";
	}
	if (!isAcceptableId(bytes, id, kind)) {
		return fail(notMessage(bytes, found, "The id of a message must be a string or a number."));
	}
	const meta = result === undefined ? found.params_meta : found.result_meta;
	return succeed({ bytes, kind, envelope, id, method, params, result, error, meta });
}

function isVersionTwo(bytes: Buffer, span: Span | undefined): boolean {
	if (span === undefined) return false;
	const { start, end } = span;
	// Written as it nearly always is, it can be told without decoding.
	if (end - start === 5 && bytes[start + 1] === 0x32 && bytes[start + 2] === 0x2e) {
		return bytes[start + 3] === byte_zero && bytes[start] === byte_quote;
	}
	return readString(bytes, span) === "2.0";
}

/** An error may answer a message whose id could not be read: it has null there, or nothing. */
function isAcceptableId(bytes: Buffer, id: Span | undefined, kind: MessageKind): boolean {
	if (id === undefined) return kind === "notification" || kind === "error";
	if (isStringOrNumber(bytes[id.start] as number)) return true;
	return kind === "error" && bytes[id.start] === 0x6e; // null
}

function isStringOrNumber(first_byte: number): boolean {
	if (first_byte === byte_quote || first_byte === byte_minus) return true;
	return first_byte >= byte_zero && first_byte <= byte_nine;
}

function readableId(bytes: Buffer, found: Findings | undefined): string | undefined {
	const id = found?.id_is_ambiguous ? undefined : found?.id;
	if (id === undefined || !isStringOrNumber(bytes[id.start] as number)) return undefined;
	return isUtf8(bytes.subarray(id.start, id.end)) ? rawText(bytes, id) : undefined;
}

function notBatch(message: string): WireProblem {
	return { code: -32600, message, id: undefined };
}

function notMessage(bytes: Buffer, found: Findings, message: string): WireProblem {
	return { code: -32600, message, id: readableId(bytes, found) };
}

function notJson(bytes: Buffer, found: Findings | undefined, failure: number): WireProblem {
	const id = readableId(bytes, found);
	if (failure === too_deep) {
		const message = `The message is nested more than ${depth_max} levels deep; flatten it.`;
		return { code: -32700, message, id };
	}
	const offset = failureOffset(failure);
	const message =
		offset >= bytes.length
			? "The message is not valid JSON: it ends too early."
			: `The message is not valid JSON: unexpected byte at offset ${offset}.`;
	return { code: -32700, message, id };
}
