import { rpc_codes } from "../../protocol/codes.ts";
import { paramHeaderProblem, paramHeadersOf } from "../../protocol/param-headers.ts";
import { memberSpan, readJson, spanAt } from "../../wire/object.ts";
import { type Call, type CallTarget, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { toolDefinition } from "../local/tool-definition.ts";
import { audienceOf } from "../scope.ts";
import { acquireInstance } from "./acquire-instance.ts";

/**
 * Whether the headers of a modern call say what its arguments say (SEP-2243): who reads the
 * body has to check, because others on the way have trusted the headers. A tool whose
 * definition is not known yet is left to its server. Before a call is refused the definition
 * is read again: the client may know a newer one.
 */
export function checkParamHeaders(
	call: Call,
	context: GatewayContext,
): Reply | undefined | Promise<Reply | undefined> {
	const { client, target } = call;
	if (client.era !== "modern" || call.method !== "tools/call" || target === undefined) {
		return undefined;
	}
	if (disagreement(call, target, context) === undefined) return undefined;
	return checkAgain(call, target, context);
}

async function checkAgain(
	call: Call,
	target: CallTarget,
	context: GatewayContext,
): Promise<Reply | undefined> {
	const refused = await acquireInstance(call, context);
	if (refused !== undefined) return refused;
	if (call.lease !== undefined) {
		const audience = audienceOf(context.instanceKey(target.server, call.client));
		const { upstream } = call.lease;
		await context.catalogs.refresh(target.server, upstream, call.signal, audience);
	}
	const problem = disagreement(call, target, context);
	if (problem === undefined) return undefined;
	return rpcError(rpc_codes.header_mismatch, `Header mismatch: ${problem}`);
}

/** The first header that does not agree, in words. */
function disagreement(
	{ message, param_headers }: Call,
	{ server, name }: CallTarget,
	context: GatewayContext,
): string | undefined {
	const tool = toolDefinition(server.name, name, context);
	if (tool === undefined) return undefined;
	const args = memberSpan(message.params, "arguments");
	for (const wanted of paramHeadersOf(tool)) {
		const value = readJson(message.bytes, spanAt(message.bytes, args, wanted.path));
		const problem = paramHeaderProblem(wanted, value, param_headers?.[wanted.header]);
		if (problem !== undefined) return problem;
	}
	return undefined;
}
