import {
	type ClientRequest,
	type IncomingHttpHeaders,
	type IncomingMessage,
	request,
} from "node:http";

/** What came back for one HTTP request, byte for byte. */
export interface RawAnswer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
	/** The JSON-RPC messages in it: the body itself, or the data of each event. */
	readonly messages: readonly Buffer[];
}

/** One HTTP request, as bytes. */
export interface RawRequest {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string | string[]>>;
	/** The target as it is sent, where not that of the address. */
	readonly path?: string;
	readonly body?: Buffer | string;
}

/** Headers of a well-behaved POST. */
export const post_headers: Readonly<Record<string, string>> = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
};

/** Sends one request and reads its whole answer. */
export async function exchange(address: URL, options: RawRequest): Promise<RawAnswer> {
	const { response } = await begin(address, options);
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk as Buffer);
	const body = Buffer.concat(chunks);
	const streams = response.headers["content-type"] === "text/event-stream";
	const messages = streams ? eventsIn(body).events : body.length === 0 ? [] : [body];
	return { status: response.statusCode ?? 0, headers: response.headers, body, messages };
}

function begin(
	address: URL,
	options: RawRequest,
): Promise<{ response: IncomingMessage; sent: ClientRequest }> {
	return new Promise((resolve, reject) => {
		const { method = "POST", headers = post_headers, body, path } = options;
		const target = path === undefined ? {} : { path };
		const sent = request(address, { method, headers: { ...headers }, agent: false, ...target });
		sent.once("response", (response) => resolve({ response, sent }));
		sent.once("error", reject);
		sent.end(body);
	});
}

/** The data of the whole events in a piece of an event stream, and what is left of it. */
function eventsIn(bytes: Buffer): { events: Buffer[]; rest: Buffer } {
	const events: Buffer[] = [];
	let start = 0;
	for (let end = bytes.indexOf("\n\n"); end >= 0; end = bytes.indexOf("\n\n", start)) {
		const data = dataOf(bytes.subarray(start, end));
		if (data !== undefined) events.push(data);
		start = end + 2;
	}
	return { events, rest: bytes.subarray(start) };
}

/** Our own streams write each message as one `data:` line. */
function dataOf(event: Buffer): Buffer | undefined {
	let line_start = 0;
	while (line_start < event.length) {
		const newline = event.indexOf(0x0a, line_start);
		const line_end = newline < 0 ? event.length : newline;
		const line = event.subarray(line_start, line_end);
		if (line.subarray(0, 5).toString("latin1") === "data:" && line.length > 6) {
			return line.subarray(line[5] === 0x20 ? 6 : 5);
		}
		line_start = line_end + 1;
	}
	return undefined;
}

/** An answer that is read while it comes. */
export class RawStream {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	/** Resolves when the answer is over, by its end or by a broken connection. */
	readonly ended: Promise<void>;
	/** Every message so far. */
	readonly messages: Buffer[] = [];
	readonly #response: IncomingMessage;
	readonly #sent: ClientRequest;
	#waiting: (() => void)[] = [];
	#over = false;
	#rest: Buffer = Buffer.alloc(0);

	constructor(response: IncomingMessage, sent: ClientRequest) {
		this.status = response.statusCode ?? 0;
		this.headers = response.headers;
		this.#response = response;
		this.#sent = sent;
		const streams = response.headers["content-type"] === "text/event-stream";
		response.on("data", (chunk: Buffer) => {
			this.#rest = Buffer.concat([this.#rest, chunk]);
			if (!streams) return;
			const { events, rest } = eventsIn(this.#rest);
			this.#rest = rest;
			this.#add(events);
		});
		this.ended = new Promise((resolve) => {
			const over = () => {
				if (this.#over) return;
				this.#over = true;
				this.#add(streams || this.#rest.length === 0 ? [] : [this.#rest]);
				resolve();
			};
			response.once("end", over);
			response.once("close", over);
			response.on("error", over);
		});
		sent.on("error", () => undefined);
	}

	/** The first message that fits, waiting for it; fails when the stream ends without it. */
	async until(fits: (message: Parsed) => boolean): Promise<Parsed> {
		for (let at = 0; ; at += 1) {
			while (at >= this.messages.length) {
				if (this.#over) throw new Error(`the stream ended without it: ${this.texts()}`);
				await new Promise<void>((resolve) => this.#waiting.push(resolve));
			}
			const parsed = parse(this.messages[at]);
			if (fits(parsed)) return parsed;
		}
	}

	/** Leaves what has come so far out of what `until` looks at. */
	forget(): void {
		this.messages.length = 0;
	}

	/** The reply that ends the answer. */
	reply(): Promise<Parsed> {
		return this.until((message) => "result" in message || "error" in message);
	}

	/** Everything so far as text, for assertions that fail. */
	texts(): string {
		return this.messages.map((message) => message.toString("utf8")).join("\n");
	}

	/** Breaks the connection, as a client that goes away does. */
	close(): void {
		this.#sent.destroy();
		this.#response.destroy();
	}

	#add(messages: readonly Buffer[]): void {
		this.messages.push(...messages);
		for (const wake of this.#waiting.splice(0)) wake();
	}
}

/** Sends one request; resolves with its answer's head, to be read while it comes. */
export async function openStream(address: URL, options: RawRequest): Promise<RawStream> {
	const { response, sent } = await begin(address, options);
	return new RawStream(response, sent);
}

/**
 * A JSON-RPC message, parsed, with the members that tests look into. What a message does not
 * have is undefined, whatever the type says. Tests that compare bytes use the bytes.
 */
export interface Parsed {
	readonly id?: unknown;
	readonly method?: string;
	readonly params: ParsedParams;
	readonly result: ParsedResult;
	readonly error: ParsedError;
}

export interface ParsedParams {
	readonly progressToken?: unknown;
	readonly progress?: number;
	readonly uri?: string;
	readonly requestId?: unknown;
	readonly level?: string;
	readonly data?: unknown;
	readonly message?: string;
	readonly url?: string;
	readonly elicitationId?: string;
	readonly notifications: Readonly<Record<string, unknown>>;
	readonly _meta: Readonly<Record<string, unknown>>;
}

export interface ParsedResult {
	readonly content: readonly { readonly type: string; readonly text: string }[];
	readonly contents: readonly { readonly uri: string; readonly text: string }[];
	readonly isError?: boolean;
	readonly tools: readonly { readonly name: string }[];
	readonly resources: readonly { readonly uri: string }[];
	readonly nextCursor?: string;
	readonly _meta: Readonly<Record<string, unknown>>;
	readonly resultType?: string;
	readonly inputRequests: Readonly<Record<string, Parsed>>;
	readonly requestState: string;
	readonly protocolVersion: string;
	readonly supportedVersions: readonly string[];
	readonly capabilities: Readonly<Record<string, unknown>>;
	readonly serverInfo: { readonly name: string };
	readonly instructions?: string;
}

export interface ParsedError {
	readonly code: number;
	readonly message: string;
	readonly data: Readonly<Record<string, unknown>>;
}

export function parse(message: Buffer | undefined): Parsed {
	return JSON.parse((message ?? Buffer.alloc(0)).toString("utf8")) as Parsed;
}

/** The first text of a tool's result. */
export function textOf({ result, error }: Parsed): string {
	if (error !== undefined) throw new Error(`an error came back: ${JSON.stringify(error)}`);
	return result.content[0]?.text ?? "";
}
