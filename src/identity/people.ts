import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { fitsTag } from "../lib/entity-tag.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { PeopleRepository, StoredKey, StoredUser } from "../store/people-repository.ts";
import { hashApiKey, newApiKey } from "./api-keys.ts";
import { type Passwords, password_chars_max, password_chars_min } from "./passwords.ts";

/** Why something about a person or a key was not done; the message is for whoever asked. */
export interface PeopleProblem {
	readonly code:
		| "user_exists"
		| "user_unknown"
		| "edited_meanwhile"
		| "key_exists"
		| "key_unknown"
		| "invalid_request";
	readonly message: string;
	/** What of the request it is about, where that is one thing. */
	readonly field?: string;
}

/** A person to be added. */
export interface NewUser {
	readonly tenant: string;
	readonly user: string;
	readonly display_name?: string | undefined;
	readonly roles: readonly string[];
	/** Without one they log in at a federated provider, or not at all. */
	readonly password?: string | undefined;
}

/** An API key to be made. */
export interface NewKey {
	readonly name: string;
	readonly tenant: string;
	readonly user: string;
	readonly roles?: readonly string[] | undefined;
	readonly scopes?: readonly string[] | undefined;
	readonly expires_at_ms?: number | undefined;
}

/** Somebody whom a federated provider vouches for. */
export interface VouchedUser {
	/** Name of the provider in the configuration, and what it calls the person. */
	readonly provider: string;
	readonly subject: string;
	readonly tenant: string;
	readonly user: string;
	readonly display_name: string | undefined;
	readonly roles: readonly string[];
}

/** How a tenant's and a person's name is written: also in folder names and log lines. */
export const principal_part = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;
/** How roles and scopes are written (RFC 6749 section 3.3, without what URLs would escape). */
export const label_pattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const key_name = /^[^\s/][^\n\r\t/]{0,63}$/;

/** How often the last use of one key is written. */
const use_noted_ms = 60_000;

/** What people and keys are kept and found with. */
export interface PeopleOptions {
	readonly repository: PeopleRepository;
	readonly passwords: Passwords;
	readonly clock: Clock;
	readonly random: Random;
	/** Writes the last use of a key, some time. */
	readonly noteKeyUse: (name: string, used_at_ms: number) => void;
}

/**
 * People and API keys of the store, all of them in memory: looking somebody up asks no database.
 * Changes are stored before they count.
 */
export class People {
	readonly #options: PeopleOptions;
	readonly #users = new Map<string, StoredUser>();
	readonly #subjects = new Map<string, StoredUser>();
	readonly #keys = new Map<string, StoredKey>();
	readonly #keys_by_hash = new Map<string, StoredKey>();
	/** Resolves once the latest change of a person is stored. */
	#latest: Promise<unknown> = Promise.resolve();

	constructor(options: PeopleOptions) {
		this.#options = options;
	}

	/** Reads what is stored. */
	async restore(): Promise<void> {
		for (const user of await this.#options.repository.users()) this.#keepUser(user);
		for (const key of await this.#options.repository.keys()) this.#keepKey(key);
	}

	/** Everybody, by tenant and name. */
	users(): StoredUser[] {
		return [...this.#users.values()].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
	}

	/** Everybody as they are kept, in no order: for whoever only counts them. */
	everybody(): Iterable<StoredUser> {
		return this.#users.values();
	}

	/** Every key as it is kept, in no order. */
	everyKey(): Iterable<StoredKey> {
		return this.#keys.values();
	}

	user(tenant: string, user: string): StoredUser | undefined {
		return this.#users.get(`${tenant}/${user}`);
	}

	keys(): StoredKey[] {
		return [...this.#keys.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	}

	async addUser(given: NewUser): Promise<Result<StoredUser, PeopleProblem>> {
		const { tenant, user, display_name, roles, password } = given;
		const problem =
			checkNames(tenant, user) ?? checkLabels("role", roles) ?? checkPassword(password);
		if (problem !== undefined) return fail(problem);
		const { passwords, clock } = this.#options;
		if (this.user(tenant, user) !== undefined) return fail(userExists(tenant, user));
		const password_hash = password === undefined ? undefined : await passwords.hash(password);
		return this.#inTurn(async () => {
			// Hashing takes a while: somebody may have taken the name meanwhile.
			if (this.user(tenant, user) !== undefined) return fail(userExists(tenant, user));
			const added: StoredUser = {
				tenant,
				user,
				display_name,
				roles: [...roles],
				password_hash,
				provider: undefined,
				subject: undefined,
				created_at_ms: clock.now(),
				login_at_ms: undefined,
			};
			return succeed(await this.#saveUser(added));
		});
	}

	/**
	 * Changes what is given and leaves the rest.
	 * @param expected the `versionOf` the person whom the change was made for, as If-Match names it;
	 *   refused where they are another by now
	 */
	async changeUser(
		tenant: string,
		user: string,
		change: {
			readonly roles?: readonly string[] | undefined;
			readonly password?: string | undefined;
			readonly display_name?: string | undefined;
		},
		expected?: string,
	): Promise<Result<StoredUser, PeopleProblem>> {
		if (this.user(tenant, user) === undefined) return fail(unknownUser(tenant, user));
		const { password } = change;
		const problem = checkLabels("role", change.roles ?? []) ?? checkPassword(password);
		if (problem !== undefined) return fail(problem);
		const hash = password === undefined ? undefined : await this.#options.passwords.hash(password);
		return this.#inTurn(async () => {
			// Hashing takes a while: somebody may have changed or removed the person meanwhile.
			const now = this.user(tenant, user);
			if (now === undefined) return fail(unknownUser(tenant, user));
			if (expected !== undefined && !fitsTag(expected, versionOf(now))) {
				return fail(changedMeanwhile(tenant, user));
			}
			const { roles = now.roles, display_name = now.display_name } = change;
			const password_hash = hash ?? now.password_hash;
			return succeed(
				await this.#saveUser({ ...now, roles: [...roles], display_name, password_hash }),
			);
		});
	}

	/** Removes a person with all their keys. */
	removeUser(tenant: string, user: string): Promise<Result<StoredUser, PeopleProblem>> {
		return this.#inTurn(async () => {
			const before = this.user(tenant, user);
			if (before === undefined) return fail(unknownUser(tenant, user));
			const { repository } = this.#options;
			await repository.removeUser(tenant, user);
			await repository.removeKeysOf(tenant, user);
			this.#users.delete(idOf(before));
			this.#subjects.delete(subjectOf(before));
			for (const key of this.keys()) {
				if (key.tenant === tenant && key.user === user) this.#forgetKey(key);
			}
			return succeed(before);
		});
	}

