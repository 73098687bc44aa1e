/**
 * A JSON-RPC message as the bytes it came in, with an index of where its parts are.
 * Nothing is parsed and rebuilt: unknown members, big integers, `1.0` and escapes reach the
 * other side exactly as they came. What must change is described by edits (see splice.ts).
 */

/** A half-open range of bytes. */
export interface Span {
	readonly start: number;
	readonly end: number;
}

/** One member of an indexed object. `key_start` is the offset of the key's opening quote. */
export interface Member {
	readonly key: string;
	readonly key_start: number;
	readonly value: Span;
}

/** An object whose members have been located (not parsed). */
export interface ObjectIndex {
	/** From the opening brace to just behind the closing one. */
	readonly span: Span;
	readonly members: readonly Member[];
}

/** What a message is, told from its members. */
export type MessageKind = "request" | "notification" | "result" | "error";

/** An indexed JSON-RPC 2.0 message. All spans are offsets into `bytes`. */
export interface Message {
	readonly bytes: Buffer;
	readonly kind: MessageKind;
	/** The whole message as an object; extra members beside the JSON-RPC ones are kept. */
	readonly envelope: ObjectIndex;
	/** The raw id (a string with its quotes, a number as written, or null on an error). */
	readonly id: Span | undefined;
	readonly method: string | undefined;
	/** `params` when it is an object; MCP has no positional params. */
	readonly params: ObjectIndex | undefined;
	/** `result` when it is an object. A result that is not an object is not a valid message. */
	readonly result: ObjectIndex | undefined;
	/** `error` as an object. */
	readonly error: ObjectIndex | undefined;
	/** `_meta` of params or result, when it is an object. */
	readonly meta: ObjectIndex | undefined;
}

/** Why bytes are not a message. `code` is the JSON-RPC code to answer with. */
export interface WireProblem {
	/** -32700 for bytes that are not JSON, -32600 for JSON that is not a JSON-RPC message. */
	readonly code: -32700 | -32600;
	readonly message: string;
	/** The request's id where it could still be read, so that the answer reaches its asker. */
	readonly id: string | undefined;
}

/** A replacement of a range of bytes; `start === end` inserts. Edits never overlap. */
export interface Edit {
	readonly start: number;
	readonly end: number;
	readonly text: string | Buffer;
}
