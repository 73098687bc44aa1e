import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleAnswered } from "../../test/support/answered-request.ts";
import { as_it_is, lineText } from "../../test/support/call-line.ts";
import { sampleRecord } from "../../test/support/call-record.ts";
import { answeredLine } from "./answered-line.ts";
import type { AnsweredRequest } from "./call-record.ts";

function parsed(request: AnsweredRequest, redactor = as_it_is): Record<string, unknown> {
	const line = answeredLine(request, redactor);
	assert.ok(!line.includes("\n"), "a line is one line");
	return JSON.parse(line) as Record<string, unknown>;
}

test("it has the members that the line of a call has", () => {
	const call = JSON.parse(lineText(sampleRecord())) as object;
	const members = Object.keys(parsed(sampleAnswered())).toSorted();
	assert.deepEqual(members, Object.keys(call).toSorted());
});

test("what is not known is null, what is known stands in it", () => {
	const line = parsed(sampleAnswered());
	for (const member of ["tenant_id", "user", "client_name", "client_era", "input_hash", "tool"]) {
		assert.equal(line[member], null, member);
	}
	assert.deepEqual(
		[line["ts"], line["endpoint"], line["method"], line["status"], line["code"], line["error"]],
		[
			"2026-01-01T12:00:00.000Z",
			"github",
			"POST",
			"client_error",
			"credential_unknown",
			"This key is not known here.",
		],
	);
	const ana = parsed(
		sampleAnswered({ tenant: "acme", user: "ana", client_name: "", client_era: "modern" }),
	);
	assert.deepEqual(
		[ana["tenant_id"], ana["user"], ana["client_name"], ana["client_era"]],
		["acme", "ana", null, "modern"],
	);
});

test("one that has what it wanted has no error", () => {
	const line = parsed(sampleAnswered({ status: "ok", method: "DELETE" }));
	assert.deepEqual(
		[line["status"], line["code"], line["error"], line["error_id"], line["method"]],
		["ok", null, null, null, "DELETE"],
	);
});

test("secrets are taken out of what callers wrote, and it is cut", () => {
	const redactor = { text: (text: string) => text.replaceAll("hunter22", "[redacted]") };
	const line = parsed(
		sampleAnswered({
			endpoint: "hunter22",
			method: `x${"y".repeat(10_000)}`,
			request_id: '"hunter22"',
			session_id: "s-hunter22",
			client_name: "agent hunter22",
		}),
		redactor,
	);
	assert.equal(line["endpoint"], "[redacted]");
	assert.equal(line["request_id"], '"[redacted]"');
	assert.equal(line["session_id"], "s-[redacted]");
	assert.equal(line["client_name"], "agent [redacted]");
	assert.equal(String(line["method"]).length, 512);
});
