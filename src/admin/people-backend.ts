import type { Result } from "../lib/result.ts";
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
} from "./contract-people.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see and do with those who may call. */
export interface PeopleBackend {
	users(): readonly UserEntry[];
	addUser(request: AddUser): Promise<Result<UserEntry, AdminProblem>>;
	/** Changes a person; with an `etag`, only as long as they still are what it says. */
	changeUser(
		tenant: string,
		user: string,
		change: ChangeUser,
		etag?: string,
	): Promise<Result<UserEntry, AdminProblem>>;
	removeUser(tenant: string, user: string): Promise<Result<RemovedUser, AdminProblem>>;
	endLogins(tenant: string, user: string): Promise<Result<Removed, AdminProblem>>;
	keys(): readonly KeyEntry[];
	addKey(request: AddKey): Promise<Result<AddedKey, AdminProblem>>;
	removeKey(name: string): Promise<Result<Removed, AdminProblem>>;
	clients(): Promise<readonly ClientEntry[]>;
	addClient(request: AddClient): Promise<Result<AddedClient, AdminProblem>>;
	removeClient(client_id: string): Promise<Result<Removed, AdminProblem>>;
	grants(): Promise<readonly GrantEntry[]>;
	removeGrant(id: string): Promise<Result<Removed, AdminProblem>>;
}
