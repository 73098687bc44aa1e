import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";

const tool = "test_input_required_result_multiple_inputs";
const capabilities = { elicitation: {}, sampling: {}, roots: {} };

/** What the client answers, by the name of the question. */
const inputResponses = {
	user_name: { action: "accept", content: { name: "Ada" } },
	greeting: { role: "assistant", model: "m", content: { type: "text", text: "Welcome," } },
	client_roots: { roots: [{ uri: "file:///work" }] },
};

async function call(address: URL, more: object) {
	const _meta = {
		"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": capabilities,
	};
	const params = { name: tool, arguments: {}, _meta, ...more };
	const answer = await fetch(address, {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": "2026-07-28",
			"mcp-method": "tools/call",
			"mcp-name": tool,
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
	});
	const { result } = (await answer.json()) as { result: Record<string, unknown> };
	return result;
}

test("what a legacy server asks at once is one round for a modern client, under its names", async (t) => {
	const http = await startHttpFixture("conformance/legacy", ["--http"]);
	t.after(http.stop);
	const servers = { stdio: stdioFixture("conformance/legacy"), http: { url: http.url } };
	const gateway = await startGateway({ servers });
	t.after(() => gateway.stop());
	for (const server of Object.keys(servers)) {
		const address = gateway.address(server);
		const asked = await call(address, {});
		assert.equal(asked["resultType"], "input_required");
		const names = Object.keys(asked["inputRequests"] as object);
		assert.deepEqual(names.sort(), Object.keys(inputResponses).sort());
		const answered = await call(address, { inputResponses, requestState: asked["requestState"] });
		assert.deepEqual(answered["content"], [{ type: "text", text: "Welcome, Ada: 1 roots" }]);
	}
});
