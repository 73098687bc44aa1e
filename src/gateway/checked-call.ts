import type { CheckedCall, ToolFacts } from "../policy/check.ts";
import type { FindRisk } from "../policy/current-policy.ts";
import { memberSpan, rawText, readJson, readJsonText } from "../wire/object.ts";
import type { Call, CallTarget } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import { toolDefinition } from "./local/tool-definition.ts";

/** What the checks are shown of a call: its parts by name, and its arguments on demand. */
export function checkedCall(
	call: Call,
	{ server, name }: CallTarget,
	context: GatewayContext,
): CheckedCall {
	const { client, message } = call;
	const span = memberSpan(message.params, "arguments");
	const { name: client_name, version } = namedClient(client.info);
	let raw: string | undefined;
	let parsed = false;
	let value: unknown;
	return {
		id: call.id,
		principal: call.principal,
		client: {
			name: client_name,
			version,
			revision: client.revision,
			era: client.era,
			capabilities: client.capabilities,
		},
		endpoint: call.endpoint.name,
		server: server.name,
		method: call.method,
		name,
		tool: call.method === "tools/call" ? toolFacts(server.name, name, context) : undefined,
		get arguments_raw() {
			raw ??= span === undefined ? undefined : rawText(message.bytes, span);
			return raw;
		},
		args() {
			if (!parsed) {
				parsed = true;
				value = readJson(message.bytes, span);
			}
			return value;
		},
		now_ms: call.notes.ts_ms,
	};
}

/**
 * By how risks are found, which changes with the configuration, and by the definition as the
 * server gave it: a new one takes its place when it changes.
 */
const known_facts = new WeakMap<FindRisk, WeakMap<Buffer, ToolFacts>>();

/** What is known of a tool; undefined where the catalog does not have it. */
export function toolFacts(
	server: string,
	tool: string | undefined,
	context: Pick<GatewayContext, "catalogs" | "findRisk">,
): ToolFacts | undefined {
	const definition = toolDefinition(server, tool, context);
	if (definition === undefined || tool === undefined) return undefined;
	const { findRisk } = context;
	let known = known_facts.get(findRisk);
	if (known === undefined) {
		known = new WeakMap();
		known_facts.set(findRisk, known);
	}
	let facts = known.get(definition);
	if (facts === undefined) {
		const read = readJsonText(definition.toString("utf8"));
		const members = isObject(read) ? read : {};
		const annotations = isObject(members["annotations"]) ? members["annotations"] : {};
		const risk = findRisk(server, tool, annotations);
		facts = { name: tool, annotations, risk, input_schema: members["inputSchema"] };
		known.set(definition, facts);
	}
	return facts;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same few clients call again and again; what is remembered of them is bounded. */
const named_clients = new Map<string, { readonly name: string; readonly version: string }>();
const named_clients_max = 1000;

/** Name and version in a client's `clientInfo`, a raw JSON object. */
export function namedClient(info: string): { readonly name: string; readonly version: string } {
	let named = named_clients.get(info);
	if (named === undefined) {
		const read = readJsonText(info);
		const members = isObject(read) ? read : {};
		named = { name: textOf(members["name"]), version: textOf(members["version"]) };
		if (named_clients.size >= named_clients_max) named_clients.clear();
		named_clients.set(info, named);
	}
	return named;
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value.slice(0, 128) : "";
}
