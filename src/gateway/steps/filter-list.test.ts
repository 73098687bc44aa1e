import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { indexMessage } from "../../wire/index-message.ts";
import { applyEdits } from "../../wire/splice.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { filterList } from "./filter-list.ts";

function filtered(text: string, allow: string[], deny: string[]): string {
	const message = indexMessage(Buffer.from(text));
	assert.ok(message.ok);
	const call = {
		method: "tools/list",
		target: { server: { name: "s", scope: "shared", tools: { allow, deny } } },
	};
	const reply: Reply = { kind: "message", message: message.value, edits: [] };
	filterList(call as unknown as Call, reply, { filters_lists: false } as GatewayContext);
	return applyEdits(message.value.bytes, reply.edits).toString();
}

const list = (names: readonly string[]) =>
	`{"jsonrpc":"2.0","id":1,"result":{"tools":[${names.map((name) => `{"name":"${name}"}`).join(" , ")}]}}`;

test("tools that may not be called are left out and all else is kept", () => {
	const text = filtered(list(["read", "write", "delete"]), [], ["delete"]);
	assert.equal(
		text,
		'{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read"} , {"name":"write"}]}}',
	);
});

test("a list without a filter is not touched", () => {
	const text = list(["read", "write"]);
	assert.equal(filtered(text, [], []), text);
});

test("whatever is left out, the list stays valid and in order", () => {
	const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 12 });
	fc.assert(
		fc.property(names, fc.array(fc.nat(11)), (all, picked) => {
			const denied = picked.flatMap((at) => all[at] ?? []);
			const { result } = JSON.parse(filtered(list(all), [], denied));
			assert.deepEqual(
				result.tools.map((tool: { name: string }) => tool.name),
				all.filter((name) => !denied.includes(name)),
			);
		}),
	);
});

/** The list of a server that lets everybody keep it, as this client gets it. */
function cacheScopeFor(era: "legacy" | "modern", scope: "shared" | "user", filters_lists: boolean) {
	const text =
		'{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}],"ttlMs":1,"cacheScope":"public"}}';
	const message = indexMessage(Buffer.from(text));
	assert.ok(message.ok);
	const server = { name: "s", scope, tools: { allow: [], deny: [] } };
	const call = { method: "tools/list", client: { era }, target: { server } };
	const reply: Reply = { kind: "message", message: message.value, edits: [] };
	const context = { filters_lists, mayList: () => true } as unknown as GatewayContext;
	filterList({ ...call, endpoint: { name: "s" } } as unknown as Call, reply, context);
	const { result } = JSON.parse(applyEdits(message.value.bytes, reply.edits).toString());
	return result.cacheScope as string;
}

test("a list that depends on who asks is private, whatever its server says", () => {
	assert.equal(cacheScopeFor("modern", "shared", false), "public");
	assert.equal(cacheScopeFor("modern", "shared", true), "private");
	assert.equal(cacheScopeFor("modern", "user", false), "private");
	// What only modern clients know is taken out for others elsewhere.
	assert.equal(cacheScopeFor("legacy", "shared", true), "public");
});