	/**
	 * The person who logs in with a name and a password. A name without a tenant is enough where
	 * only one person has it. Whatever is wrong, the answer and the time it takes are the same.
	 */
	async login(name: string, password: string): Promise<StoredUser | undefined> {
		const found = this.#byLogin(name);
		const short = password.slice(0, password_chars_max);
		const right = await this.#options.passwords.verify(short, found?.password_hash);
		if (!right || found === undefined || short !== password) return undefined;
		return this.#inTurn(async () => {
			const now = this.user(found.tenant, found.user);
			// Removed, or given another password, while this one was checked.
			if (now === undefined || now.password_hash !== found.password_hash) return undefined;
			return this.#noteLogin(now);
		});
	}

	/**
	 * The person a federated provider vouches for, added when they come for the first time. One
	 * whose name belongs to somebody else here is refused: a provider cannot take a name over.
	 */
	admit(vouched: VouchedUser): Promise<Result<StoredUser, PeopleProblem>> {
		return this.#inTurn(() => this.#admit(vouched));
	}

	async #admit(vouched: VouchedUser): Promise<Result<StoredUser, PeopleProblem>> {
		const known = this.#subjects.get(subjectOf(vouched));
		if (known !== undefined) {
			if (known.tenant !== vouched.tenant) {
				const message =
					`"${idOf(known)}" belongs to another tenant now, as the provider has it: ` +
					`"${vouched.tenant}". Remove the account here, so that they come in as somebody new.`;
				return fail({ code: "user_exists", message });
			}
			return succeed(await this.#noteLogin({ ...known, roles: [...vouched.roles] }));
		}
		const { tenant, user, display_name, roles, provider, subject } = vouched;
		const problem = checkNames(tenant, user) ?? checkLabels("role", roles);
		if (problem !== undefined) return fail(problem);
		if (this.user(tenant, user) !== undefined) {
			const message = `The name "${tenant}/${user}" belongs to another account.`;
			return fail({ code: "user_exists", message });
		}
		const now_ms = this.#options.clock.now();
		const added: StoredUser = {
			tenant,
			user,
			display_name,
			roles: [...roles],
			password_hash: undefined,
			provider,
			subject,
			created_at_ms: now_ms,
			login_at_ms: now_ms,
		};
		return succeed(await this.#saveUser(added));
	}

	/** Makes a key; its text is in the answer and nowhere else. */
	async addKey(
		given: NewKey,
	): Promise<Result<{ readonly key: string; readonly stored: StoredKey }, PeopleProblem>> {
		const { name, tenant, user, roles, scopes, expires_at_ms } = given;
		const problem =
			checkNames(tenant, user) ??
			checkLabels("role", roles ?? []) ??
			checkLabels("scope", scopes ?? []) ??
			(key_name.test(name) ? undefined : invalid("name", `"${name}" cannot be the name of a key.`));
		if (problem !== undefined) return fail(problem);
		return this.#inTurn(async () => {
			if (this.#keys.has(name)) {
				const message = `There is a key named "${name}" already.`;
				return fail({ code: "key_exists", message, field: "name" });
			}
			const { random, clock, repository } = this.#options;
			const key = newApiKey(random);
			const stored: StoredKey = {
				name,
				hash: hashApiKey(key),
				tenant,
				user,
				roles,
				scopes,
				created_at_ms: clock.now(),
				expires_at_ms,
				used_at_ms: undefined,
			};
			await repository.saveKey(stored);
			this.#keepKey(stored);
			return succeed({ key, stored });
		});
	}

	async removeKey(name: string): Promise<Result<StoredKey, PeopleProblem>> {
		const key = this.#keys.get(name);
		if (key === undefined) {
			return fail({ code: "key_unknown", message: `There is no key named "${name}".` });
		}
		await this.#options.repository.removeKey(name);
		this.#forgetKey(key);
		return succeed(key);
	}

	/** The key of a hash, expired or not, with the roles it has now. */
	findKey(hash: string): StoredKey | undefined {
		const key = this.#keys_by_hash.get(hash);
		if (key === undefined || key.roles !== undefined) return key;
		return { ...key, roles: this.user(key.tenant, key.user)?.roles ?? [] };
	}

	/** The key of a name, expired or not. */
	keyNamed(name: string): StoredKey | undefined {
		return this.#keys.get(name);
	}

	/** Records that a key was used, once a minute at most. */
	onKeyUsed(name: string): void {
		const key = this.#keys.get(name);
		const now_ms = this.#options.clock.now();
		if (key === undefined || now_ms - (key.used_at_ms ?? 0) < use_noted_ms) return;
		this.#keepKey({ ...key, used_at_ms: now_ms });
		this.#options.noteKeyUse(name, now_ms);
	}

	#byLogin(name: string): StoredUser | undefined {
		if (name.includes("/")) return this.#users.get(name);
		const named = [...this.#users.values()].filter(({ user }) => user === name);
		return named.length === 1 ? named[0] : undefined;
	}

	/** Changes of people are made one after the other: each begins with what the last has left. */
	#inTurn<Value>(change: () => Promise<Value>): Promise<Value> {
		const made = this.#latest.then(change);
		this.#latest = made.then(
			() => undefined,
			() => undefined,
		);
		return made;
	}

	#noteLogin(user: StoredUser): Promise<StoredUser> {
		return this.#saveUser({ ...user, login_at_ms: this.#options.clock.now() });
	}

	async #saveUser(user: StoredUser): Promise<StoredUser> {
		await this.#options.repository.saveUser(user);
		this.#keepUser(user);
		return user;
	}

	#keepUser(user: StoredUser): void {
		this.#users.set(idOf(user), user);
		if (user.provider !== undefined) this.#subjects.set(subjectOf(user), user);
	}

	#keepKey(key: StoredKey): void {
		this.#keys.set(key.name, key);
		this.#keys_by_hash.set(key.hash, key);
	}

	#forgetKey(key: StoredKey): void {
		this.#keys.delete(key.name);
		this.#keys_by_hash.delete(key.hash);
	}
}

