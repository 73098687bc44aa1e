import { policy_test_schema } from "./contracts/policy.ts";
import type { Handler } from "./handlers.ts";
import type { PolicyBackend } from "./policy-backend.ts";
import type { policy_operations } from "./policy-operations.ts";
import { problemResponse } from "./problem.ts";
import { readRawBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";

const body_bytes_max = 1024 * 1024;

/** A handler for every operation about who may do what. */
export function policyHandlers(
	backend: PolicyBackend,
): Record<keyof typeof policy_operations, Handler> {
	return {
		getPolicy: () => json(backend.policy()),
		async testPolicy(context) {
			const { raw: request } = context.req;
			const body = await readRawBody(request, body_bytes_max, policy_test_schema, "arguments");
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.test(body.value.value, body.value.raw));
		},
		getChecklist: async (context) => outcome(await backend.checklist(context.req.query("server"))),
	};
}
