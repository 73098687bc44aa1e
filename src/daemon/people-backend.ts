import type {
	AddClient,
	AddedClient,
	AddedKey,
	AddKey,
	AddUser,
	ChangeUser,
	ClientEntry,
	GrantEntry,
	KeyEntry,
	Removed,
	RemovedUser,
	UserEntry,
} from "../admin/contract-people.ts";
import type { EndedGrants } from "../admin/contracts/upstream-grants.ts";
import type { PeopleBackend } from "../admin/people-backend.ts";
import { type AdminProblem, type AdminProblemCode, problemOf } from "../admin/problem.ts";
import type { ApiKeyPlan } from "../config/plan-identity.ts";
import { default_tenant } from "../config/principal-names.ts";
import { type People, type PeopleProblem, versionOf } from "../identity/people.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { KnownClient, LoginClients } from "../login/clients.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { StoredKey, StoredUser } from "../store/people-repository.ts";

const no_identity =
	"The configuration has no `identity`, so that everybody who can connect is the same person and " +
	"this key is not looked at. Write `identity: {}` into moorage.yaml: then every client needs a key.";

/** What those who run the gateway can do with people, keys and clients. */
export class DaemonPeopleBackend implements PeopleBackend {
	readonly #people: People;
	readonly #clients: LoginClients;
	/** The keys of the configuration; undefined where it has no `identity`. */
	readonly #configured: () => readonly ApiKeyPlan[] | undefined;
	/** Ends what somebody has authorized at remote servers. */
	readonly #endGrants: (owner: GrantOwner) => Promise<EndedGrants>;
	/** Signs a person out in every browser. */
	readonly #endSessions: (principal: string) => Promise<unknown>;

	constructor(
		people: People,
		clients: LoginClients,
		configured: () => readonly ApiKeyPlan[] | undefined,
		endGrants: (owner: GrantOwner) => Promise<EndedGrants>,
		endSessions: (principal: string) => Promise<unknown>,
	) {
		this.#people = people;
		this.#clients = clients;
		this.#configured = configured;
		this.#endGrants = endGrants;
		this.#endSessions = endSessions;
	}

	users(): readonly UserEntry[] {
		return this.#people.users().map(userEntry);
	}

	async addUser(request: AddUser): Promise<Result<UserEntry, AdminProblem>> {
		const { tenant = default_tenant, user, display_name, roles = [], password } = request;
		const added = await this.#people.addUser({ tenant, user, display_name, roles, password });
		return added.ok ? succeed(userEntry(added.value)) : fail(problemFrom(added.problem));
	}

	async changeUser(
		tenant: string,
		user: string,
		change: ChangeUser,
		etag?: string,
	): Promise<Result<UserEntry, AdminProblem>> {
		const before = this.#people.user(tenant, user)?.roles ?? [];
		const changed = await this.#people.changeUser(tenant, user, change, etag);
		if (!changed.ok) return fail(problemFrom(changed.problem));
		// Whoever knew the old password may be logged in with it.
		if (change.password !== undefined) await this.#endLogins(tenant, user);
		// A token says which roles its person had when it was made.
		else if (before.some((role) => !changed.value.roles.includes(role))) {
			await this.#clients.endTokens(`${tenant}/${user}`);
		}
		return succeed(userEntry(changed.value));
	}

	async removeUser(tenant: string, user: string): Promise<Result<RemovedUser, AdminProblem>> {
		const removed = await this.#people.removeUser(tenant, user);
		if (!removed.ok) return fail(problemFrom(removed.problem));
		await this.#endLogins(tenant, user);
		// Somebody of the same name may come later, and is not this one.
		const ended_grants = await this.#endGrants({ tenant, user });
		return succeed({ removed: `${tenant}/${user}`, ended_grants });
	}

	async endLogins(tenant: string, user: string): Promise<Result<Removed, AdminProblem>> {
		if (this.#people.user(tenant, user) === undefined) {
			return fail(problemOf("user_unknown", `There is no user "${tenant}/${user}".`));
		}
		await this.#endLogins(tenant, user);
		return succeed({ removed: `${tenant}/${user}` });
	}

