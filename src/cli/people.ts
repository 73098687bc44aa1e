import type {
	AddClient,
	AddedClient,
	AddedKey,
	AddKey,
	AddUser,
	ChangeUser,
	ClientEntry,
	KeyEntry,
	RemovedUser,
	UserEntry,
} from "../admin/contract-people.ts";
import type { PeopleBackend } from "../admin/people-backend.ts";
import type { AdminProblem } from "../admin/problem.ts";
import { openOfflinePeople } from "../daemon/offline-people.ts";
import type { Result } from "../lib/result.ts";
import type { AdminClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure, storeFailure } from "./failure.ts";
import { withGatewayOr } from "./gateway.ts";

/** People, keys and clients, in a running gateway or in its data folder; failures are thrown. */
export interface PeopleAccess {
	users(): Promise<readonly UserEntry[]>;
	addUser(request: AddUser): Promise<UserEntry>;
	changeUser(tenant: string, user: string, change: ChangeUser): Promise<UserEntry>;
	/** What became of telling those at whom they had authorized something. */
	removeUser(tenant: string, user: string): Promise<RemovedUser>;
	endLogins(tenant: string, user: string): Promise<void>;
	keys(): Promise<readonly KeyEntry[]>;
	addKey(request: AddKey): Promise<AddedKey>;
	removeKey(name: string): Promise<void>;
	clients(): Promise<readonly ClientEntry[]>;
	addClient(request: AddClient): Promise<AddedClient>;
	removeClient(client_id: string): Promise<void>;
}

/** Runs `work` on the running gateway; without one, on the data folder itself. */
export function withPeople<Value>(
	context: CommandContext,
	options: { readonly data: string | undefined },
	work: (people: PeopleAccess) => Promise<Value>,
): Promise<Value> {
	return withGatewayOr(context, options, {
		gateway: (client) => work(remote(client)),
		async without(data) {
			const opened = await openOfflinePeople(data, context);
			if (!opened.ok) throw storeFailure(opened.problem);
			try {
				return await work(local(opened.value.backend));
			} finally {
				await opened.value.close();
			}
		},
	});
}

function remote(client: AdminClient): PeopleAccess {
	const body = (value: object) => JSON.stringify(value);
	return {
		users: async () => (await client.request("listUsers")).value.users,
		addUser: async (request) => (await client.request("addUser", { body: body(request) })).value,
		changeUser: async (tenant, user, change) =>
			(await client.request("changeUser", { path: { tenant, user }, body: body(change) })).value,
		removeUser: async (tenant, user) =>
			(await client.request("removeUser", { path: { tenant, user } })).value,
		endLogins: async (tenant, user) =>
			void (await client.request("endLogins", { path: { tenant, user } })),
		keys: async () => (await client.request("listKeys")).value.keys,
		addKey: async (request) => (await client.request("addKey", { body: body(request) })).value,
		removeKey: async (name) => void (await client.request("removeKey", { path: { name } })),
		clients: async () => (await client.request("listOAuthClients")).value.clients,
		addClient: async (request) =>
			(await client.request("addOAuthClient", { body: body(request) })).value,
		removeClient: async (id) =>
			void (await client.request("removeOAuthClient", { path: { client: id } })),
	};
}

function local(backend: PeopleBackend): PeopleAccess {
	return {
		users: async () => backend.users(),
		addUser: async (request) => must(await backend.addUser(request)),
		changeUser: async (tenant, user, change) =>
			must(await backend.changeUser(tenant, user, change)),
		removeUser: async (tenant, user) => must(await backend.removeUser(tenant, user)),
		endLogins: async (tenant, user) => void must(await backend.endLogins(tenant, user)),
		keys: async () => backend.keys(),
		addKey: async (request) => must(await backend.addKey(request)),
		removeKey: async (name) => void must(await backend.removeKey(name)),
		clients: async () => backend.clients(),
		addClient: async (request) => must(await backend.addClient(request)),
		removeClient: async (id) => void must(await backend.removeClient(id)),
	};
}

function must<Value>(result: Result<Value, AdminProblem>): Value {
	if (result.ok) return result.value;
	const { code, message, next } = result.problem;
	throw new CommandFailure({ exit_code: exit_codes.failed, code, message, next });
}
