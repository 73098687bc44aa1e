import type { MergedList } from "../../catalog/aggregate.ts";
import { pageOf } from "../../catalog/paging.ts";
import { type CatalogItem, kind_of_list } from "../../catalog/server-catalog.ts";
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
		...(next_cursor === undefined ? [] : [`"nextCursor":"${next_cursor}"`]),
		// Which servers answer may differ from one moment to the next, so nothing is cached.
		...(modern ? ['"resultType":"complete","ttlMs":0,"cacheScope":"private"'] : []),
		...(meta.length === 0 ? [] : [`"_meta":{${meta.join(",")}}`]),
	];
	const all = visible.length === list.items.length ? list : undefined;
	const head = Buffer.from(`{"${list_methods[method]}":[`);
	const tail = Buffer.from(`]${parts.map((part) => `,${part}`).join("")}}`);
	return { kind: "pieces", json: [head, joined(items, all, cursor), tail] };
}

/** The items of pages that everybody is shown, joined once for as long as the list stays. */
const pages = new WeakMap<MergedList, Map<string, Buffer>>();

/** Items one behind the other; of a whole list, kept by the cursor of their page. */
function joined(items: readonly CatalogItem[], list: MergedList | undefined, cursor = ""): Buffer {
	const known = list === undefined ? undefined : pages.get(list)?.get(cursor);
	if (known !== undefined) return known;
	const bytes = Buffer.from(items.map((item) => item.bytes.toString("utf8")).join(","));
	if (list !== undefined) {
		let kept = pages.get(list);
		if (kept === undefined) {
			kept = new Map();
			pages.set(list, kept);
		}
		kept.set(cursor, bytes);
	}
	return bytes;
}

const bad_cursor = rpcError(
	rpc_codes.invalid_params,
	"params.cursor is not one this list gave out. List again without it.",
);
