import { type Outcome, outcome_chars_max } from "../../approvals/outcomes.ts";
import { type FaultCode, fault_rpc_codes } from "../../protocol/fault.ts";
import { wholeBody } from "../../wire/body.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { ObjectIndex } from "../../wire/message.ts";
import { memberSpan, rawText, readString } from "../../wire/object.ts";
import { needsInput } from "../bridge/rounds.ts";
import type { Call, Reply } from "../call.ts";
import { renderReply } from "../render.ts";

/** What a server wants to hear from the client before it goes on. JSON is raw. */
export interface Round {
	readonly requests: string;
	readonly state: string | undefined;
}

/** The questions of a server that answered with them (SEP-2322); undefined for any other reply. */
export function roundOf(reply: Reply): Round | undefined {
	if (!needsInput(reply)) return undefined;
	const { bytes, result } = rendered(reply);
	const requests = memberSpan(result, "inputRequests");
	const state = memberSpan(result, "requestState");
	return {
		requests: requests === undefined ? "{}" : rawText(bytes, requests),
		state: state && rawText(bytes, state),
	};
}

/** What a call came to, as it is kept for the client that asks about its task. */
export function outcomeOf({ target }: Pick<Call, "target">, reply: Reply): Outcome {
	const { bytes, result, error } = rendered(reply);
	if (error !== undefined) return bounded("error", rawText(bytes, error.span));
	if (result === undefined) throw new Error("a reply is a result or an error");
	const type = readString(bytes, memberSpan(result, "resultType"));
	if (type === "input_required") {
		const text = "The server wants its user to visit a page first, which a task cannot pass on.";
		return errorOutcome("not_supported", text);
	}
	// Its own id, and not the one that clients see: that is another owner's for another caller.
	const own = reply.kind === "message" ? reply.message : undefined;
	const task_id = own && readString(own.bytes, memberSpan(own.result, "taskId"));
	if (type === "task" && task_id !== undefined && target !== undefined) {
		return { kind: "task", server: target.server.name, task_id };
	}
	return bounded("result", rawText(bytes, result.span));
}

/** Why a call ended that its server never saw: a sentence. */
export function obstacleOf(reply: Reply): string | undefined {
	if (reply.kind === "fault") return reply.fault.message;
	return reply.kind === "error" ? reply.message : undefined;
}

function bounded(kind: "result" | "error", json: string): Outcome {
	if (json.length <= outcome_chars_max) return { kind, json };
	return errorOutcome("reply_too_large", "The call has run, but its result is too large to keep.");
}

function errorOutcome(code: FaultCode, message: string): Outcome {
	const json = JSON.stringify({ code: fault_rpc_codes[code], message, data: { code } });
	return { kind: "error", json };
}

function rendered(reply: Reply): {
	readonly bytes: Buffer;
	readonly result: ObjectIndex | undefined;
	readonly error: ObjectIndex | undefined;
} {
	// Its edits are the reply's own: what is added to them here would be made twice.
	const copy = reply.kind === "message" ? { ...reply, edits: [...reply.edits] } : reply;
	const to = { id: "0", method: "tools/call", era: "modern" } as const;
	const indexed = indexMessage(wholeBody(renderReply(copy, to).bytes));
	if (!indexed.ok) throw new Error(`a reply is no message: ${indexed.problem.message}`);
	return indexed.value;
}
