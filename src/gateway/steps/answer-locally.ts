import { isListMethod, type ListMethod } from "../../protocol/methods.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { bundleList } from "../local/bundle-list.ts";
import { bundleSkills } from "../local/bundle-skills.ts";
import { discover } from "../local/discover.ts";
import { setLogLevel } from "../local/set-log-level.ts";
import { sleepingList } from "../local/sleeping-list.ts";
import { warmAhead } from "../local/warm-ahead.ts";

/** What the gateway answers itself, without any server hearing of it. */
export function answerLocally(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply> {
	switch (call.method) {
		case "ping":
			return { kind: "result", json: "{}" };
		case "server/discover":
			return discover(call, context);
		case "logging/setLevel":
			return setLogLevel(call, context);
		case "skills/list":
			return call.endpoint.kind === "bundle" ? bundleSkills(call, context) : undefined;
		default:
			return isListMethod(call.method) ? listLocally(call, call.method, context) : undefined;
	}
}

function listLocally(
	call: Call,
	method: ListMethod,
	context: GatewayContext,
): Reply | undefined | Promise<Reply> {
	const single = call.endpoint.kind === "single";
	const reply = single ? sleepingList(call, method, context) : bundleList(call, method, context);
	if (method === "tools/list") warmAhead(call, context);
	return reply;
}
