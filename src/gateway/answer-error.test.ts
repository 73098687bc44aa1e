import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { schemaComplaint } from "../../test/support/wire-schema.ts";
import { answerError, type Refusal } from "./answer-error.ts";

async function answered(status: number, refusal: Refusal, headers?: Record<string, string>) {
	const server = createServer((_request, response) => {
		answerError(response, status, refusal, headers);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	try {
		const { port } = server.address() as AddressInfo;
		const answer = await fetch(`http://127.0.0.1:${port}/`);
		return { answer, body: (await answer.json()) as object };
	} finally {
		server.closeAllConnections();
		server.close();
	}
}

test("a refusal is a JSON-RPC error that fits every revision", async () => {
	const { answer, body } = await answered(503, { code: "overloaded", message: "Try again." });
	assert.equal(answer.status, 503);
	assert.equal(answer.headers.get("content-type"), "application/json");
	assert.deepEqual(body, {
		jsonrpc: "2.0",
		id: null,
		error: { code: 1202, message: "Try again.", data: { code: "overloaded", retry_safe: true } },
	});
	for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]) {
		const complaint = schemaComplaint({
			revision,
			direction: "to-client",
			message: body,
			answers: undefined,
		});
		assert.equal(complaint, undefined);
	}
});

test("what is no fault is an invalid request, and headers are kept", async () => {
	const refusal = { code: "origin_not_allowed", message: "No." } as const;
	const { answer, body } = await answered(403, refusal, { vary: "Origin" });
	assert.equal(answer.headers.get("vary"), "Origin");
	assert.equal((body as { error: { code: number } }).error.code, -32600);
});

test("a defect names its line in the log and is not safe to repeat", async () => {
	const { body } = await answered(500, { code: "internal", message: "Sorry.", error_id: "abc" });
	const { error } = body as { error: { code: number; data: object } };
	assert.equal(error.code, 1299);
	assert.deepEqual(error.data, { code: "internal", error_id: "abc", retry_safe: false });
});
