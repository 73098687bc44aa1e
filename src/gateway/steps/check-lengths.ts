import { rpc_codes } from "../../protocol/codes.ts";
import { nameSource } from "../../protocol/headers.ts";
import { memberSpan } from "../../wire/object.ts";
import { type Call, type Reply, type RpcErrorReply, rpcError } from "../call.ts";

/** Bytes of a method, of a name of a tool or prompt, and of a URI or task id, as JSON. */
export const lengths_max = { method: 256, name: 1_024, uri: 8_192, taskId: 8_192 } as const;

/**
 * Whether what a call is about has a name of a length that names have: everything behind looks
 * names up, matches and records them, and none of that is made for megabytes.
 */
export function checkLengths({ method, message }: Call): Reply | undefined {
	if (method.length > lengths_max.method) {
		return tooLong(`The method has ${method.length} characters`, lengths_max.method);
	}
	const source = nameSource(method);
	if (source === undefined) return undefined;
	const span = memberSpan(message.params, source);
	if (span === undefined) return undefined;
	const bytes = span.end - span.start;
	const max = lengths_max[source];
	if (bytes <= max) return undefined;
	// So that a name that a caller made up is treated as one: it becomes no label of a metric.
	return { ...tooLong(`params.${source} has ${bytes} bytes`, max), reason: "not_offered" };
}

function tooLong(what: string, max: number): RpcErrorReply {
	return rpcError(rpc_codes.invalid_params, `${what}; at most ${max} are accepted.`);
}
