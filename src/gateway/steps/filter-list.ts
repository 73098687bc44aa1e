import { passesGlobs } from "../../lib/glob.ts";
import { isListMethod, type ListMethod, list_methods } from "../../protocol/methods.ts";
import type { Edit, Span } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, readString } from "../../wire/object.ts";
import { replaceSpan } from "../../wire/splice.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { isVisible } from "../local/visible.ts";

type MessageReply = Extract<Reply, { kind: "message" }>;

/** Which member of a list's items is the name that checks know. */
const named_by: Readonly<Record<ListMethod, string>> = {
	"tools/list": "name",
	"prompts/list": "name",
	"resources/list": "uri",
	"resources/templates/list": "uriTemplate",
};

/**
 * Leaves what may not be called here, or not by who asks, out of a single server's own list. One
 * that depends on who asks is nobody else's to keep, whatever its server says of it (SEP-2549).
 */
export function filterList(call: Call, reply: Reply, context: GatewayContext): Reply {
	const { method, target } = call;
	if (reply.kind !== "message" || target === undefined || !isListMethod(method)) return reply;
	const { tools, name: server } = target.server;
	const by_name = method === "tools/list" && tools.allow.length + tools.deny.length > 0;
	const by_asker = context.filters_lists;
	if (by_asker || target.server.scope !== "shared") keepPrivate(call, reply);
	if (!by_name && !by_asker) return reply;
	const { bytes, result } = reply.message;
	const list = memberSpan(result, list_methods[method]);
	const items = list === undefined ? undefined : indexArray(bytes, list);
	if (items === undefined) return reply;
	const kept = items.map((item) => {
		const name = readString(bytes, memberSpan(indexObject(bytes, item), named_by[method]));
		if (name === undefined || (by_name && !passesGlobs(tools, name))) return false;
		return isVisible(call, server, method, name, context);
	});
	reply.edits.push(...removals(items, kept));
	return reply;
}

/** Legacy clients hear nothing of caches; where a server says nothing, that means private. */
function keepPrivate({ client }: Call, { message, edits }: MessageReply): void {
	if (client.era === "legacy") return;
	const said = memberSpan(message.result, "cacheScope");
	if (said !== undefined) edits.push(replaceSpan(said, '"private"'));
}

/** Edits that cut elements out of an array, each with the comma that belongs to it. */
function removals(items: readonly Span[], kept: readonly boolean[]): Edit[] {
	const first_kept = kept.indexOf(true);
	return items.flatMap((item, at) => {
		if (kept[at] === true) return [];
		const before = items[at - 1];
		const after = items[at + 1];
		// Elements before the first kept one go with the comma behind them, others with the
		// one before, so that no comma is cut twice or left over.
		if (first_kept >= 0 && at < first_kept) {
			return [{ start: item.start, end: (after as Span).start, text: "" }];
		}
		return [{ start: before === undefined ? item.start : before.end, end: item.end, text: "" }];
	});
}
