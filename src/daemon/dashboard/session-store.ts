import type { SessionOptions } from "../../admin/dashboard-sessions.ts";
import type { Database } from "../../store/database.ts";
import { createRepositories } from "../../store/repositories.ts";

/** Where signed-in browsers are remembered: one row each, so that a sign-in writes its own. */
export function sessionStore(database: Database): SessionOptions["store"] {
	const { dashboard_sessions } = createRepositories(database.connection);
	return {
		load: () => dashboard_sessions.load(),
		// Together: a gateway that is killed meanwhile leaves what was, or what is.
		change: (added, gone) =>
			database.transaction(async (connection) => {
				const { dashboard_sessions: rows } = createRepositories(connection);
				await rows.remove(gone);
				if (added !== undefined) await rows.add(added);
			}),
	};
}
