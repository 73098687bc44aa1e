import type { Principal } from "../identity/principal.ts";
import { latest_legacy_revision } from "../protocol/revisions.ts";
import { composeRequest } from "../wire/compose.ts";
import { type CallParts, type CallSink, type CallWatch, makeCall, type Reply } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { runCall } from "./pipeline.ts";

/** What stands in the place of a client: what it can do, and how it is asked and told. */
export interface CallFace {
	/** A raw JSON object. */
	readonly capabilities: string;
	readonly sink: CallSink;
	readonly watch?: CallWatch;
}

const refused = '{"code":-32601,"message":"The caller cannot be asked"}';

/** Somebody who cannot be asked and wants to be told nothing but the reply. */
const deaf: CallFace = {
	capabilities: "{}",
	sink: {
		notify: () => undefined,
		ask: (ask) => ask.answer({ kind: "error", json: refused }),
	},
};

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
	face: CallFace = deaf,
): Promise<Reply> {
	const cancel = new AbortController();
	const parts: CallParts = {
		id: context.random.uuid(),
		principal,
		endpoint,
		client: {
			era: "legacy",
			revision: latest_legacy_revision,
			capabilities: face.capabilities,
			info: JSON.stringify(context.product),
			session_id: undefined,
			principal: principal.id,
			client_id: principal.client,
			log_level: undefined,
		},
		message: composeRequest("1", method, params_json),
		method,
		signal: AbortSignal.any([signal, cancel.signal]),
		cancel,
		sink: face.sink,
		watch: face.watch,
	};
	return runCall(makeCall(parts, context.clock), context);
}
