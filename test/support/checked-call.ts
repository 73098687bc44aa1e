import { principalOf } from "../../src/identity/principal.ts";
import type { CheckedCall, ToolFacts } from "../../src/policy/check.ts";
import type { RiskClass } from "../../src/protocol/risk.ts";

/** What a catalog knows of a tool. */
export function toolFacts(name: string, risk: RiskClass): ToolFacts {
	return { name, risk, annotations: {}, input_schema: { type: "object" } };
}

/** A call of the tool `delete` of the server `files`, as checks see it. */
export function checkedCall(change: Partial<CheckedCall> = {}): CheckedCall {
	return {
		id: "call-1",
		principal: principalOf("acme", "ana", { client: "key:laptop" }),
		client: {
			name: "tester",
			version: "1",
			revision: "2025-11-25",
			era: "legacy",
			capabilities: "{}",
		},
		endpoint: "mcp",
		server: "files",
		method: "tools/call",
		name: "delete",
		tool: toolFacts("delete", "destructive"),
		args: () => ({ path: "/a" }),
		arguments_raw: '{"path":"/a"}',
		now_ms: 1_790_000_000_000,
		notes: {},
		...change,
	};
}
