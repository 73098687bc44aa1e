import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sampleRecord } from "../../test/support/call-record.ts";
import { callLine } from "./call-line.ts";
import type { CallRecord } from "./call-record.ts";

const as_it_is = (text: string) => text;

function parsed(record: CallRecord, safe = as_it_is): Record<string, unknown> {
	const line = callLine(record, safe);
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
	ts_ms: fc.integer({ min: 0, max: 4e12 }),
});

test("a line says of a call what its record does, whatever came before it", () => {
	const property = fc.property(fc.array(changes, { minLength: 1, maxLength: 30 }), (all) => {
		for (const one of all) {
			const record = sampleRecord(one);
			const line = parsed(record);
			const is_tool = record.method === "tools/call";
			const well = (value: string | undefined) => value?.toWellFormed() ?? null;
			const expected = {
				ts: new Date(record.ts_ms + record.duration_ms).toISOString(),
				tenant_id: well(record.tenant),
				user: well(record.user),
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
				code: record.status === "ok" ? null : well(record.code),
				decision: record.decision ?? null,
				queue_ms: record.queue_ms,
				duration_ms: Math.round(record.duration_ms * 1000) / 1000,
			};
			for (const [member, value] of Object.entries(expected)) {
				// What is no text in UTF-16 is written as an escape, and reads as it was.
				const read = line[member];
				const shown = typeof read === "string" ? read.toWellFormed() : read;
				assert.deepEqual(shown, value, member);
			}
			assert.equal(Object.keys(line).length, 41);
		}
	});
	fc.assert(property, { numRuns: 200 });
});

test("secrets are taken out of names and sentences, also once they are learned", () => {
	let secret = "nothing-yet";
	const safe = (value: string) => value.replaceAll(secret, "[redacted]");
	const record = () =>
		sampleRecord({ name: "tool-hunter22", status: "timeout", error_message: "no hunter22 here" });
	assert.equal(parsed(record(), safe)["error"], "no hunter22 here");
	secret = "hunter22";
	assert.equal(parsed(record(), safe)["error"], "no [redacted] here");
	const read = sampleRecord({ method: "resources/read", name: "file:///hunter22/x" });
	assert.equal(parsed(read, safe)["name"], "file:///[redacted]/x");
});

test("what others choose is cut, and the same record is the same line", () => {
	const record = sampleRecord({ client_name: "n".repeat(10_000), name: "x".repeat(10_000) });
	const line = parsed(record);
	assert.equal(String(line["client_name"]).length, 512);
	assert.equal(String(line["tool"]).length, 512);
	assert.equal(callLine(record, as_it_is), callLine(record, as_it_is));
});
