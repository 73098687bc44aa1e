import { parseArgs } from "node:util";
import { serveHttp } from "./http.mjs";
import { serveSse } from "./sse.mjs";
import { serveStdio } from "./stdio.mjs";

/**
 * Runs a fixture's behaviour on the transport that the command line asks for.
 *
 * A behaviour is `{ name, capabilities (raw JSON), handle(call) }` and optionally
 * `started(peer)`, `notified(message, peer)`, `intercept(message, request, response)` (HTTP
 * only). `handle` returns the raw JSON of a result, `{ error: raw JSON }`, a promise of either,
 * or `undefined` for a method it does not know. A promise of `undefined` never answers.
 */
export function serve(behaviour) {
	const { values } = parseArgs({ options: options_by_name, strict: true });
	const options = { era: "legacy", ...values };
	if (values.sse) serveSse(behaviour, options);
	else if (values.http) serveHttp(behaviour, options);
	else serveStdio(behaviour, options);
}

const options_by_name = {
	http: { type: "boolean" },
	port: { type: "string" },
	sse: { type: "boolean" },
	elsewhere: { type: "boolean" },
	mute: { type: "boolean" },
	era: { type: "string" },
	revision: { type: "string" },
	json: { type: "boolean" },
	stateless: { type: "boolean" },
	no_get: { type: "boolean" },
	moved: { type: "boolean" },
	on_discover: { type: "string" },
	start_ms: { type: "string" },
	code: { type: "string" },
	at_start: { type: "boolean" },
	after_handshake: { type: "boolean" },
};

/** A behaviour of tools only. A tool is `{ name, call(context), json? }`. */
export function toolServer(name, tools, more = {}) {
	const list = tools.map(describe).join(",");
	return {
		name,
		capabilities: '{"tools":{"listChanged":true},"logging":{}}',
		handle(call) {
			const { method, params } = call.message;
			if (method === "tools/list") return `{"tools":[${list}]}`;
			if (method === "logging/setLevel") return "{}";
			if (method !== "tools/call") return more.handle?.(call);
			const tool = tools.find((candidate) => candidate.name === params.name);
			return tool === undefined ? unknownTool(params.name) : tool.call(call);
		},
		...without(more, "handle"),
	};
}

/** The raw JSON of a result with one text. */
export function text(value) {
	return `{"content":[{"type":"text","text":${JSON.stringify(value)}}]}`;
}

/** The raw JSON of a tool's definition. */
export function describe(tool) {
	return (
		tool.json ??
		`{"name":"${tool.name}","description":"Fixture tool ${tool.name}.","inputSchema":{"type":"object"}}`
	);
}

/** What a server answers for a tool it does not have. */
export function unknownTool(name) {
	return { error: JSON.stringify({ code: -32602, message: `Unknown tool: ${name}` }) };
}

function without(object, key) {
	const { [key]: _removed, ...rest } = object;
	return rest;
}
