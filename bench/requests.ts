import type { LoadRequest } from "./load.ts";

/** What a client says besides where it is sent. */
export type Saying = Omit<LoadRequest, "port" | "path">;

const modern_revision = "2026-07-28";
const legacy_revision = "2025-11-25";
const client_info = { name: "bench", version: "1.0.0" };

const common = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
};

const said = "All hands on deck, the tide turns at noon.";
const call = { name: "echo", arguments: { text: said } };

/** A message whose id is filled in for each request. */
function message(method: string, params: object): string {
	return JSON.stringify({ jsonrpc: "2.0", id: 0, method, params }).replace('"id":0', '"id":$ID');
}

/** `tools/call` of a client of the modern revision. */
export function modernCall(): Saying {
	return modern("tools/call", call, { "mcp-name": call.name }, said);
}

/** `tools/call` of any tool, whose answer has this text in it. */
export function modernToolCall(
	name: string,
	args: object,
	marker: string,
	progress = false,
): Saying {
	const meta = progress ? { progressToken: "p" } : {};
	return modern("tools/call", { name, arguments: args }, { "mcp-name": name }, marker, meta);
}

/** `tools/list` of a client of the modern revision, whose last tool has this name. */
export function modernListOf(last: string): Saying {
	return modern("tools/list", {}, {}, last);
}

/** `tools/list` of 100 tools. */
export function modernList(): Saying {
	return modernListOf("echo_99");
}

/** `subscriptions/listen` of a client of the modern revision. */
export function modernListen(): Saying {
	const params = { notifications: { toolsListChanged: true } };
	return modern("subscriptions/listen", params, {}, "acknowledged");
}

function modern(
	method: string,
	params: object,
	headers: object,
	marker: string,
	more_meta: object = {},
): Saying {
	const meta = {
		...more_meta,
		"io.modelcontextprotocol/protocolVersion": modern_revision,
		"io.modelcontextprotocol/clientInfo": client_info,
		"io.modelcontextprotocol/clientCapabilities": {},
	};
	return {
		headers: {
			...common,
			"mcp-protocol-version": modern_revision,
			"mcp-method": method,
			...headers,
		},
		body: message(method, { ...params, _meta: meta }),
		marker,
	};
}

/** `tools/call` within a legacy session. */
export function legacyCall(session_id: string): Saying {
	return {
		headers: {
			...common,
			"mcp-protocol-version": legacy_revision,
			"mcp-session-id": session_id,
		},
		body: message("tools/call", call),
		marker: said,
	};
}

/** Begins a legacy session at this address; its id. */
export async function openSession(address: string): Promise<string> {
	const params = {
		protocolVersion: legacy_revision,
		capabilities: {},
		clientInfo: client_info,
	};
	const body = message("initialize", params).replace("$ID", "1");
	const response = await fetch(address, { method: "POST", headers: common, body });
	const session_id = response.headers.get("mcp-session-id");
	const text = await response.text();
	if (session_id === null) throw new Error(`no session at ${address}: ${text}`);
	const greeted = await fetch(address, {
		method: "POST",
		headers: legacyCall(session_id).headers,
		body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
	});
	await greeted.arrayBuffer();
	return session_id;
}
