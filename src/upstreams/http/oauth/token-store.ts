/** What an authorization server knows of us: credentials are good for one issuer only. */
export interface Registration {
	readonly client_id: string;
	readonly client_secret: string | undefined;
	/** How the token endpoint is to be told who asks, where the server has decided that. */
	readonly auth_method: string | undefined;
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
}

/** Everything kept for one server. */
export interface Credentials {
	/** By issuer. */
	readonly registrations: Readonly<Record<string, Registration>>;
	readonly grant: Grant | undefined;
}

/** Where credentials are kept. Whoever keeps them longer than a process must encrypt them. */
export interface TokenStore {
	read(key: string): Promise<Credentials | undefined>;
	write(key: string, credentials: Credentials): Promise<void>;
}

/** Servers whose credentials are kept at one time; the oldest is dropped. */
const entries_max = 1_024;

/** Keeps credentials in memory: they are gone when the process ends. */
export class MemoryTokenStore implements TokenStore {
	readonly #entries = new Map<string, Credentials>();

	read(key: string): Promise<Credentials | undefined> {
		return Promise.resolve(this.#entries.get(key));
	}

	write(key: string, credentials: Credentials): Promise<void> {
		this.#entries.delete(key);
		this.#entries.set(key, credentials);
		const [oldest] = this.#entries.keys();
		if (this.#entries.size > entries_max && oldest !== undefined) this.#entries.delete(oldest);
		return Promise.resolve();
	}
}
