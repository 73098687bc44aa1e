import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { as_it_is, lineText, membersOf } from "../../../test/support/call-line.ts";
import { sampleRecord } from "../../../test/support/call-record.ts";
import { SharedSlots } from "../../lib/shared-slots.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import type { CallRecord } from "../call-record.ts";
import { CallBatch } from "./call-batch.ts";
import { packCall } from "./pack-call.ts";
import { UnpackedCall, unpackCalls } from "./unpack-calls.ts";

function parsed(record: CallRecord, redactor = as_it_is): Record<string, unknown> {
	const line = lineText(record, redactor);
	assert.ok(!line.includes("\n"), "a line is one line");
	return JSON.parse(line) as Record<string, unknown>;
}

/** Few values each, so that the same come by again beside others. */
const text = fc.constantFrom(
	undefined,
	"a",
	"b",
	'q"uote',
	"line\nbreak",
	"\ud800",
	"é".repeat(40),
);
const some = text.map((value) => value ?? "none");
const changes = fc.record({
	tenant: some,
	user: some,
	made_by: text,
	client_id: text,
	client_name: some,
	session_id: text,
	endpoint: some,
	server: text,
	version: text,
	instance: text,
	name: text,
	method: fc.constantFrom("tools/call", "prompts/get", "tools/list"),
	upstream_revision: text,
	code: text,
	rule: text,
	approval_id: text,
	error_message: text,
	request_id: some,
	status: fc.constantFrom("ok", "client_error", "timeout"),
	decision: fc.constantFrom(undefined, "allow", "deny"),
	duration_ms: fc.double({ min: 0, max: 1e7, noNaN: true }),
	queue_ms: fc.constantFrom(0, 1.5),
	audit_ms: fc.constantFrom(0, 2.25),
	ts_ms: fc.integer({ min: 0, max: 4e12 }),
});

test("a line says of a call what its record does, whatever else is in its batch", () => {
	const slots = new SharedSlots(64 * 1024, 1);
	const property = fc.property(fc.array(changes, { minLength: 1, maxLength: 30 }), (all) => {
		const batch = new CallBatch(slots, all.length * 2);
		for (const one of all) {
			batch.add(packCall(sampleRecord(one), as_it_is));
			batch.addText(`after ${one.user.toWellFormed()}`.replaceAll("\n", " "));
		}
		const rows = [...unpackCalls(batch.message())];
		batch.release();
		assert.equal(rows.length, all.length * 2);
		for (const [n, one] of all.entries()) {
			const record = sampleRecord(one);
			const call = rows[2 * n];
			assert.ok(call instanceof UnpackedCall);
			assert.equal(rows[2 * n + 1], `after ${one.user.toWellFormed()}`.replaceAll("\n", " "));
			const line = JSON.parse(`{${membersOf(call)}}`) as Record<string, unknown>;
			const { start_ms, ...members } = call.line();
			assert.deepEqual(members, line);
			assert.equal(start_ms, record.ts_ms);
			const is_tool = record.method === "tools/call";
			const well = (value: string | undefined) => value?.toWellFormed() ?? null;
			const expected = {
				ts: new Date(record.ts_ms + record.duration_ms).toISOString(),
				tenant_id: well(record.tenant),
				user: well(record.user),
				made_by: well(record.made_by),
				client_id: well(record.client_id),
				client_name: well(record.client_name),
				session_id: well(record.session_id),
				endpoint: well(record.endpoint),
				server: well(record.server),
				version: well(record.version),
				instance: well(record.instance),
				method: record.method,
				tool: is_tool ? well(record.name) : null,
				name: is_tool ? null : well(record.name),
				upstream_revision: well(record.upstream_revision),
				rule: well(record.rule),
				approval_id: well(record.approval_id),
				request_id: well(record.request_id),
				status: record.status,
				requests: 1,
				code: record.status === "ok" ? null : well(record.code),
				decision: record.decision ?? null,
				queue_ms: record.queue_ms,
				audit_ms: record.audit_ms,
				duration_ms: Math.round(record.duration_ms * 1000) / 1000,
			};
			for (const [member, value] of Object.entries(expected)) {
				// What is no text in UTF-16 is written as an escape, and reads as it was.
				const read = line[member];
				const shown = typeof read === "string" ? read.toWellFormed() : read;
				assert.deepEqual(shown, value, member);
			}
			assert.equal(Object.keys(line).length, 44);
		}
	});
	fc.assert(property, { numRuns: 200 });
});

test("secrets are taken out of names and sentences, also once they are learned", () => {
	const redactor = new SecretRedactor();
	const told = {
		name: "tool-hunter22",
		error_message: "no hunter22 here",
		user: "ana-hunter22",
		made_by: "acme/root-hunter22",
		client_id: "key:hunter22",
		client_name: "agent hunter22",
		client_version: "hunter22",
		code: "rpc_hunter22",
		request_id: '"hunter22"',
	};
	const record = () => sampleRecord({ ...told, status: "timeout" });
	const shown = () => {
		const { name: _, error_message: __, ...same } = told;
		const { tool, error, ...line } = parsed(record(), redactor);
		const members = Object.keys(same).map((member) => [member, line[member]]);
		return { name: tool, error_message: error, ...Object.fromEntries(members) };
	};
	assert.deepEqual(shown(), told);
	redactor.add("hunter22");
	const without = JSON.stringify(told).replaceAll("hunter22", "[redacted]");
	assert.deepEqual(shown(), JSON.parse(without));
	const read = sampleRecord({ method: "resources/read", name: "file:///hunter22/x" });
	assert.equal(parsed(read, redactor)["name"], "file:///[redacted]/x");
});

test("a batch takes what fits, and an empty one everything", () => {
	const slots = new SharedSlots(4_096, 1);
	const batch = new CallBatch(slots, 4);
	const long = "x".repeat(100_000);
	assert.ok(batch.fits(long));
	batch.addText("é".repeat(500));
	assert.equal(batch.fits(long), false);
	const calls = Array.from({ length: 3 }, (_, n) => sampleRecord({ id: `call-${n}` }));
	for (const record of calls) {
		const call = packCall(record, as_it_is);
		assert.ok(batch.fits(call.text));
		batch.add(call);
	}
	assert.equal(batch.fits(""), false, "there are as many rows as there may be");
	const { parts } = batch.message();
	assert.equal(parts.length, 3, "what calls have in common travels once");
	const only = new CallBatch(slots, 4);
	only.addText(long);
	assert.deepEqual([...unpackCalls(only.message())], [long]);
	assert.deepEqual([...unpackCalls(new CallBatch(slots, 4).message())], []);
});

test("what others choose is cut, and the same record is the same line", () => {
	const record = sampleRecord({ client_name: "n".repeat(10_000), name: "x".repeat(10_000) });
	const line = parsed(record);
	assert.equal(String(line["client_name"]).length, 512);
	assert.equal(String(line["tool"]).length, 512);
	assert.equal(lineText(record), lineText(record));
});
