import { rpc_codes } from "../../protocol/codes.ts";
import { paramHeaderProblem, paramHeadersOf } from "../../protocol/param-headers.ts";
import { memberSpan, readJson, spanAt } from "../../wire/object.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { toolDefinition } from "../local/tool-definition.ts";

/**
 * Whether the headers of a modern call say what its arguments say (SEP-2243): who reads the
 * body has to check, because others on the way have trusted the headers. A tool whose
 * definition is not known yet is left to its server.
 */
export function checkParamHeaders(call: Call, context: GatewayContext): Reply | undefined {
	const { client, target, message } = call;
	if (client.era !== "modern" || call.method !== "tools/call" || target === undefined) {
		return undefined;
	}
	const tool = toolDefinition(target.server.name, target.name, context);
	if (tool === undefined) return undefined;
	const args = memberSpan(message.params, "arguments");
	for (const wanted of paramHeadersOf(tool)) {
		const value = readJson(message.bytes, spanAt(message.bytes, args, wanted.path));
		const problem = paramHeaderProblem(wanted, value, call.param_headers?.[wanted.header]);
		if (problem === undefined) continue;
		return rpcError(rpc_codes.header_mismatch, `Header mismatch: ${problem}`);
	}
	return undefined;
}
