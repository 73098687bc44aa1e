import assert from "node:assert/strict";
import {
	exchange,
	openStream,
	type Parsed,
	parse,
	post_headers,
	type RawAnswer,
	type RawStream,
} from "./raw-client.ts";

/** One request as a test writes it: `params` is raw JSON of an object without `_meta`. */
export interface WireRequest {
	readonly method: string;
	readonly params?: string;
	/** Raw JSON members of `_meta` beside those the era asks for, e.g. `"progressToken":1`. */
	readonly meta?: string;
	/** Raw JSON. */
	readonly id?: string;
	/** Set over what the era asks for. */
	readonly headers?: Readonly<Record<string, string>>;
}

/** A client that decides every byte it sends, in one era. */
export interface WireClient {
	readonly era: "legacy" | "modern";
	readonly address: URL;
	/** The bytes that `send` and `open` post for this request. */
	compose(request: WireRequest): string;
	/** Sends a request and reads its whole answer. */
	send(request: WireRequest): Promise<RawAnswer>;
	/** Sends a request whose answer is read while it comes. */
	open(request: WireRequest): Promise<RawStream>;
	/** Sends a request and parses its reply. */
	ask(request: WireRequest): Promise<Parsed>;
	/** Calls a tool; `json` is the raw JSON of its arguments. */
	call(tool: string, json?: string, id?: string): Promise<Parsed>;
	headers(request: WireRequest): Record<string, string>;
	/** Posts something that needs no reply, and checks that it was taken. */
	notify(body: string): Promise<void>;
}

export const client_info = '{"name":"wire-client","version":"1.0.0","x-unknown":1.0}';

/** The last message of an answer: the reply. */
export function replyOf(answer: RawAnswer): Buffer {
	const last = answer.messages.at(-1);
	assert.ok(last !== undefined, `no message in an answer with status ${answer.status}`);
	return last;
}

abstract class Base implements WireClient {
	abstract readonly era: "legacy" | "modern";
	readonly address: URL;
	#next_id = 1;

	constructor(address: URL) {
		this.address = address;
	}

	abstract compose(request: WireRequest): string;
	abstract headers(request: WireRequest): Record<string, string>;

	send(request: WireRequest): Promise<RawAnswer> {
		const with_id = this.#numbered(request);
		return exchange(this.address, {
			headers: this.headers(with_id),
			body: this.compose(with_id),
		});
	}

	open(request: WireRequest): Promise<RawStream> {
		const with_id = this.#numbered(request);
		return openStream(this.address, {
			headers: this.headers(with_id),
			body: this.compose(with_id),
		});
	}

	async ask(request: WireRequest): Promise<Parsed> {
		return parse(replyOf(await this.send(request)));
	}

	call(tool: string, json = "{}", id?: string): Promise<Parsed> {
		const params = `{"name":${JSON.stringify(tool)},"arguments":${json}}`;
		return this.ask({ method: "tools/call", params, ...(id === undefined ? {} : { id }) });
	}

	async notify(body: string): Promise<void> {
		const { method } = JSON.parse(body) as { method?: string };
		const headers = this.headers({ method: method ?? "" });
		const answer = await exchange(this.address, { headers, body });
		assert.equal(answer.status, 202, answer.body.toString("utf8"));
	}

	#numbered(request: WireRequest): WireRequest {
		if (request.id !== undefined) return request;
		this.#next_id += 1;
		return { ...request, id: String(this.#next_id) };
	}
}

/** A legacy client with a session. */
export class LegacyWire extends Base {
	readonly era = "legacy";
	readonly session_id: string;
	readonly hello: Parsed;
	readonly revision: string;

	constructor(address: URL, session_id: string, hello: Parsed) {
		super(address);
		this.session_id = session_id;
		this.hello = hello;
		this.revision = hello.result.protocolVersion;
	}

	compose({ method, params = "{}", meta, id }: WireRequest): string {
		const body = meta === undefined ? params : appended(params, `"_meta":{${meta}}`);
		return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${body}}`;
	}

	headers({ headers }: Pick<WireRequest, "headers">): Record<string, string> {
		return {
			...post_headers,
			"mcp-session-id": this.session_id,
			"mcp-protocol-version": this.revision,
			...headers,
		};
	}

	/** Opens the session's push stream. */
	listen(): Promise<RawStream> {
		return openStream(this.address, { method: "GET", headers: this.headers({}) });
	}
}

/** Opens a legacy session. */
export async function openLegacy(
	address: URL,
	options: { capabilities?: string; revision?: string } = {},
): Promise<LegacyWire> {
	const { capabilities = "{}", revision = "2025-11-25" } = options;
	const params =
		`{"protocolVersion":"${revision}","capabilities":${capabilities},` +
		`"clientInfo":${client_info}}`;
	const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
	const answer = await exchange(address, { body });
	assert.equal(answer.status, 200, answer.body.toString("utf8"));
	const session_id = answer.headers["mcp-session-id"];
	assert.ok(typeof session_id === "string", "initialize gives a session");
	const client = new LegacyWire(address, session_id, parse(replyOf(answer)));
	await client.notify('{"jsonrpc":"2.0","method":"notifications/initialized"}');
	return client;
}

/** A modern client: every request stands alone. */
export class ModernWire extends Base {
	readonly era = "modern";
	readonly capabilities: string;

	constructor(address: URL, capabilities = "{}") {
		super(address);
		this.capabilities = capabilities;
	}

	compose({ method, params = "{}", meta, id }: WireRequest): string {
		const members = [...(meta === undefined ? [] : [meta]), this.envelope()].join(",");
		const body = appended(params, `"_meta":{${members}}`);
		return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${body}}`;
	}

	/** The members of `_meta` that every modern request has, as raw JSON. */
	envelope(): string {
		return (
			'"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
			`"io.modelcontextprotocol/clientCapabilities":${this.capabilities},` +
			`"io.modelcontextprotocol/clientInfo":${client_info}`
		);
	}

	headers({ method, params, headers }: WireRequest): Record<string, string> {
		const named = params === undefined ? {} : (JSON.parse(params) as Record<string, unknown>);
		const name = method === "resources/read" ? named["uri"] : named["name"];
		const is_named = ["tools/call", "prompts/get", "resources/read"].includes(method);
		return {
			...post_headers,
			"mcp-protocol-version": "2026-07-28",
			"mcp-method": method,
			...(is_named && typeof name === "string" ? { "mcp-name": headerValue(name) } : {}),
			...headers,
		};
	}
}

/** A client of either era at an address. */
export function openWire(
	era: "legacy" | "modern",
	address: URL,
	capabilities = "{}",
): Promise<WireClient> {
	if (era === "legacy") return openLegacy(address, { capabilities });
	return Promise.resolve(new ModernWire(address, capabilities));
}

function headerValue(name: string): string {
	if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name)) return name;
	return `=?base64?${Buffer.from(name).toString("base64")}?=`;
}

/** A raw object with one more raw member at its end. */
function appended(object: string, member: string): string {
	const head = object.slice(0, object.lastIndexOf("}"));
	return /^\s*\{\s*$/.test(head) ? `${head}${member}}` : `${head},${member}}`;
}
