import assert from "node:assert/strict";
import { test } from "node:test";
import { toolRequest } from "../../../test/support/upstream-harness.ts";
import { paramHeaders } from "./param-headers.ts";

const tool = Buffer.from(
	JSON.stringify({
		name: "t",
		inputSchema: {
			type: "object",
			properties: {
				region: { type: "string", "x-mcp-header": "Region" },
				count: { type: "integer", "x-mcp-header": "Count" },
				inner: {
					type: "object",
					properties: { dry: { type: "boolean", "x-mcp-header": "Dry" } },
				},
			},
		},
	}),
);
const tool_schema = () => tool;

test("arguments that a tool wants in headers are put there, encoded", () => {
	const args = { region: "Zürich", count: 42, inner: { dry: false }, other: "x" };
	assert.deepEqual(paramHeaders(toolRequest("t", args, { tool_schema })), [
		"mcp-param-region",
		"=?base64?WsO8cmljaA==?=",
		"mcp-param-count",
		"42",
		"mcp-param-dry",
		"false",
	]);
});

test("arguments that are null, missing or no plain values have no header", () => {
	const args = { region: null, count: [1], inner: "text" };
	assert.deepEqual(paramHeaders(toolRequest("t", args, { tool_schema })), []);
	assert.deepEqual(paramHeaders(toolRequest("t", {}, { tool_schema })), []);
});

test("headers of the client stay as it wrote them, also unknown ones", () => {
	const headers = { "Mcp-Param-REGION": "=?base64?eA==?=", "mcp-param-own": "1", cookie: "no" };
	assert.deepEqual(
		paramHeaders(toolRequest("t", { region: "x", count: 1 }, { tool_schema, headers })),
		["Mcp-Param-REGION", "=?base64?eA==?=", "mcp-param-own", "1", "mcp-param-count", "1"],
	);
});

test("a tool whose definition is not known gets no headers of ours", () => {
	assert.deepEqual(paramHeaders(toolRequest("t", { region: "x" })), []);
	const unknown = { tool_schema: () => undefined };
	assert.deepEqual(paramHeaders(toolRequest("t", { region: "x" }, unknown)), []);
});
