import { rpc_codes } from "../../protocol/codes.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { isCacheable } from "../../protocol/methods.ts";
import type { Edit, Message, ObjectIndex } from "../../wire/message.ts";
import { memberSpan, readJson } from "../../wire/object.ts";
import { objectEdits, replaceSpan } from "../../wire/splice.ts";

/** Members that only modern results have. */
const modern_members = ["resultType", "ttlMs", "cacheScope"];

/**
 * A legacy server's reply for a modern client: the result says what it is and how long it
 * may be kept (not at all: a legacy server promises nothing), and who answered.
 */
export function modernReplyEdits(reply: Message, method: string, server_info: string): Edit[] {
	if (reply.error !== undefined) return errorCodeEdit(reply, legacy_codes_in_modern);
	const { result } = reply;
	if (result === undefined) return [];
	const set = missingMembers(result, method);
	const meta_is_other = reply.meta === undefined && memberSpan(result, "_meta") !== undefined;
	if (reply.meta === undefined && !meta_is_other) {
		set["_meta"] = `{"${meta_keys.server_info}":${server_info}}`;
	}
	const edits = objectEdits(reply.bytes, result, { set });
	if (reply.meta !== undefined && memberSpan(reply.meta, meta_keys.server_info) === undefined) {
		const named = { set: { [meta_keys.server_info]: server_info } };
		edits.push(...objectEdits(reply.bytes, reply.meta, named));
	}
	return edits;
}

/**
 * A modern server's reply for a modern client: what the revision requires and the server left
 * out is said as it has to be understood. Nothing is changed in a reply that is complete.
 */
export function completeReplyEdits(reply: Message, method: string): Edit[] {
	const { result } = reply;
	if (result === undefined) return [];
	const set = missingMembers(result, method);
	return Object.keys(set).length === 0 ? [] : objectEdits(reply.bytes, result, { set });
}

/** What a modern result must have and this one lacks, as it is understood (SEP-2322, SEP-2549). */
function missingMembers(result: ObjectIndex, method: string): Record<string, string> {
	const set: Record<string, string> = {};
	if (memberSpan(result, "resultType") === undefined) set["resultType"] = '"complete"';
	if (isCacheable(method)) {
		if (memberSpan(result, "ttlMs") === undefined) set["ttlMs"] = "0";
		if (memberSpan(result, "cacheScope") === undefined) set["cacheScope"] = '"private"';
	}
	return set;
}

/** A modern server's reply for a legacy client: without what only modern clients know. */
export function legacyReplyEdits(reply: Message): Edit[] {
	const { result } = reply;
	if (result === undefined) return [];
	const remove = modern_members.filter((key) => memberSpan(result, key) !== undefined);
	const only_server_info =
		reply.meta?.members.length === 1 && reply.meta.members[0]?.key === meta_keys.server_info;
	if (only_server_info) remove.push("_meta");
	const edits = objectEdits(reply.bytes, result, { remove });
	if (reply.meta !== undefined && !only_server_info) {
		edits.push(...objectEdits(reply.bytes, reply.meta, { remove: [meta_keys.server_info] }));
	}
	return edits;
}

const legacy_codes_in_modern: Readonly<Record<number, number>> = {
	[rpc_codes.resource_not_found]: rpc_codes.invalid_params,
};

function errorCodeEdit(reply: Message, mapping: Readonly<Record<number, number>>): Edit[] {
	const span = memberSpan(reply.error, "code");
	const code = readJson(reply.bytes, span);
	if (span === undefined || typeof code !== "number") return [];
	const mapped = mapping[code];
	return mapped === undefined ? [] : [replaceSpan(span, String(mapped))];
}
