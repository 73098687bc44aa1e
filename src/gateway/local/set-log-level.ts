import type { ServerPlan } from "../../config/plan.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { log_levels } from "../../protocol/log-levels.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { tellLogLevel } from "../steps/match-log-level.ts";
import { useRefusal } from "./known-catalog.ts";

/**
 * Keeps the level with the session: servers are shared, so each client's wish is applied to
 * what reaches that client (logging, 2025-11-25). Servers that are awake are told at once,
 * others with the first call that needs them; those that are off, or of which the client may use
 * nothing, hear nothing of it.
 */
export async function setLogLevel(call: Call, context: GatewayContext): Promise<Reply> {
	const level = readString(call.message.bytes, memberSpan(call.message.params, "level"));
	if (level === undefined || !log_levels.includes(level)) {
		const text = `params.level must be one of ${log_levels.join(", ")}`;
		return rpcError(rpc_codes.invalid_params, text);
	}
	const { endpoint } = call;
	const usable = endpoint.servers.filter(
		({ name }) => useRefusal(name, call, context) === undefined,
	);
	const [only] = endpoint.servers;
	if (endpoint.kind === "single" && only !== undefined && usable.length === 0) {
		const fault = useRefusal(only.name, call, context);
		if (fault !== undefined) return { kind: "fault", fault };
	}
	const { session_id } = call.client;
	if (session_id !== undefined) context.sessions.setLogLevel(session_id, level);
	await Promise.all(usable.map((server) => tell(server, level, call, context)));
	return { kind: "result", json: "{}" };
}

async function tell(
	server: ServerPlan,
	level: string,
	call: Call,
	context: GatewayContext,
): Promise<void> {
	const key = context.instanceKey(server, call.client);
	const lease = context.hosting.tryAcquire(key, { kind: "hold", wakes: false });
	if (lease === undefined) return;
	await tellLogLevel(lease.upstream, level);
	lease.release();
}
