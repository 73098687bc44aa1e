import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { ApprovalView } from "../admin/safety-backend.ts";
import { printApproval } from "./approval-lines.ts";
import { Output, type OutputStream } from "./output.ts";

test("nothing hides in the arguments that somebody is to agree to", () => {
	const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
	const stream = stdout as OutputStream & PassThrough;
	const output = new Output({ stdout: stream, stderr: stream, environment: {} });
	const args = '{"to":"sail\u202emaker\u200b\u009b2J","amount":1.0}';
	const approval: ApprovalView = {
		id: "appr_1",
		state: "pending",
		principal: "acme/ana",
		client_name: "tester",
		server: "books",
		tool: "pay",
		arguments: JSON.parse(args),
		arguments_json: args,
		arguments_hash: "",
		approvers: [],
		needed: 1,
		other_than_caller: false,
		may_edit: false,
		may_decide: true,
		votes: [],
		created_at_ms: 0,
		expires_at_ms: 0,
		url: "http://127.0.0.1/approvals/appr_1",
	};
	printApproval(approval, output);
	assert.match(
		String(stdout.read()),
		/^arguments +\{"to":"sail\\u202emaker\\u200b\\u009b2J","amount":1\.0\}$/m,
	);
});
