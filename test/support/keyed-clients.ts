import assert from "node:assert/strict";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { exchange, openStream, parse, post_headers, type RawStream } from "./raw-client.ts";
import {
	client_info,
	LegacyWire,
	ModernWire,
	replyOf,
	type WireClient,
	type WireRequest,
} from "./wire-clients.ts";

/** Somebody with an API key: the entry under `identity.keys`, and the header that shows it. */
export interface KeyHolder {
	readonly entry: object;
	readonly headers: Readonly<Record<string, string>>;
}

/** Makes somebody of a tenant; `more` are further members of the entry, such as `roles`. */
export function keyHolder(user: string, tenant: string, more: object = {}): KeyHolder {
	const key = newApiKey(systemRandom);
	const hash = `sha256:${hashApiKey(key)}`;
	return {
		entry: { name: user, hash, tenant, user, ...more },
		headers: { authorization: `Bearer ${key}` },
	};
}

class KeyedLegacy extends LegacyWire {
	readonly #own: Readonly<Record<string, string>>;

	constructor(address: URL, session_id: string, hello: object, own: KeyHolder["headers"]) {
		super(address, session_id, hello as LegacyWire["hello"]);
		this.#own = own;
	}

	override headers(request: Pick<WireRequest, "headers">): Record<string, string> {
		return { ...super.headers(request), ...this.#own };
	}
}

class KeyedModern extends ModernWire {
	readonly #own: Readonly<Record<string, string>>;

	constructor(address: URL, own: KeyHolder["headers"]) {
		super(address);
		this.#own = own;
	}

	override headers(request: WireRequest): Record<string, string> {
		return { ...super.headers(request), ...this.#own };
	}
}

/** Sends a legacy `initialize` of somebody, whatever comes of it. */
export function initializeAs(who: Pick<KeyHolder, "headers">, address: URL) {
	const params = `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":${client_info}}`;
	const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`;
	return exchange(address, { headers: { ...post_headers, ...who.headers }, body });
}

/** A legacy session of somebody. */
export async function openLegacyAs(
	who: Pick<KeyHolder, "headers">,
	address: URL,
): Promise<LegacyWire> {
	const answer = await initializeAs(who, address);
	const session_id = answer.headers["mcp-session-id"];
	assert.ok(typeof session_id === "string", answer.body.toString("utf8"));
	const client = new KeyedLegacy(address, session_id, parse(replyOf(answer)), who.headers);
	await client.notify('{"jsonrpc":"2.0","method":"notifications/initialized"}');
	return client;
}

/** A client of somebody in either era. */
export function openWireAs(
	era: WireClient["era"],
	who: Pick<KeyHolder, "headers">,
	address: URL,
): Promise<WireClient> {
	if (era === "legacy") return openLegacyAs(who, address);
	return Promise.resolve(new KeyedModern(address, who.headers));
}

/** Opens `subscriptions/listen` of a modern client; resolves with its acknowledgement. */
export async function listenTo(
	client: WireClient,
	notifications: object,
): Promise<{ readonly stream: RawStream; readonly acknowledged: unknown }> {
	const request = { method: "subscriptions/listen", id: "1" } as const;
	const params = JSON.stringify({ notifications });
	const whole = { ...request, params };
	const stream = await openStream(client.address, {
		headers: client.headers(whole),
		body: client.compose(whole),
	});
	const ack = await stream.until(
		({ method }) => method === "notifications/subscriptions/acknowledged",
	);
	return { stream, acknowledged: ack.params.notifications };
}
