import type { Principal } from "../identity/principal.ts";
import type { CheckedCall, CheckNotes, ToolFacts } from "../policy/check.ts";
import type { FindRisk } from "../policy/current-policy.ts";
import type { Message, Span } from "../wire/message.ts";
import { memberSpan, rawText, readJsonText } from "../wire/object.ts";
import { parseJson } from "../wire/parse-json.ts";
import type { Call, CallTarget, ClientSide } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import { toolDefinition } from "./local/tool-definition.ts";
import type { Reader, ReadTarget } from "./read-refusal.ts";

/** What the checks are shown of a call: its parts by name, and its arguments on demand. */
export function checkedCall(call: Call, target: CallTarget, context: GatewayContext): CheckedCall {
	return new CallForChecks(call, target, context);
}

/** A class, since an object with getters of its own is made anew by the engine each time. */
class CallForChecks implements CheckedCall {
	readonly id: string;
	readonly principal: Principal;
	readonly made_by: Principal | undefined;
	readonly client: CheckedCall["client"];
	readonly endpoint: string;
	readonly server: string;
	readonly method: string;
	readonly name: string | undefined;
	readonly tool: ToolFacts | undefined;
	readonly now_ms: number;
	readonly notes: CheckNotes = { limits: undefined, held: undefined };
	readonly #message: Message;
	readonly #span: Span | undefined;
	#raw: string | undefined;
	#parsed = false;
	#value: unknown;

	constructor(call: Call, { server, name }: CallTarget, context: GatewayContext) {
		const { message } = call;
		this.id = call.id;
		this.principal = call.principal;
		this.made_by = call.made_by;
		this.client = checkedClient(call.client);
		this.endpoint = call.endpoint.name;
		this.server = server.name;
		this.method = call.method;
		this.name = name;
		this.tool = call.method === "tools/call" ? toolFacts(server.name, name, context) : undefined;
		this.now_ms = call.notes.ts_ms;
		this.#message = message;
		this.#span = memberSpan(message.params, "arguments");
	}

	get arguments_raw(): string | undefined {
		const span = this.#span;
		if (span !== undefined) this.#raw ??= rawText(this.#message.bytes, span);
		return this.#raw;
	}

	args(): unknown {
		if (!this.#parsed) {
			this.#parsed = true;
			const span = this.#span;
			// Most checks want both: the text is decoded once.
			if (span !== undefined) {
				this.#value = parseJson(this.#message.bytes, span, this.arguments_raw);
			}
		}
		return this.#value;
	}
}

/** What the checks are shown of somebody who wants to hear of something: as if it were read. */
export function checkedRead(
	{ principal, client, endpoint }: Reader,
	{ method, server, name }: ReadTarget,
	{ clock, random }: GatewayContext,
): CheckedCall {
	return {
		id: random.uuid(),
		principal,
		client: checkedClient(client),
		endpoint,
		server,
		method,
		name,
		tool: undefined,
		args: () => undefined,
		arguments_raw: undefined,
		now_ms: clock.now(),
		notes: {},
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

/** What a client calls itself, and what checks were shown of it last. */
interface NamedClient {
	readonly name: string;
	readonly version: string;
	/** Whether it says both, as texts. */
	readonly is_named: boolean;
	shown: CheckedCall["client"] | undefined;
}

/** The same few clients call again and again; what is remembered of them is bounded. */
const named_clients = new Map<string, NamedClient>();
const named_clients_max = 1000;
/** What says more of itself is read anew each time. */
const named_chars_max = 4096;

/** Name and version in a client's `clientInfo`, a raw JSON object. */
export function namedClient(info: string): Pick<NamedClient, "name" | "version"> {
	return named(info);
}

/** Whether a client says its name and its version, both as texts. */
export function isNamed(info: string): boolean {
	return named(info).is_named;
}

function named(info: string): NamedClient {
	let known = named_clients.get(info);
	if (known === undefined) {
		const read = readJsonText(info);
		const members = isObject(read) ? read : {};
		const { name, version } = members;
		const is_named = typeof name === "string" && typeof version === "string";
		known = { name: textOf(name), version: textOf(version), is_named, shown: undefined };
		if (info.length > named_chars_max) return known;
		if (named_clients.size >= named_clients_max) named_clients.clear();
		named_clients.set(info, known);
	}
	return known;
}

/** The same object for the same client, so that what is made of it is made once. */
function checkedClient(client: ClientSide): CheckedCall["client"] {
	const known = named(client.info);
	const { revision, era, capabilities } = client;
	const { name, version, shown } = known;
	if (shown?.revision === revision && shown.era === era && shown.capabilities === capabilities) {
		return shown;
	}
	known.shown = { name, version, revision, era, capabilities };
	return known.shown;
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value.slice(0, 128) : "";
}
