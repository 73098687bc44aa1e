import type { Changes } from "../../admin/contract.ts";
import type {
	DraftedSettings,
	ServerAccess,
	ServerSecrets,
	ServerSettings,
	SettingsDraft,
} from "../../admin/contracts/server-page.ts";
import type { PeopleBackend } from "../../admin/people-backend.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import type { ServerPageBackend } from "../../admin/server-page-backend.ts";
import type { Plan, ServerPlan } from "../../config/plan.ts";
import type { Environment } from "../../lib/environment.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { DaemonPolicyBackend } from "../policy-backend.ts";
import type { SecretDesk } from "../secret-desk.ts";
import { callerNotes, knownCallers } from "./callers.ts";
import { draftSettings, settingsOf } from "./settings.ts";
import { usesOf } from "./uses.ts";

/** The rooms that one server is seen from. */
export interface ServerPageRooms {
	/** What runs: the configuration, with the versions and forks that are live in its place. */
	readonly plan: Plan;
	/** The configuration as it was applied last. */
	readonly config: Plan;
	readonly environment: Environment;
	readonly secrets: { readonly desk: Pick<SecretDesk, "list"> };
	readonly accounts: { readonly backend: Pick<PeopleBackend, "users" | "keys"> };
	readonly wings: { readonly policy: Pick<DaemonPolicyBackend, "toolRules" | "foresee"> };
}

/** One server seen from near, in the running house. */
export class DaemonServerPage implements ServerPageBackend {
	readonly #rooms: ServerPageRooms;
	readonly #plan: (text: string) => Promise<Result<Changes, AdminProblem>>;

	/** @param plan what a text would change if it were the configuration */
	constructor(
		rooms: ServerPageRooms,
		plan: (text: string) => Promise<Result<Changes, AdminProblem>>,
	) {
		this.#rooms = rooms;
		this.#plan = plan;
	}

	async secrets(name: string): Promise<Result<ServerSecrets, AdminProblem>> {
		const server = this.#server(name);
		if (!server.ok) return server;
		const { environment, secrets } = this.#rooms;
		return succeed(await usesOf(server.value, { environment, list: () => secrets.desk.list() }));
	}

	async access(
		name: string,
		tool: string | undefined,
	): Promise<Result<ServerAccess, AdminProblem>> {
		const server = this.#server(name);
		if (!server.ok) return server;
		const { accounts, wings, config } = this.#rooms;
		const { identity } = config;
		const { backend } = accounts;
		const known = knownCallers(identity, backend.users(), backend.keys());
		const { tools, by_default, conditions } = wings.policy.toolRules(server.value);
		const head = {
			server: name,
			identity: identity !== undefined,
			default: by_default,
			notes: callerNotes(identity, conditions, known.length),
			tools,
		};
		if (tool === undefined) return succeed(head);
		const callers = [];
		for (const { principal, ...caller } of known) {
			callers.push({ ...caller, ...(await wings.policy.foresee(name, tool, principal)) });
		}
		return succeed({ ...head, callers });
	}

	settings(name: string): Promise<Result<ServerSettings, AdminProblem>> {
		return settingsOf(name, { config: this.#rooms.config, plan: this.#plan });
	}

	draft(name: string, draft: SettingsDraft): Promise<Result<DraftedSettings, AdminProblem>> {
		return draftSettings(name, draft, { config: this.#rooms.config, plan: this.#plan });
	}

	#server(name: string): Result<ServerPlan, AdminProblem> {
		const server = this.#rooms.plan.servers.find((one) => one.name === name);
		if (server !== undefined) return succeed(server);
		return fail(problemOf("server_unknown", `There is no server named "${name}".`));
	}
}
