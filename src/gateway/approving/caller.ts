import type { Decider } from "../../approvals/deciders.ts";
import { readJsonText } from "../../wire/object.ts";
import { declaresTasks } from "../bridge/task-ids.ts";
import type { Call } from "../call.ts";

/**
 * Whoever is asked when the client of a call is, as somebody who may decide as well: who makes it
 * in another's name decides in their own.
 */
export function deciderOf({ principal, made_by }: Pick<Call, "principal" | "made_by">): Decider {
	const { id, tenant, roles } = made_by ?? principal;
	return { id, tenant, roles };
}

/** Whether a call may be answered with a task: its client has to declare that (SEP-2663). */
export function takesTask({ client, method }: Pick<Call, "client" | "method">): boolean {
	if (client.era !== "modern" || (method !== "tools/call" && !method.startsWith("tasks/"))) {
		return false;
	}
	const declared = readJsonText(client.capabilities);
	return typeof declared === "object" && declared !== null && declaresTasks(declared);
}
