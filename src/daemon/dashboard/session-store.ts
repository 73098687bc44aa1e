import type { SessionOptions } from "../../admin/dashboard-sessions.ts";
import type { MetaRepository } from "../../store/meta-repository.ts";

const sessions_key = "dashboard_sessions";

/** Where signed-in browsers are remembered. */
export function sessionStore(meta: MetaRepository): SessionOptions["store"] {
	return {
		load: () => meta.get(sessions_key),
		save: (text) => meta.set(sessions_key, text),
	};
}
