import type { Era } from "./cell.ts";

/** What came over the wire: its shape is for the test to look into. */
export type Json = ReturnType<typeof JSON.parse>;

/** What a request may be sent with. */
export interface PeerOptions {
	readonly signal?: AbortSignal;
	readonly onprogress?: (progress: { progress: number; total?: number }) => void;
}

/** A message as it came, by an SDK's transport and past its schemas. */
export interface WireReply {
	readonly result?: Json;
	readonly error?: { readonly code: number; readonly message: string };
}

/** A connected client of either SDK, with what the features need of it. */
export interface Peer {
	readonly era: Era;
	/** Revision agreed on. */
	readonly revision: string | undefined;
	readonly server_name: string | undefined;
	readonly server_capabilities: Json;
	/** Calls a tool. `meta` goes into `_meta`. */
	call(tool: string, args?: Json, options?: PeerOptions, meta?: Json): Promise<Json>;
	/** Sends a request of the core protocol. */
	request(method: string, params?: Json): Promise<Json>;
	/** Sends a request that the SDK does not know; `extensions` are declared with it. */
	wire(method: string, params?: Json, extensions?: Json): Promise<WireReply>;
	/** Adds a listener for notifications of a method; the returned function removes it. */
	on(method: string, listener: (params: Json) => void): () => void;
	/** Asks to be told of changes of lists and of one resource, in the way of the era. */
	watch(uri: string): Promise<() => Promise<void>>;
	close(): Promise<void>;
}

/** What every client of the matrix can do. */
export const capabilities = {
	elicitation: { form: {}, url: {} },
	sampling: { tools: {} },
	roots: {},
};

/** What every client of the matrix answers when it is asked. */
export const answers: Readonly<Record<string, (params: Json) => object>> = {
	"elicitation/create": (params) =>
		params.mode === "url"
			? { action: "accept" }
			: { action: "accept", content: { name: `name for ${params.message}` } },
	"sampling/createMessage": (params) =>
		params.tools === undefined
			? { ...said, content: { type: "text", text: `model: ${params.messages[0].content.text}` } }
			: { ...said, stopReason: "toolUse", content: [tool_use] },
	"roots/list": () => ({ roots: [{ uri: "file:///work", name: "work" }] }),
};

const said = { model: "matrix-model", role: "assistant", stopReason: "endTurn" };
const tool_use = { type: "tool_use", id: "use-1", name: "weather", input: { city: "Ulm" } };
