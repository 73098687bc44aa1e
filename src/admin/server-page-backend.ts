import type { Result } from "../lib/result.ts";
import type {
	DraftedSettings,
	ServerAccess,
	ServerSecrets,
	ServerSettings,
	SettingsDraft,
} from "./contracts/server-page.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see of one server from near. Nothing here changes anything. */
export interface ServerPageBackend {
	secrets(server: string): Promise<Result<ServerSecrets, AdminProblem>>;
	/** @param tool the one whose callers are wanted too */
	access(server: string, tool: string | undefined): Promise<Result<ServerAccess, AdminProblem>>;
	settings(server: string): Promise<Result<ServerSettings, AdminProblem>>;
	draft(server: string, draft: SettingsDraft): Promise<Result<DraftedSettings, AdminProblem>>;
}
