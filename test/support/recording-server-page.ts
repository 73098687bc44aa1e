import type {
	DraftedSettings,
	ServerAccess,
	ServerSecrets,
	ServerSettings,
	SettingsDraft,
} from "../../src/admin/contracts/server-page.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import type { ServerPageBackend } from "../../src/admin/server-page-backend.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import type { AdminScenario } from "./admin-scenarios.ts";
import { no_changes } from "./no-changes.ts";

/** One server, `time`, seen from near by a test that wants to know what was asked. */
export class RecordingServerPage implements ServerPageBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	async secrets(server: string): Promise<Result<ServerSecrets, AdminProblem>> {
		this.#calls.push(`server_page.secrets(${server})`);
		return this.#of(server, { server, values: [] });
	}

	async access(
		server: string,
		tool: string | undefined,
	): Promise<Result<ServerAccess, AdminProblem>> {
		this.#calls.push(`server_page.access(${server}, ${tool ?? ""})`);
		const report = { server, identity: false, default: "allow" as const, notes: [], tools: [] };
		return this.#of(server, report);
	}

	async settings(server: string): Promise<Result<ServerSettings, AdminProblem>> {
		this.#calls.push(`server_page.settings(${server})`);
		return this.#of(server, { server, path: "/m.yaml", entry: {}, schema: {}, etag: "1" });
	}

	async draft(
		server: string,
		{ entry, etag }: SettingsDraft,
	): Promise<Result<DraftedSettings, AdminProblem>> {
		this.#calls.push(`server_page.draft(${server}, ${JSON.stringify(entry)}, ${etag})`);
		if (etag !== "1") return fail(problemOf("edited_meanwhile", "Somebody was quicker."));
		return this.#of(server, { text: "version: 1\n", etag: "2", changes: no_changes });
	}

	#of<Value>(server: string, value: Value): Result<Value, AdminProblem> {
		if (server === "time") return succeed(value);
		return fail(problemOf("server_unknown", `There is no server named "${server}".`));
	}
}

const draft = (etag: string) => JSON.stringify({ entry: { command: "x" }, etag });

/** Requests about one server seen from near. */
export const server_page_scenarios: readonly AdminScenario[] = [
	{
		operation: "getServerSecrets",
		path: "/api/servers/time/secrets",
		status: 200,
		calls: ["server_page.secrets(time)"],
	},
	{
		operation: "getServerSecrets",
		path: "/api/servers/no/secrets",
		status: 404,
		calls: ["server_page.secrets(no)"],
	},
	{
		operation: "getServerAccess",
		path: "/api/servers/time/access?tool=now",
		status: 200,
		calls: ["server_page.access(time, now)"],
	},
	{
		operation: "getServerAccess",
		path: "/api/servers/no/access",
		status: 404,
		calls: ["server_page.access(no, )"],
	},
	{
		operation: "getServerSettings",
		path: "/api/servers/time/settings",
		status: 200,
		calls: ["server_page.settings(time)"],
	},
	{
		operation: "getServerSettings",
		path: "/api/servers/no/settings",
		status: 404,
		calls: ["server_page.settings(no)"],
	},
	{
		operation: "draftSettings",
		path: "/api/servers/time/settings/draft",
		body: draft("1"),
		status: 200,
		calls: ['server_page.draft(time, {"command":"x"}, 1)'],
	},
	{
		operation: "draftSettings",
		path: "/api/servers/time/settings/draft",
		body: draft("0"),
		status: 412,
		calls: ['server_page.draft(time, {"command":"x"}, 0)'],
	},
	{
		operation: "draftSettings",
		path: "/api/servers/time/settings/draft",
		body: '{"entry":{}}',
		status: 400,
		calls: [],
	},
];