	async #endLogins(tenant: string, user: string): Promise<void> {
		await this.#clients.endLogins(`${tenant}/${user}`);
		await this.#endSessions(`${tenant}/${user}`);
	}

	keys(): readonly KeyEntry[] {
		const configured = this.#configured() ?? [];
		return [...configured.map(configuredKey), ...this.#people.keys().map(keyEntry)];
	}

	async addKey(request: AddKey): Promise<Result<AddedKey, AdminProblem>> {
		const { name, tenant = default_tenant, user = name, roles, scopes, expires_at_ms } = request;
		const configured = this.#configured();
		if (configured?.some((key) => key.name === name) === true) {
			const message = `The configuration has a key named "${name}" already.`;
			return fail(problemFrom({ code: "key_exists", message, field: "name" }));
		}
		const added = await this.#people.addKey({ name, tenant, user, roles, scopes, expires_at_ms });
		if (!added.ok) return fail(problemFrom(added.problem));
		return succeed({
			key: added.value.key,
			entry: keyEntry(added.value.stored),
			...(configured === undefined && { note: no_identity }),
		});
	}

	async removeKey(name: string): Promise<Result<Removed, AdminProblem>> {
		const removed = await this.#people.removeKey(name);
		if (removed.ok) return succeed({ removed: name });
		if (this.#configured()?.some((key) => key.name === name) === true) {
			const problem = problemOf("key_unknown", `The key "${name}" stands in the configuration.`);
			return fail({ ...problem, next: "Take its entry out of `identity.keys` of moorage.yaml." });
		}
		return fail(problemFrom(removed.problem));
	}

	async clients(): Promise<readonly ClientEntry[]> {
		return (await this.#clients.list()).map(clientEntry);
	}

	async addClient(request: AddClient): Promise<Result<AddedClient, AdminProblem>> {
		const { tenant = default_tenant, user, roles = [] } = request;
		const added = await this.#clients.add({
			client_id: request.client_id,
			name: request.name,
			redirect_uris: request.redirect_uris ?? [],
			secret: request.secret ?? false,
			jwks: request.jwks,
			holder: user === undefined ? undefined : { tenant, user, roles },
			enterprise: request.enterprise ?? false,
		});
		if (added.ok) {
			const { client, secret } = added.value;
			const shown = secret === undefined ? {} : { client_secret: secret };
			return succeed({ client: clientEntry(client), ...shown });
		}
		if (added.problem !== "exists") {
			return fail(problemFrom({ code: "invalid_request", ...added.problem }));
		}
		const message = `There is a client "${request.client_id}" already.`;
		return fail(problemFrom({ code: "client_exists", message, field: "client_id" }));
	}

	async removeClient(client_id: string): Promise<Result<Removed, AdminProblem>> {
		if (await this.#clients.remove(client_id)) return succeed({ removed: client_id });
		return fail(problemOf("client_unknown", `There is no client "${client_id}".`));
	}

	async grants(): Promise<readonly GrantEntry[]> {
		return (await this.#clients.grants()).map(({ expires_at_ms, ...grant }) => ({
			...grant,
			...(expires_at_ms === undefined ? {} : { expires_at_ms }),
		}));
	}

	async removeGrant(id: string): Promise<Result<Removed, AdminProblem>> {
		if (await this.#clients.removeGrant(id)) return succeed({ removed: id });
		return fail(problemOf("grant_unknown", "There is no such grant."));
	}
}

function problemFrom({
	code,
	message,
	field,
}: Omit<PeopleProblem, "code"> & { readonly code: AdminProblemCode }): AdminProblem {
	const problem = problemOf(code, message);
	return field === undefined ? problem : { ...problem, errors: [{ field, message }] };
}

function userEntry(user: StoredUser): UserEntry {
	const { display_name, provider, login_at_ms } = user;
	return {
		id: `${user.tenant}/${user.user}`,
		tenant: user.tenant,
		user: user.user,
		roles: user.roles,
		has_password: user.password_hash !== undefined,
		created_at_ms: user.created_at_ms,
		etag: versionOf(user),
		...present({ display_name, provider, login_at_ms }),
	};
}

function keyEntry(key: StoredKey): KeyEntry {
	const { name, tenant, user, created_at_ms, roles, scopes, expires_at_ms, used_at_ms } = key;
	const maybe = present({ roles, scopes, expires_at_ms, used_at_ms });
	return { name, source: "store", tenant, user, created_at_ms, ...maybe };
}

function configuredKey({ name, tenant, user, roles, scopes, expires_at_ms }: ApiKeyPlan): KeyEntry {
	return { name, source: "config", tenant, user, roles, ...present({ scopes, expires_at_ms }) };
}

function clientEntry(client: KnownClient): ClientEntry {
	const { client_id, name, source, redirect_uris, grant_types, holder, grants } = client;
	const principal = holder === undefined ? undefined : `${holder.tenant}/${holder.user}`;
	const maybe = present({ name, principal, created_at_ms: client.created_at_ms });
	return { client_id, source, redirect_uris, grant_types, grants, ...maybe };
}

/** Members that are not there are left out, not undefined: they become JSON. */
function present<Value extends object>(
	value: Value,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
	const entries = Object.entries(value).filter(([, member]) => member !== undefined);
	return Object.fromEntries(entries) as { [Key in keyof Value]?: Exclude<Value[Key], undefined> };
}
