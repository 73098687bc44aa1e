/** What an authorization server knows of us: credentials are good for one issuer only. */
export interface Registration {
	readonly client_id: string;
	readonly client_secret: string | undefined;
	/** How the token endpoint is to be told who asks, where the server has decided that. */
	readonly auth_method: string | undefined;
	/** What we registered ourselves with; undefined where somebody else did. */
	readonly redirect_uri?: string | undefined;
	/** When the secret ends; undefined where it does not. */
	readonly expires_at_ms?: number | undefined;
}

/** An authorization to use one server. */
export interface Grant {
	readonly issuer: string;
	readonly resource: string;
	readonly access_token: string;
	readonly refresh_token: string | undefined;
	/** Every scope asked for so far, granted or not. */
	readonly scopes: readonly string[];
	/** Wall-clock time from which on another token is got; undefined where none is known. */
	readonly renew_at_ms: number | undefined;
	/** Whom it was given to; undefined where that is the client of the configuration. */
	readonly registration: Registration | undefined;
	/** The client that it was given to; undefined where it was kept before this was. */
	readonly client_id?: string | undefined;
}

/** Whose authorization it is, and what for. */
export interface GrantKey {
	/** Empty texts stand for a whole tenant, or for the gateway itself. */
	readonly tenant: string;
	readonly user: string;
	readonly server: string;
	/** Names the server's address and our client: with others, an older grant is not found. */
	readonly about: string;
}

/**
 * Where grants are kept, one for each key and issuer, and what issuers know us as. Whoever keeps
 * them longer than a process must encrypt them. Reading rejects where the store cannot be read;
 * what is given to be kept is kept, or held until it can be.
 */
export interface TokenStore {
	/** Those of all issuers, the one that was got last first. */
	grants(key: GrantKey): Promise<readonly Grant[]>;
	/** Puts a grant in the place of the one of its key and issuer. */
	keep(key: GrantKey, grant: Grant): Promise<void>;
	end(key: GrantKey, issuer: string): Promise<void>;
	/** By issuer, the oldest first. `used_by` names the servers that use them; empty for all. */
	registrations(used_by: string): Promise<Readonly<Record<string, Registration>>>;
	register(used_by: string, issuer: string, registration: Registration): Promise<void>;
	unregister(used_by: string, issuer: string): Promise<void>;
}

/** Keys whose grants are kept at one time; the oldest is dropped. */
const entries_max = 1_024;

/** Keeps credentials in memory: they are gone when the process ends. */
export class MemoryTokenStore implements TokenStore {
	readonly #grants = new Map<string, readonly Grant[]>();
	readonly #registrations = new Map<string, Readonly<Record<string, Registration>>>();

	grants(key: GrantKey): Promise<readonly Grant[]> {
		return Promise.resolve(this.#grants.get(textOf(key)) ?? []);
	}

	async keep(key: GrantKey, grant: Grant): Promise<void> {
		const others = (await this.grants(key)).filter(({ issuer }) => issuer !== grant.issuer);
		putLast(this.#grants, textOf(key), [grant, ...others]);
	}

	async end(key: GrantKey, issuer: string): Promise<void> {
		const others = (await this.grants(key)).filter((grant) => grant.issuer !== issuer);
		putLast(this.#grants, textOf(key), others);
	}

	registrations(used_by: string): Promise<Readonly<Record<string, Registration>>> {
		return Promise.resolve(this.#registrations.get(used_by) ?? {});
	}

	async register(used_by: string, issuer: string, registration: Registration): Promise<void> {
		const known = await this.registrations(used_by);
		putLast(this.#registrations, used_by, { ...known, [issuer]: registration });
	}

	async unregister(used_by: string, issuer: string): Promise<void> {
		const known = Object.entries(await this.registrations(used_by));
		const others = Object.fromEntries(known.filter(([name]) => name !== issuer));
		putLast(this.#registrations, used_by, others);
	}
}

/** A text that is equal exactly for equal keys. */
export function textOf({ tenant, user, server, about }: GrantKey): string {
	return JSON.stringify([tenant, user, server, about]);
}

function putLast<Value>(entries: Map<string, Value>, key: string, value: Value): void {
	entries.delete(key);
	entries.set(key, value);
	const [oldest] = entries.keys();
	if (entries.size > entries_max && oldest !== undefined) entries.delete(oldest);
}
