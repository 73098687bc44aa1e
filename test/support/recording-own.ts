import type { Caller } from "../../src/admin/caller.ts";
import type { AddedKey, AddMyKey, MyKeys, Removed } from "../../src/admin/contract-people.ts";
import type { EndedMcpSession, McpSessionPage } from "../../src/admin/contracts/mcp-sessions.ts";
import type { TenantDetails, TenantPage } from "../../src/admin/contracts/tenants.ts";
import type { McpSessionBackend, McpSessionQuery } from "../../src/admin/mcp-session-backend.ts";
import type { MyKeyBackend } from "../../src/admin/my-key-backend.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import type { TenantBackend, TenantQuery } from "../../src/admin/tenant-backend.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

/** Sessions of MCP clients to which nothing happens; there is one, `s1`. */
export class RecordingMcpSessions implements McpSessionBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	list({ principal = "", endpoint = "", limit, cursor = "" }: McpSessionQuery): McpSessionPage {
		this.#calls.push(`sessions.list(${principal}, ${endpoint}, ${limit}, ${cursor})`);
		const times = { created_at_ms: 1, used_at_ms: 2, connected: false, subscriptions: 0 };
		const who = { endpoint: "mcp", principal: "acme/ana", client: {}, revision: "2025-11-25" };
		return { total: 1, sessions: [{ id: "s1", ...who, ...times }] };
	}

	end(id: string): Promise<Result<EndedMcpSession, AdminProblem>> {
		this.#calls.push(`sessions.end(${id})`);
		if (id === "s1")
			return Promise.resolve(succeed({ id, endpoint: "mcp", principal: "acme/ana" }));
		return Promise.resolve(fail(problemOf("mcp_session_unknown", "There is none.")));
	}
}

/** Tenants of which there is one, `acme`. */
export class RecordingTenants implements TenantBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	list({ q = "", limit, cursor = "" }: TenantQuery): TenantPage {
		this.#calls.push(`tenants.list(${q}, ${limit}, ${cursor})`);
		return { total: 1, tenants: [acme] };
	}

	get(tenant: string, with_access: boolean): TenantDetails | undefined {
		this.#calls.push(`tenants.get(${tenant}${with_access ? ", access" : ""})`);
		if (tenant !== acme.name) return undefined;
		return { ...acme, members: [], members_left_out: 0, servers: [], asked: 0, limits: [] };
	}
}

const traffic = { calls_per_s: 0, error_rate: 0, calls: 0, spark: [] };
const acme = { name: "acme", people: 1, keys: 0, sessions: 0, in_flight: 0, traffic };

/** Keys of whoever asks, to which nothing happens; everybody has one, `mine`. */
export class RecordingMyKeys implements MyKeyBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	list({ principal }: Caller): MyKeys {
		this.#calls.push(`myKeys.list(${principal.id})`);
		return { keys: [] };
	}

	add({ name }: AddMyKey, { principal }: Caller): Promise<Result<AddedKey, AdminProblem>> {
		this.#calls.push(`myKeys.add(${name}, ${principal.id})`);
		const { tenant, user } = principal;
		return Promise.resolve(succeed({ key: "k", entry: { name, source: "store", tenant, user } }));
	}

	remove(name: string, { principal }: Caller): Promise<Result<Removed, AdminProblem>> {
		this.#calls.push(`myKeys.remove(${name}, ${principal.id})`);
		if (name === "mine") return Promise.resolve(succeed({ removed: name }));
		return Promise.resolve(fail(problemOf("key_unknown", "You have none.")));
	}
}