function idOf({ tenant, user }: { readonly tenant: string; readonly user: string }): string {
	return `${tenant}/${user}`;
}

function subjectOf(of: {
	readonly provider: string | undefined;
	readonly subject: string | undefined;
}): string {
	return JSON.stringify([of.provider, of.subject]);
}

/**
 * Stands for a person as they are, as an entity tag (RFC 9110 section 8.8.3): another name, other
 * roles or another password make another. That they have logged in does not.
 */
export function versionOf(user: StoredUser): string {
	const { display_name, roles, password_hash, provider, subject, created_at_ms } = user;
	const parts = [display_name, roles, password_hash, provider, subject, created_at_ms];
	const digest = createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
	return `"${digest.slice(0, 22)}"`;
}

function userExists(tenant: string, user: string): PeopleProblem {
	const message = `There is a user "${tenant}/${user}" already.`;
	return { code: "user_exists", message, field: "user" };
}

function changedMeanwhile(tenant: string, user: string): PeopleProblem {
	const message = `"${tenant}/${user}" was changed by somebody else since they were read.`;
	return { code: "edited_meanwhile", message };
}

function unknownUser(tenant: string, user: string): PeopleProblem {
	return { code: "user_unknown", message: `There is no user "${tenant}/${user}".` };
}

function invalid(field: string, message: string): PeopleProblem {
	return { code: "invalid_request", message, field };
}

function checkNames(tenant: string, user: string): PeopleProblem | undefined {
	for (const [field, part] of Object.entries({ tenant, user })) {
		if (!principal_part.test(part)) {
			const rule = "up to 64 letters, digits and any of . _ @ + - are one";
			return invalid(field, `"${part}" cannot be a name: ${rule}.`);
		}
	}
	return undefined;
}

function checkLabels(what: "role" | "scope", labels: readonly string[]): PeopleProblem | undefined {
	const odd = labels.find((label) => !label_pattern.test(label));
	if (odd === undefined) return undefined;
	return invalid(`${what}s`, `"${odd}" cannot be the name of a ${what}.`);
}

function checkPassword(password: string | undefined): PeopleProblem | undefined {
	if (password === undefined) return undefined;
	if (password.length < password_chars_min) {
		return invalid("password", `A password has at least ${password_chars_min} characters.`);
	}
	if (password.length <= password_chars_max) return undefined;
	return invalid("password", `A password has at most ${password_chars_max} characters.`);
}
