import type { Result } from "../lib/result.ts";
import type { Caller } from "./caller.ts";
import type { AddedKey, AddMyKey, MyKeys, Removed } from "./contract-people.ts";
import type { AdminProblem } from "./problem.ts";

/** What people can see and do with their own API keys. */
export interface MyKeyBackend {
	list(caller: Caller): MyKeys;
	add(request: AddMyKey, caller: Caller): Promise<Result<AddedKey, AdminProblem>>;
	remove(name: string, caller: Caller): Promise<Result<Removed, AdminProblem>>;
}
