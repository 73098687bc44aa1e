import { pageOf } from "../../catalog/paging.ts";
import { kind_of_list } from "../../catalog/server-catalog.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { absent_meta_key, meta_keys } from "../../protocol/meta.ts";
import { type ListMethod, list_methods } from "../../protocol/methods.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { absentNotes } from "./absent-notes.ts";
import { wholeList } from "./bundle-view.ts";
import { isVisible } from "./visible.ts";

/** Answers a list at an address of several servers, from their catalogs. */
export async function bundleList(
	call: Call,
	method: ListMethod,
	context: GatewayContext,
): Promise<Reply> {
	const cursor_span = memberSpan(call.message.params, "cursor");
	const cursor = readString(call.message.bytes, cursor_span);
	if (cursor_span !== undefined && cursor === undefined) return bad_cursor;
	const kind = kind_of_list[method];
	const { list, absent } = await wholeList(call.endpoint, kind, context, call);
	const visible = context.filters_lists
		? list.items.filter(({ server, original }) =>
				isVisible(call, server, method, original, context),
			)
		: list.items;
	const page = pageOf(kind, visible, cursor);
	if (!page.ok) return bad_cursor;
	const { items, next_cursor } = page.value;
	const modern = call.client.era === "modern";
	const meta = [
		...(modern ? [`"${meta_keys.server_info}":${JSON.stringify(context.product)}`] : []),
		...(absent.length === 0 ? [] : [`"${absent_meta_key}":${absentNotes(absent)}`]),
	];
	const parts = [
		`"${list_methods[method]}":[${items.map(({ bytes }) => bytes.toString("utf8")).join(",")}]`,
		...(next_cursor === undefined ? [] : [`"nextCursor":"${next_cursor}"`]),
		// Which servers answer may differ from one moment to the next, so nothing is cached.
		...(modern ? ['"resultType":"complete","ttlMs":0,"cacheScope":"private"'] : []),
		...(meta.length === 0 ? [] : [`"_meta":{${meta.join(",")}}`]),
	];
	return { kind: "result", json: `{${parts.join(",")}}` };
}

const bad_cursor = rpcError(
	rpc_codes.invalid_params,
	"params.cursor is not one this list gave out. List again without it.",
);
