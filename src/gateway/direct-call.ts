import type { Principal } from "../identity/principal.ts";
import { latest_legacy_revision } from "../protocol/revisions.ts";
import { composeRequest } from "../wire/compose.ts";
import { type CallParts, makeCall, type Reply } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { runCall } from "./pipeline.ts";

const refused = '{"code":-32601,"message":"The caller cannot be asked"}';

/**
 * One call that does not come from an MCP client: from the admin API, or a program that
 * speaks plain HTTP. It goes the same way as every other call.
 * @param params_json raw JSON of the params object
 */
export function directCall(
	endpoint: Endpoint,
	method: string,
	params_json: string,
	principal: Principal,
	signal: AbortSignal,
	context: GatewayContext,
): Promise<Reply> {
	const parts: CallParts = {
		id: context.random.uuid(),
		principal,
		endpoint,
		client: {
			era: "legacy",
			revision: latest_legacy_revision,
			capabilities: "{}",
			info: JSON.stringify(context.product),
			session_id: undefined,
			principal: principal.id,
			client_id: principal.client,
			log_level: undefined,
		},
		message: composeRequest("1", method, params_json),
		method,
		signal,
		sink: {
			notify: () => undefined,
			ask: (ask) => ask.answer({ kind: "error", json: refused }),
		},
	};
	return runCall(makeCall(parts, context.clock), context);
}
