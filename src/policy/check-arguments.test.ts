import assert from "node:assert/strict";
import { test } from "node:test";
import { callWith, policyOf, toolWith } from "../../test/support/policy.ts";
import type { ServerPolicyPlan } from "../config/policy-plan.ts";
import { ArgumentsCheck } from "./check-arguments.ts";

const input_schema = { type: "object", properties: { a: { type: "number" } }, required: ["a"] };
const tool = toolWith({ input_schema });

function checkWith(mode: ServerPolicyPlan["arguments"]) {
	const servers = { billing: { tools: [], arguments: mode, reviewed: undefined } };
	const check = new ArgumentsCheck(policyOf({ servers }));
	return (changes: Parameters<typeof callWith>[0]) => {
		const verdict = check.check(callWith({ tool, ...changes }));
		return verdict.kind === "deny" ? verdict.code : verdict.kind;
	};
}

test("arguments are held against the schema of calls of tools, unless that is off", () => {
	const check = checkWith("check");
	assert.equal(check({ args: { a: 1 } }), "allow");
	assert.equal(check({ args: { a: "1" } }), "arguments_invalid");
	assert.equal(check({ args: undefined }), "arguments_invalid");
	assert.equal(check({ args: [1] }), "arguments_invalid");
	assert.equal(check({ method: "prompts/get", args: {} }), "allow");
	assert.equal(checkWith("off")({ args: {} }), "allow");
});

test("null for what may be left out is left to the server, unless the configuration is strict", () => {
	const optional = toolWith({
		input_schema: {
			type: "object",
			properties: { a: { type: "number" }, b: { type: "string" } },
			required: ["a"],
		},
	});
	const given = (args: object) => ({ tool: optional, args });
	assert.equal(checkWith("check")(given({ a: 1, b: null })), "allow");
	assert.equal(checkWith("check")(given({ a: null, b: null })), "arguments_invalid");
	assert.equal(checkWith("check")(given({ a: "1", b: null })), "arguments_invalid");
	assert.equal(checkWith("strict")(given({ a: 1, b: null })), "arguments_invalid");
});

test("a schema that cannot be used lets calls pass, unless the configuration is strict", () => {
	const unusable = toolWith({ input_schema: { $ref: "https://example.com/x.json" } });
	for (const given of [{ tool: unusable }, { tool: undefined }]) {
		assert.equal(checkWith("check")(given), "allow");
		assert.equal(checkWith("strict")(given), "policy_denied");
	}
});
