import type { Principal } from "../identity/principal.ts";
import { type Result, succeed } from "../lib/result.ts";
import { latest_legacy_revision } from "../protocol/revisions.ts";
import { readRequest } from "../wire/compose.ts";
import type { Message, WireProblem } from "../wire/message.ts";
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
	/** Who really makes the call, where it is made in another person's name. */
	readonly made_by?: Principal | undefined;
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

/** A request that `directCall` takes on. */
export interface DirectRequest {
	readonly method: string;
	readonly message: Message;
}

/**
 * The request of a method with raw JSON as its params. Whoever wrote that may have named a member
 * twice, or have nested it too deep: then it is none.
 */
export function directRequest(
	method: string,
	params_json: string,
): Result<DirectRequest, WireProblem> {
	const message = readRequest("1", method, params_json);
	return message.ok ? succeed({ method, message: message.value }) : message;
}

/**
 * One call that does not come from an MCP client: from the admin API, or a program that
 * speaks plain HTTP. It goes the same way as every other call.
 */
export function directCall(
	endpoint: Endpoint,
	{ method, message }: DirectRequest,
	principal: Principal,
	signal: AbortSignal,
	context: GatewayContext,
	face: CallFace = deaf,
): Promise<Reply> {
	const cancel = new AbortController();
	const parts: CallParts = {
		id: context.random.uuid(),
		principal,
		made_by: face.made_by,
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
		message,
		method,
		signal: AbortSignal.any([signal, cancel.signal]),
		cancel,
		sink: face.sink,
		watch: face.watch,
	};
	return runCall(makeCall(parts, context.clock), context);
}
