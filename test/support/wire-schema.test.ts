import assert from "node:assert/strict";
import { test } from "node:test";
import { type Direction, schemaComplaint } from "./wire-schema.ts";

const call = (revision: string, direction: Direction, message: object, method?: string) => {
	const answers = method === undefined ? undefined : { method };
	return schemaComplaint({ revision, direction, message: { jsonrpc: "2.0", ...message }, answers });
};

const meta = {
	"io.modelcontextprotocol/protocolVersion": "2026-07-28",
	"io.modelcontextprotocol/clientCapabilities": {},
};

test("what fits the revision has no complaint", () => {
	const params = { name: "echo", arguments: {} };
	for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
		assert.equal(call(revision, "to-server", { id: 1, method: "tools/call", params }), undefined);
		const result = { content: [{ type: "text", text: "yes" }], _meta: { "dev.moorage/x": 1 } };
		assert.equal(call(revision, "to-client", { id: 1, result }, "tools/call"), undefined);
		assert.equal(call(revision, "to-client", { id: 1, result: {} }, "ping"), undefined);
	}
	const modern = { id: 1, method: "tools/call", params: { ...params, _meta: meta } };
	assert.equal(call("2026-07-28", "to-server", modern), undefined);
});

test("a complaint names the method and what the schema misses", () => {
	assert.match(
		call("2025-11-25", "to-server", { id: 1, method: "tools/call", params: {} }) ?? "",
		/^tools\/call does not fit CallToolRequest of 2025-11-25: .*required property 'name'/u,
	);
	assert.match(
		call("2025-06-18", "to-client", { id: 1, result: { tools: [{}] } }, "tools/list") ?? "",
		/^the answer to tools\/list does not fit ListToolsResult/u,
	);
	assert.match(
		call("2026-07-28", "to-client", { id: 1, result: { content: [] } }, "tools/call") ?? "",
		/resultType/u,
	);
	assert.match(
		call("2026-07-28", "to-server", { id: 1, method: "tools/list", params: {} }) ?? "",
		/_meta/u,
	);
	assert.match(call("2025-11-25", "to-client", { id: 1, error: { code: "x" } }) ?? "", /Error/u);
});

test("messages that go the wrong way are told", () => {
	const asks = { id: 1, method: "roots/list" };
	assert.equal(call("2025-11-25", "to-client", asks), undefined);
	assert.match(call("2025-11-25", "to-server", asks) ?? "", /not a message for this direction/u);
	assert.match(call("2026-07-28", "to-client", asks) ?? "", /a server sends no requests/u);
});

test("extensions are held to the form of JSON-RPC alone", () => {
	assert.equal(call("2026-07-28", "to-server", { id: 1, method: "x/y", params: {} }), undefined);
	assert.match(call("2026-07-28", "to-server", { id: [], method: "x/y" }) ?? "", /JSONRPCRequest/u);
	const task = { resultType: "task", taskId: "1" };
	assert.equal(call("2026-07-28", "to-client", { id: 1, result: task }, "tools/call"), undefined);
});

test("there are batches at one revision only, and each message of them counts", () => {
	const message = [{ jsonrpc: "2.0", id: 1, method: "tools/call", params: {} }];
	const batch = (revision: string) =>
		schemaComplaint({ revision, direction: "to-server", message, answers: undefined }) ?? "";
	assert.match(batch("2025-03-26"), /^tools\/call/u);
	assert.match(batch("2025-06-18"), /there are none/u);
});
