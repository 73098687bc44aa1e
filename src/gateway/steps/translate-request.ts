import { rpc_codes } from "../../protocol/codes.ts";
import { latest_modern_revision } from "../../protocol/revisions.ts";
import { requestEdits } from "../bridge/request-edits.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { traceChange } from "./continue-trace.ts";

/** Carries the request into the era the server speaks. */
export function translateRequest(call: Call, context: GatewayContext): Reply | undefined {
	const hello = call.lease?.upstream.hello;
	if (hello === undefined || hello.era === call.client.era) return undefined;
	// Both eras have methods of these names, for tasks that have nothing else in common.
	if (call.method.startsWith("tasks/")) {
		return rpcError(rpc_codes.method_not_found, `Method not found: ${call.method}`);
	}
	const envelope = {
		revision: hello.era === "modern" ? hello.revision : latest_modern_revision,
		capabilities: call.client.capabilities,
		info: call.client.info,
		log_level: call.client.log_level,
	};
	const trace = traceChange(call, context);
	call.edits.push(...requestEdits(call.message, call.client.era, hello.era, envelope, trace));
	return undefined;
}
