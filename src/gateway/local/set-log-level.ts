import { rpc_codes } from "../../protocol/codes.ts";
import { log_levels } from "../../protocol/log-levels.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/**
 * Keeps the level with the session: servers are shared, so each client's wish is applied to
 * what reaches that client and not to the server (logging, 2025-11-25).
 */
export function setLogLevel(call: Call, context: GatewayContext): Reply {
	const level = readString(call.message.bytes, memberSpan(call.message.params, "level"));
	if (level === undefined || !log_levels.includes(level)) {
		const text = `params.level must be one of ${log_levels.join(", ")}`;
		return rpcError(rpc_codes.invalid_params, text);
	}
	const { session_id } = call.client;
	if (session_id !== undefined) context.sessions.setLogLevel(session_id, level);
	return { kind: "result", json: "{}" };
}
