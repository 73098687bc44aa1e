import { admin_principal, type Caller } from "../admin/caller.ts";
import type { AddedKey, AddMyKey, KeyEntry, MyKeys, Removed } from "../admin/contract-people.ts";
import type { MyKeyBackend } from "../admin/my-key-backend.ts";
import type { PeopleBackend } from "../admin/people-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import type { People } from "../identity/people.ts";
import { fail, type Result } from "../lib/result.ts";

/** Keys that one person may have made for themselves, with those that others made for them. */
const keys_each_max = 20;

/**
 * People's own keys. A key has the roles that its person has each time it is used, and no others; a
 * key or a token cannot make another, so that whoever finds one has only that.
 */
export class MyKeyDesk implements MyKeyBackend {
	readonly #people: Pick<People, "user">;
	readonly #keys: Pick<PeopleBackend, "keys" | "addKey" | "removeKey">;

	constructor(
		people: Pick<People, "user">,
		keys: Pick<PeopleBackend, "keys" | "addKey" | "removeKey">,
	) {
		this.#people = people;
		this.#keys = keys;
	}

	list(caller: Caller): MyKeys {
		const why_not = this.#whyNot(caller);
		return { keys: this.#of(caller), ...(why_not !== undefined && { why_not }) };
	}

	async add(request: AddMyKey, caller: Caller): Promise<Result<AddedKey, AdminProblem>> {
		const why_not = this.#whyNot(caller);
		if (why_not !== undefined) return fail(problemOf("forbidden", why_not));
		if (this.#of(caller).length >= keys_each_max) {
			return fail(problemOf("too_many", `You have ${keys_each_max} keys already.`));
		}
		const { tenant, user } = caller.principal;
		const { name, scopes, expires_at_ms } = request;
		return this.#keys.addKey({
			name,
			tenant,
			user,
			...(scopes !== undefined && { scopes }),
			...(expires_at_ms !== undefined && { expires_at_ms }),
		});
	}

	async remove(name: string, caller: Caller): Promise<Result<Removed, AdminProblem>> {
		const own = this.#of(caller).find((key) => key.name === name);
		// Whether somebody else has a key of that name is nobody's business.
		if (own === undefined)
			return fail(problemOf("key_unknown", `You have no key named "${name}".`));
		return this.#keys.removeKey(name);
	}

	#of({ principal }: Caller): KeyEntry[] {
		const { tenant, user } = principal;
		return this.#keys.keys().filter((key) => key.tenant === tenant && key.user === user);
	}

	/** Why somebody cannot make keys: a sentence; undefined: they can. */
	#whyNot({ holder, principal }: Caller): string | undefined {
		if (holder.kind === "account") return undefined;
		if (holder.kind === "vouched") {
			return "You are known here by the word of your provider alone, each time you sign in; a key would be good when it does not vouch for you any more. Ask an administrator for one.";
		}
		if (this.#people.user(principal.tenant, principal.user) !== undefined) {
			return "A key or token cannot make another. Sign in with your name to make keys.";
		}
		if (principal.id === admin_principal.id) {
			return "The admin token is nobody's. Make keys for people under People and access.";
		}
		return "Whoever comes with a token or a key that no person is kept for has no keys of their own. Ask an administrator for one.";
	}
}
