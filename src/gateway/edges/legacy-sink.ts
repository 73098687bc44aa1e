import { rpc_codes } from "../../protocol/codes.ts";
import type { CallSink } from "../call.ts";
import type { Channel } from "./channel.ts";
import type { LegacySessionState } from "./legacy-state.ts";

const refused = `{"code":${rpc_codes.method_not_found},"message":"The client cannot be asked"}`;

/**
 * The way back to a legacy client while its call runs: notifications and questions travel on
 * the call's own stream. A client without a session has no way to answer a question.
 */
export function legacySink(reply: Channel, state: LegacySessionState | undefined): CallSink {
	return {
		backlog: () => reply.backlog?.(),
		notify(message) {
			// Later progress says all that earlier progress has said; questions and the reply stay.
			if (reply.is_overrun !== true) reply.send(message.bytes);
		},
		ask(ask) {
			if (state === undefined || !reply.takes_streams || ask.message.id === undefined) {
				ask.answer({ kind: "error", json: refused });
				return;
			}
			state.questions.ask(ask, reply);
		},
	};
}
