import type { ServerPlan } from "../config/plan.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { rpc_codes } from "../protocol/codes.ts";
import { type Fault, makeFault } from "../protocol/fault.ts";
import { meta_keys } from "../protocol/meta.ts";
import type { Random } from "../lib/random.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { composeRequest } from "../wire/compose.ts";
import type { Message } from "../wire/message.ts";
import { indexArray, indexObject, memberSpan, readJson, readString } from "../wire/object.ts";
import type { CatalogItem, CatalogParts, ItemKind } from "./server-catalog.ts";

/** Bounds on what one server may offer; a server beyond them is not served half. */
export interface FetchLimits {
	/** Items of one list. */
	readonly items_max: number;
	/** Pages of one list. */
	readonly pages_max: number;
	/** Bytes of one list. */
	readonly list_bytes_max: number;
}

/** What fetching needs. */
export interface FetchOptions {
	readonly random: Random;
	readonly limits: FetchLimits;
	readonly signal: AbortSignal;
	readonly now_ms: number;
	/** Told of items that had to be left out. */
	onDropped(text: string): void;
}

interface ListSource {
	readonly kind: ItemKind;
	/** Which capability says that the server has it. */
	readonly capability: string;
	readonly method: string;
	/** Member of the result with the items. */
	readonly member: string;
	/** Member of an item with its name. */
	readonly name: string;
}

const sources: readonly ListSource[] = [
	{ kind: "tools", capability: "tools", method: "tools/list", member: "tools", name: "name" },
	{
		kind: "resources",
		capability: "resources",
		method: "resources/list",
		member: "resources",
		name: "uri",
	},
	{
		kind: "templates",
		capability: "resources",
		method: "resources/templates/list",
		member: "resourceTemplates",
		name: "uriTemplate",
	},
	{
		kind: "prompts",
		capability: "prompts",
		method: "prompts/list",
		member: "prompts",
		name: "name",
	},
];

/** Asks a server for everything it offers, list by list, page by page. */
export async function fetchCatalog(
	server: ServerPlan,
	upstream: Upstream,
	options: FetchOptions,
): Promise<Result<CatalogParts, Fault>> {
	const { hello } = upstream;
	const can = JSON.parse(hello.capabilities) as Record<string, unknown>;
	const lists: Record<ItemKind, CatalogItem[]> = {
		tools: [],
		resources: [],
		templates: [],
		prompts: [],
	};
	const outcomes = await Promise.all(
		sources
			.filter(({ capability }) => can[capability] !== undefined)
			.map(async (source) => {
				const list = await fetchList(server, upstream, source, options);
				if (list.ok) lists[source.kind] = list.value;
				return list;
			}),
	);
	const failed = outcomes.find((outcome) => !outcome.ok);
	if (failed !== undefined && !failed.ok) return failed;
	return succeed({
		server: server.name,
		fingerprint: server.fingerprint,
		era: hello.era,
		revision: hello.revision,
		capabilities: hello.capabilities,
		server_info: hello.server_info,
		instructions: hello.instructions,
		...lists,
		fetched_at_ms: options.now_ms,
	});
}

async function fetchList(
	server: ServerPlan,
	upstream: Upstream,
	source: ListSource,
	options: FetchOptions,
): Promise<Result<CatalogItem[], Fault>> {
	const { limits } = options;
	const items = new Map<string, CatalogItem>();
	const cursors = new Set<string>();
	let cursor: string | undefined;
	let size_bytes = 0;
	for (let page = 0; page < limits.pages_max; page += 1) {
		const reply = await ask(upstream, server, source.method, cursor, options.signal);
		if (!reply.ok) return reply;
		const { bytes, result, error } = reply.value;
		if (error !== undefined) {
			const code = readJson(bytes, memberSpan(error, "code"));
			// A server may announce a capability and still lack one of its lists.
			if (code === rpc_codes.method_not_found) return succeed([]);
			return fail(broken(server, source, `answered with error ${String(code)}`, options));
		}
		size_bytes += bytes.length;
		const span = memberSpan(result, source.member);
		const found = span === undefined ? undefined : indexArray(bytes, span);
		if (found === undefined) return fail(broken(server, source, "sent no list", options));
		for (const item of found) {
			const name = readString(bytes, memberSpan(indexObject(bytes, item), source.name));
			if (name === undefined) options.onDropped(`an item of ${source.method} has no name`);
			else if (items.has(name)) options.onDropped(`${source.method} has "${name}" twice`);
			else {
				// Copied: a slice would keep the whole page in memory.
				items.set(name, { name, bytes: Buffer.from(bytes.subarray(item.start, item.end)) });
			}
		}
		if (items.size > limits.items_max || size_bytes > limits.list_bytes_max) {
			return fail(broken(server, source, "is too long", options));
		}
		cursor = readString(bytes, memberSpan(result, "nextCursor"));
		if (cursor === undefined) return succeed([...items.values()]);
		if (cursors.has(cursor)) return fail(broken(server, source, "repeats a page", options));
		cursors.add(cursor);
	}
	return fail(broken(server, source, "has too many pages", options));
}

const list_ms = 60_000;

function ask(
	upstream: Upstream,
	server: ServerPlan,
	method: string,
	cursor: string | undefined,
	signal: AbortSignal,
): Promise<Result<Message, Fault>> {
	const params: Record<string, unknown> = cursor === undefined ? {} : { cursor };
	if (upstream.hello.era === "modern") {
		params["_meta"] = {
			[meta_keys.protocol_version]: upstream.hello.revision,
			[meta_keys.client_capabilities]: {},
		};
	}
	return upstream.request({
		message: composeRequest("0", method, JSON.stringify(params)),
		edits: [],
		name: undefined,
		signal,
		call_ms: Math.min(list_ms, server.timeouts.call_ms),
	});
}

function broken(
	server: ServerPlan,
	source: ListSource,
	what: string,
	options: FetchOptions,
): Fault {
	return makeFault(options.random, {
		code: "server_protocol",
		message:
			`The list of ${source.kind} of "${server.name}" ${what}. ` +
			`See what the server wrote: moorage logs ${server.name}`,
		level: "warn",
		server: server.name,
		retry_safe: true,
	});
}
