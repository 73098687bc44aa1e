import { passesGlobs } from "../../lib/glob.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { type Call, type Reply, rpcError } from "../call.ts";

/** Whether this tool may be called here: what a list leaves out cannot be called either. */
export function checkOffered(call: Call): Reply | undefined {
	const { target, endpoint } = call;
	if (call.method !== "tools/call" || target?.name === undefined) return undefined;
	const own = passesGlobs(target.server.tools, target.name);
	const exposed = target.exposed_name ?? target.name;
	if (own && passesGlobs(endpoint.tools, exposed)) return undefined;
	return unknownTool(exposed);
}

/** What the protocol says of a tool that is not there (tools, error handling). */
export function unknownTool(name: string): Reply {
	return {
		...rpcError(rpc_codes.invalid_params, `Unknown tool: ${name}`),
		reason: "not_offered",
	};
}
