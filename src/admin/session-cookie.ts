/** What the cookie of a session is made from. */
export interface CookieOptions {
	/** Distinguishes the cookies of several gateways on one machine: they share its name. */
	readonly cookie_name: string;
	/** Whether browsers reach this gateway over TLS only. */
	isSecure(): boolean;
}

const token_form = /^[A-Za-z0-9_-]{43}$/;

/**
 * A cookie of this gateway's own pages: no script sees it, and other sites send it along with links
 * only (`SameSite=Lax`). Over TLS its name begins with `__Host-`, so that no neighbour of the same
 * domain can plant one.
 */
export class PageCookie {
	readonly #options: CookieOptions;
	readonly #suffix: string;
	readonly #path: string;

	/**
	 * `suffix` distinguishes what is kept in several cookies. Without TLS one may be for some pages
	 * alone; a name with `__Host-` is for the whole host (RFC 6265bis section 4.1.3.2).
	 */
	constructor(options: CookieOptions, { suffix = "", path = "/" } = {}) {
		this.#options = options;
		this.#suffix = suffix;
		this.#path = path;
	}

	/** The token in a `Cookie` header, where it has the form of one. */
	read(header: string | undefined): string | undefined {
		const prefix = `${this.#name}=`;
		const cookies = (header ?? "").split(/; */);
		const value = cookies.find((one) => one.startsWith(prefix))?.slice(prefix.length);
		return value !== undefined && token_form.test(value) ? value : undefined;
	}

	/** The `Set-Cookie` that carries a token for so long. */
	write(token: string, age_ms: number): string {
		const rest = `HttpOnly; SameSite=Lax; Max-Age=${Math.floor(age_ms / 1000)}`;
		if (!this.#options.isSecure()) return `${this.#name}=${token}; Path=${this.#path}; ${rest}`;
		return `${this.#name}=${token}; Path=/; ${rest}; Secure`;
	}

	/** The `Set-Cookie` that takes it away. */
	clear(): string {
		return this.write("", 0);
	}

	get #name(): string {
		const { cookie_name, isSecure } = this.#options;
		return `${isSecure() ? "__Host-" : ""}${cookie_name}${this.#suffix}`;
	}
}
