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
} from "../../src/admin/contract-people.ts";
import type { PeopleBackend } from "../../src/admin/people-backend.ts";
import { type AdminProblem, type AdminProblemCode, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

const ana: UserEntry = {
	id: "acme/ana",
	tenant: "acme",
	user: "ana",
	roles: ["admin"],
	has_password: true,
	created_at_ms: 1_700_000_000_000,
	etag: '"1"',
};
const key: KeyEntry = { name: "ci", source: "store", tenant: "acme", user: "ana" };
const app: ClientEntry = {
	client_id: "app",
	source: "admin",
	redirect_uris: [],
	grant_types: [],
	grants: 1,
};

/** People to whom nothing happens: `acme/ana` with the key `ci`, who allowed the client `app`. */
export class RecordingPeople implements PeopleBackend {
	readonly #calls: string[];

	/** Every call made is added to `calls`, as `name(arguments)`. */
	constructor(calls: string[]) {
		this.#calls = calls;
	}

	users(): readonly UserEntry[] {
		this.#calls.push("users()");
		return [ana];
	}

	async addUser(request: AddUser): Promise<Result<UserEntry, AdminProblem>> {
		return this.#answer(
			`addUser(${JSON.stringify(request)})`,
			request.user !== "ana",
			ana,
			"user_exists",
		);
	}

	async changeUser(
		tenant: string,
		user: string,
		change: ChangeUser,
		etag?: string,
	): Promise<Result<UserEntry, AdminProblem>> {
		const given = etag === undefined ? "" : `, ${etag}`;
		const call = `changeUser(${tenant}, ${user}, ${JSON.stringify(change)}${given})`;
		if (etag === '"0"') return this.#answer(call, false, ana, "edited_meanwhile");
		return this.#answer(call, user === "ana", ana, "user_unknown");
	}

	async removeUser(tenant: string, user: string): Promise<Result<RemovedUser, AdminProblem>> {
		const removed = this.#removed(
			"removeUser",
			`${tenant}, ${user}`,
			user === "ana",
			"user_unknown",
		);
		return removed.ok ? succeed({ ...removed.value, ended_grants: [] }) : removed;
	}

	async endLogins(tenant: string, user: string): Promise<Result<Removed, AdminProblem>> {
		return this.#removed("endLogins", `${tenant}, ${user}`, user === "ana", "user_unknown");
	}

	keys(): readonly KeyEntry[] {
		this.#calls.push("keys()");
		return [key];
	}

	async addKey(request: AddKey): Promise<Result<AddedKey, AdminProblem>> {
		const made = { key: "moorage_shown-once", entry: key };
		return this.#answer(
			`addKey(${JSON.stringify(request)})`,
			request.name !== "ci",
			made,
			"key_exists",
		);
	}

	async removeKey(name: string): Promise<Result<Removed, AdminProblem>> {
		return this.#removed("removeKey", name, name === "ci", "key_unknown");
	}

	async clients(): Promise<readonly ClientEntry[]> {
		this.#calls.push("clients()");
		return [app];
	}

	async addClient(request: AddClient): Promise<Result<AddedClient, AdminProblem>> {
		const call = `addClient(${JSON.stringify(request)})`;
		return this.#answer(call, request.client_id !== "app", { client: app }, "client_exists");
	}

	async removeClient(client_id: string): Promise<Result<Removed, AdminProblem>> {
		return this.#removed("removeClient", client_id, client_id === "app", "client_unknown");
	}

	async grants(): Promise<readonly GrantEntry[]> {
		this.#calls.push("grants()");
		const base = { id: "g", account: "acme/ana", client_id: "app" };
		return [{ ...base, scopes: ["mcp"], resources: [], created_at_ms: 1 }];
	}

	async removeGrant(id: string): Promise<Result<Removed, AdminProblem>> {
		return this.#removed("removeGrant", id, id === "g", "grant_unknown");
	}

	#removed(
		name: string,
		what: string,
		known: boolean,
		code: AdminProblemCode,
	): Result<Removed, AdminProblem> {
		return this.#answer(`${name}(${what})`, known, { removed: what }, code);
	}

	#answer<Value>(
		call: string,
		good: boolean,
		value: Value,
		code: AdminProblemCode,
	): Result<Value, AdminProblem> {
		this.#calls.push(call);
		return good ? succeed(value) : fail(problemOf(code, "No."));
	}
}
