import type { Session } from "../../sessions/sessions.ts";
import type { ClientSide } from "../call.ts";

/** What a client is taken for that has not said what it is: a raw JSON object. */
export const unnamed_client = '{"name":"unknown","version":"0"}';

/** The client side of a session's requests. */
export function clientOf(session: Session): ClientSide {
	return {
		era: "legacy",
		revision: session.revision,
		capabilities: session.client_capabilities,
		info: session.client_info,
		session_id: session.id,
		principal: session.principal,
		log_level: session.log_level,
	};
}
