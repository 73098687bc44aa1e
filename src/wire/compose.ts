import { assert } from "../lib/assert.ts";
import type { Result } from "../lib/result.ts";
import { indexMessage } from "./index-message.ts";
import type { Message, WireProblem } from "./message.ts";

/**
 * A request of our own. `id` is raw JSON (a string with its quotes, or a number), and so is
 * `params_json`, an object. Asserts that the two make a valid message.
 */
export function composeRequest(
	id: string,
	method: string,
	params_json: string | undefined,
): Message {
	return compose(requestHead(id), method, params_json);
}

/**
 * The same with params that somebody else wrote: they may name a member twice, hold too many or be
 * nested too deep, and then there is no such message.
 */
export function readRequest(
	id: string,
	method: string,
	params_json: string,
): Result<Message, WireProblem> {
	return indexMessage(bytesOf(requestHead(id), method, params_json));
}

/** A notification of our own; `params_json` is the raw JSON of an object. */
export function composeNotification(method: string, params_json: string | undefined): Message {
	return compose('{"jsonrpc":"2.0","method":', method, params_json);
}

/** The bytes of a response; `id` and the result are raw JSON and are not checked. */
export function composeResult(id: string, result_json: string | Buffer): Buffer {
	const head = resultHead(id);
	if (typeof result_json === "string") return Buffer.from(`${head}${result_json}}`);
	return Buffer.concat([Buffer.from(head), result_json, Buffer.from("}")]);
}

/** The same, with a result in pieces that are not copied. */
export function composeResultBody(id: string, result: readonly Buffer[]): readonly Buffer[] {
	return [Buffer.from(resultHead(id)), ...result, Buffer.from("}")];
}

function resultHead(id: string): string {
	return `{"jsonrpc":"2.0","id":${id},"result":`;
}

/**
 * The bytes of an error response. `id` is raw JSON, "null" where the request's could not be
 * read; `message` is plain text; `data_json` is raw JSON.
 */
export function composeError(
	id: string,
	code: number,
	message: string,
	data_json?: string,
): Buffer {
	const data = data_json === undefined ? "" : `,"data":${data_json}`;
	const error = `{"code":${code},"message":${JSON.stringify(message)}${data}}`;
	return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${error}}`);
}

function requestHead(id: string): string {
	return `{"jsonrpc":"2.0","id":${id},"method":`;
}

function bytesOf(head: string, method: string, params_json: string | undefined): Buffer {
	const params = params_json === undefined ? "" : `,"params":${params_json}`;
	return Buffer.from(`${head}${JSON.stringify(method)}${params}}`);
}

function compose(head: string, method: string, params_json: string | undefined): Message {
	const indexed = indexMessage(bytesOf(head, method, params_json));
	assert(indexed.ok, "a composed message must be valid");
	return indexed.value;
}
