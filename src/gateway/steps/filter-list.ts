import { passesGlobs } from "../../lib/glob.ts";
import type { Edit, Span } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, readString } from "../../wire/object.ts";
import type { Call, Reply } from "../call.ts";

/** Leaves tools that may not be called here out of a single server's own list. */
export function filterList(call: Call, reply: Reply): Reply {
	if (reply.kind !== "message" || call.method !== "tools/list") return reply;
	const filter = call.target?.server.tools;
	if (filter === undefined || filter.allow.length + filter.deny.length === 0) return reply;
	const { bytes, result } = reply.message;
	const list = memberSpan(result, "tools");
	const items = list === undefined ? undefined : indexArray(bytes, list);
	if (items === undefined) return reply;
	const kept = items.map((item) => {
		const name = readString(bytes, memberSpan(indexObject(bytes, item), "name"));
		return name !== undefined && passesGlobs(filter, name);
	});
	reply.edits.push(...removals(items, kept));
	return reply;
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
