import { isListMethod } from "../../protocol/methods.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { bundleList } from "../local/bundle-list.ts";
import { bundleSkills } from "../local/bundle-skills.ts";
import { discover } from "../local/discover.ts";
import { setLogLevel } from "../local/set-log-level.ts";

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
			if (call.endpoint.kind === "bundle" && isListMethod(call.method)) {
				return bundleList(call, call.method, context);
			}
			return undefined;
	}
}
