import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { callFor } from "../../test/support/calls.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { AnsweredRequest, Evidence } from "../telemetry/call-record.ts";
import {
	type Answered,
	answered_well,
	noteAnswered,
	refusedOutcome,
	replyOutcome,
} from "./answered.ts";
import { rpcError } from "./call.ts";
import type { GatewayContext } from "./context.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const other_trace = "ab".repeat(16);

function scene() {
	const noted: AnsweredRequest[] = [];
	const defects: unknown[] = [];
	const calls: unknown[] = [];
	const keeper: Evidence = {
		after: (record) => void calls.push(record),
		answered: (request) => void noted.push(request),
	};
	const evidence: Evidence[] = [keeper];
	const context = {
		clock: new FakeClock(),
		random: new SeededRandom(1),
		evidence,
		defect: (error: unknown) => defects.push(error),
	} as unknown as GatewayContext;
	const note = (changes: Partial<Answered> = {}, headers: object = {}) => {
		const request = { method: "POST", headers } as IncomingMessage;
		const answered = { request, endpoint: "s", is_offered: true, outcome: answered_well };
		noteAnswered({ ...answered, ...changes }, context);
		return noted.at(-1);
	};
	return { note, noted, calls, defects, evidence };
}

test("whoever keeps a log of calls hears of it, and nobody else does", () => {
	const { note, noted, calls, evidence } = scene();
	evidence.push({ after: (record) => void calls.push(record) });
	assert.equal(note()?.endpoint, "s");
	assert.deepEqual([noted.length, calls.length], [1, 0]);
	evidence.splice(0);
	note();
	assert.equal(noted.length, 1);
});

test("a keeper that breaks is a defect, and the request is answered all the same", () => {
	const { note, noted, defects, evidence } = scene();
	evidence.unshift({
		answered() {
			throw new Error("full");
		},
	});
	note();
	assert.match(String(defects[0]), /full/);
	assert.equal(noted.length, 1, "the others hear of it");
});

test("what is not known of it is undefined, what is known is the client's own", () => {
	const { note } = scene();
	const bare = note({}, {});
	assert.deepEqual(
		[bare?.tenant, bare?.user, bare?.client_name, bare?.client_era, bare?.session_id],
		[undefined, undefined, undefined, undefined, undefined],
	);
	assert.deepEqual([bare?.method, bare?.request_id, bare?.input_bytes], ["POST", "null", 0]);
	const { client, message, principal } = callFor({ method: "tools/call", params: { name: "t" } });
	const full = note({ client, message, who: principal });
	assert.deepEqual(
		[full?.tenant, full?.user, full?.client_name, full?.client_revision, full?.client_era],
		["local", "local", "c", "2026-07-28", "modern"],
	);
	assert.deepEqual([full?.method, full?.request_id], ["tools/call", "1"]);
	assert.equal(full?.input_bytes, message.bytes.length);
	assert.equal(note({ session_id: "gone", body_bytes: 9 })?.session_id, "gone");
	assert.equal(note({ body_bytes: 9 })?.input_bytes, 9);
});

test("the client's trace goes on in it, that of the message before that of the header", () => {
	const { note } = scene();
	const traceparent = `00-${other_trace}-00f067aa0ba902b8-01`;
	assert.equal(note({}, { traceparent })?.trace_id, other_trace);
	const _meta = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
	const { message } = callFor({ method: "tools/list", params: { _meta } });
	const noted = note({ message }, { traceparent });
	assert.deepEqual([noted?.trace_id, noted?.parent_span_id], [trace, "00f067aa0ba902b7"]);
	const fresh = note();
	assert.equal(fresh?.trace_id, fresh?.id.replaceAll("-", ""));
});

test("a refusal is the caller's doing or ours, as its status and its code say", () => {
	const refusal = { code: "overloaded", message: "Too many.", error_id: "e-1" };
	assert.deepEqual(refusedOutcome(503, refusal), { status: "server_error", ...refusal });
	assert.equal(refusedOutcome(403, refusal).status, "client_error");
	const unknown = replyOutcome(rpcError(-32601, "Method not found"));
	assert.deepEqual(
		[unknown.status, unknown.code, unknown.message],
		["client_error", "rpc_-32601", "Method not found"],
	);
	assert.equal(replyOutcome(rpcError(-32603, "Broken")).status, "server_error");
});
