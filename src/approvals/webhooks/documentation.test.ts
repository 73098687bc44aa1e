import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { sampleApproval } from "../../../test/support/approval-samples.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import { hashArguments } from "../arguments-hash.ts";
import { messageOf } from "./message.ts";

test("the message in the documentation is what is posted, member by member", async () => {
	const url = new URL("../../../docs/approval-webhooks.md", import.meta.url);
	const [, documented = ""] = /```json\n([^]*?)```/.exec(await readFile(url, "utf8")) ?? [];
	const id = "appr_3kX9v2QbT1mZ";
	const args = '{"invoice":"4711","amount":900}';
	const created_at_ms = Date.parse("2027-03-01T09:30:00Z");
	const approval = sampleApproval(
		{
			id,
			created_at_ms,
			expires_at_ms: created_at_ms + 3_600_000,
			arguments: args,
			arguments_hash: hashArguments(args),
			client_name: "claude-code",
			server: "billing",
			tool: "refund",
			risk: "costly",
			rule: "large refunds",
		},
		{ approvers: ["role:approver"], other_than_caller: true },
	);
	const links = {
		page: `https://mcp.example.com/approvals/${id}`,
		dashboard: `https://mcp.example.com/#/approvals/${id}`,
		decision: "https://mcp.example.com/approvals/webhooks/chat",
	};
	const posted = messageOf(approval, "pending", links, new SecretRedactor());
	assert.deepEqual(JSON.parse(posted), JSON.parse(documented));
});
