import type { Context } from "hono";
import { callerOf } from "./caller.ts";
import { approval_state_schema, decision_schema, kill_request_schema } from "./contracts/safety.ts";
import type { Handler } from "./handlers.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { readBody, readRawBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";
import type { SafetyBackend } from "./safety-backend.ts";
import type { safety_operations } from "./safety-operations.ts";

const kill_bytes_max = 16 * 1024;
/** Edited arguments, and a little around them. */
const decision_bytes_max = 1024 * 1024 + 16 * 1024;

/** A handler for every operation about what may not run, or not yet. */
export function createSafetyHandlers(
	backend: SafetyBackend,
): Record<keyof typeof safety_operations, Handler> {
	return {
		listKillSwitches: () => json({ kill_switches: backend.killSwitches() }),
		async kill(context) {
			const body = await readBody(context.req.raw, kill_bytes_max, kill_request_schema);
			if (!body.ok) return problemResponse(body.problem);
			const killed = await backend.kill(body.value, callerOf(context));
			return killed.ok ? json(killed.value, 201) : problemResponse(killed.problem);
		},
		unkill: async (context) => outcome(await backend.unkill(idOf(context), callerOf(context))),
		async listApprovals(context) {
			const wanted = context.req.query("state");
			if (wanted !== undefined && !approval_state_schema.safeParse(wanted).success) {
				const message = `state is one of ${approval_state_schema.options.join(", ")}.`;
				return problemResponse(problemOf("invalid_request", message));
			}
			const all = await backend.approvals(callerOf(context));
			const approvals = all.filter(({ state }) => wanted === undefined || state === wanted);
			return json({ approvals });
		},
		async getApproval(context) {
			const approval = await backend.approval(idOf(context), callerOf(context));
			return approval === undefined ? unknownApproval(idOf(context)) : json(approval);
		},
		async decideApproval(context) {
			const { raw: request } = context.req;
			const body = await readRawBody(request, decision_bytes_max, decision_schema, "arguments");
			if (!body.ok) return problemResponse(body.problem);
			const { arguments: edited, ...decision } = body.value.value;
			const edited_json = edited === undefined ? undefined : body.value.raw;
			const id = idOf(context);
			return outcome(await backend.decide(id, decision, edited_json, callerOf(context)));
		},
	};
}

function unknownApproval(id: string): Response {
	return problemResponse(problemOf("approval_unknown", `There is no approval "${id}".`));
}

function idOf(context: Context): string {
	return context.req.param("id") as string;
}
