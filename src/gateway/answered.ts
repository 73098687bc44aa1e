import type { IncomingMessage } from "node:http";
import type { Principal } from "../identity/principal.ts";
import type { CallStatus } from "../telemetry/call-record.ts";
import type { Message } from "../wire/message.ts";
import { rawText } from "../wire/object.ts";
import type { ClientSide, Reply } from "./call.ts";
import { namedClient } from "./checked-call.ts";
import type { GatewayContext } from "./context.ts";
import { plainOutcome, traceOf } from "./recording.ts";

/** What is known of a request by the time it is answered without having become a call. */
export interface Answered {
	readonly request: IncomingMessage;
	/** Name of the endpoint that was asked for. */
	readonly endpoint: string;
	/** False where there is no such endpoint, or that was not looked up. */
	readonly is_offered: boolean;
	readonly who?: Pick<Principal, "tenant" | "user" | "client"> | undefined;
	readonly client?: ClientSide | undefined;
	/** The session, where the client is not known by it. */
	readonly session_id?: string | undefined;
	readonly message?: Message | undefined;
	/** Bytes of the body, as far as it was read. */
	readonly body_bytes?: number;
	readonly outcome: AnsweredOutcome;
}

/** How such a request ended. */
export interface AnsweredOutcome {
	readonly status: CallStatus;
	readonly code?: string | undefined;
	/** The sentence that the caller was told. */
	readonly message?: string | undefined;
	readonly error_id?: string | undefined;
}

/** A request that has what it wanted. */
export const answered_well: AnsweredOutcome = { status: "ok" };

/** The outcome of a refusal in the words of HTTP. */
export function refusedOutcome(
	http_status: number,
	{ code, message, error_id }: Omit<AnsweredOutcome, "status">,
): AnsweredOutcome {
	return { status: http_status >= 500 ? "server_error" : "client_error", code, message, error_id };
}

/** The outcome of a refusal in the words of JSON-RPC. */
export function replyOutcome(reply: Reply): AnsweredOutcome {
	const { status, code, error_id, error_message } = plainOutcome(reply);
	return { status, code, error_id, message: error_message };
}

/**
 * Tells whoever keeps a log of calls of a request that never became one, so that every request has
 * its line. Never throws: the answer is on its way already.
 */
export function noteAnswered(answered: Answered, context: GatewayContext): void {
	if (!context.evidence.some((keeper) => keeper.answered !== undefined)) return;
	const what = { id: "-", method: answered.message?.method ?? "-" };
	let record: ReturnType<typeof recordOf>;
	try {
		record = recordOf(answered, context);
	} catch (error) {
		context.defect(error, what);
		return;
	}
	for (const keeper of context.evidence) {
		// One that breaks takes nothing from the others.
		try {
			keeper.answered?.(record);
		} catch (error) {
			context.defect(error, what);
		}
	}
}

function recordOf(
	{
		request,
		endpoint,
		is_offered,
		who,
		client,
		session_id,
		message,
		body_bytes,
		outcome,
	}: Answered,
	{ clock, random }: GatewayContext,
) {
	const id = random.uuid();
	const named = client === undefined ? undefined : namedClient(client.info);
	const { traceparent } = request.headers;
	const trace_header = typeof traceparent === "string" ? traceparent : undefined;
	const { sampled: _, ...trace } = traceOf({ id, message, trace_header });
	return {
		id,
		...trace,
		request_id: message?.id === undefined ? "null" : rawText(message.bytes, message.id),
		ts_ms: clock.now(),
		// They are answered at once; where one had to wait, it was for its own body.
		duration_ms: 0,
		method: message?.method ?? request.method ?? "",
		endpoint,
		is_offered,
		tenant: who?.tenant,
		user: who?.user,
		client_id: who?.client,
		client_name: named?.name,
		client_version: named?.version,
		client_revision: client?.revision,
		client_era: client?.era,
		session_id: client?.session_id ?? session_id,
		status: outcome.status,
		code: outcome.code,
		error_id: outcome.error_id,
		error_message: outcome.message,
		input_bytes: message?.bytes.length ?? body_bytes ?? 0,
		output_bytes: Buffer.byteLength(outcome.message ?? ""),
		requests: 1,
	};
}
