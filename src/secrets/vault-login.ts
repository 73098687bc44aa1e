import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { ValueProblem } from "./values.ts";

/** What a vault is told to log in, and where: the body of `POST /v1/auth/MOUNT/login`. */
export interface VaultCredentials {
	/** The path of the auth method, such as `approle`, `kubernetes` or `jwt`. */
	readonly mount: string;
	/** `role_id` and `secret_id`, or `role` and `jwt`; read anew for every login. */
	readonly body: Readonly<Record<string, string>>;
}

/** One request to a vault, whose answer has been read; undefined where it cannot be reached. */
export type AskVault = (
	path: string,
	options: { readonly token?: string; readonly body: object },
) => Promise<{ readonly status: number; readonly text: string } | undefined>;

/** What logging in is made of. */
export interface VaultLoginOptions {
	readonly ask: AskVault;
	credentials(): Promise<Result<VaultCredentials, ValueProblem>>;
	readonly clock: Pick<Clock, "monotonic">;
	/** Is told of every token before it is used. */
	onToken(token: string): void;
}

interface Login {
	readonly token: string;
	readonly renewable: boolean;
	/** From then on it is renewed, or another is got; undefined: it has no end. */
	readonly renew_at_ms: number | undefined;
	readonly ends_at_ms: number | undefined;
}

const renewal = "auth/token/renew-self";
/** The part of a token's life after which it is renewed. */
const renew_after = 2 / 3;

/**
 * A vault's token that is got by logging in (AppRole, Kubernetes, JWT), renewed when two thirds of
 * its life are over, and got anew where that is refused. Whoever asks meanwhile waits for the same.
 */
export class VaultLogin {
	readonly #options: VaultLoginOptions;
	#login: Login | undefined;
	#under_way: Promise<Result<string, ValueProblem>> | undefined;

	constructor(options: VaultLoginOptions) {
		this.#options = options;
	}

	token(): Promise<Result<string, ValueProblem>> {
		const login = this.#login;
		const now_ms = this.#options.clock.monotonic();
		if (login !== undefined && now_ms < (login.renew_at_ms ?? Number.POSITIVE_INFINITY)) {
			return Promise.resolve(succeed(login.token));
		}
		this.#under_way ??= this.#renewed(login).finally(() => {
			this.#under_way = undefined;
		});
		return this.#under_way;
	}

	/**
	 * Whether asking once more is of use where a token was refused. A vault answers the same for a
	 * token that it has taken back and for a place that the token's policies do not open; renewing
	 * tells one from the other. Otherwise each look at such a place would be a login.
	 */
	async refused(token: string): Promise<boolean> {
		if (this.#login?.token !== token) return true;
		const answer = await this.#options.ask(renewal, { token, body: {} });
		if (answer?.status === 200) this.#read(answer.text, token);
		if (answer?.status !== 403) return false;
		if (this.#login?.token === token) this.#login = undefined;
		return true;
	}

	async #renewed(login: Login | undefined): Promise<Result<string, ValueProblem>> {
		const { ask, clock } = this.#options;
		if (login?.renewable === true) {
			const answer = await ask(renewal, { token: login.token, body: {} });
			if (answer?.status === 200) {
				const renewed = this.#read(answer.text, login.token);
				if (renewed !== undefined) return succeed(renewed);
			}
		}
		const found = await this.#logIn();
		if (found.ok || login === undefined) return found;
		// What is left of its life may be longer than the vault is out of order.
		const is_good = clock.monotonic() < (login.ends_at_ms ?? Number.POSITIVE_INFINITY);
		return is_good && this.#login === login ? succeed(login.token) : found;
	}

	async #logIn(): Promise<Result<string, ValueProblem>> {
		const credentials = await this.#options.credentials();
		if (!credentials.ok) return credentials;
		const { mount, body } = credentials.value;
		const answer = await this.#options.ask(`auth/${mount}/login`, { body });
		if (answer === undefined) {
			return fail({
				message: "The vault cannot be reached to log in.",
				next: "See whether it runs, and whether its address is right.",
			});
		}
		const token = answer.status === 200 ? this.#read(answer.text, undefined) : undefined;
		if (token !== undefined) return succeed(token);
		return fail({
			message: `The vault did not let Moorage log in at \`auth/${mount}\` (HTTP ${answer.status}).`,
			next: "See whether the role is there, and whether its credentials are still good.",
		});
	}

	/** Takes the token of an answer; undefined where there is none. */
	#read(text: string, renewed: string | undefined): string | undefined {
		const said = authOf(text);
		const token = said?.client_token ?? renewed;
		if (said === undefined || typeof token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(token)) {
			return undefined;
		}
		this.#options.onToken(token);
		const { lease_duration, renewable } = said;
		const life_ms = typeof lease_duration === "number" ? lease_duration * 1000 : 0;
		const now_ms = this.#options.clock.monotonic();
		const ends = life_ms > 0;
		this.#login = {
			token,
			renewable: renewable === true,
			renew_at_ms: ends ? now_ms + life_ms * renew_after : undefined,
			ends_at_ms: ends ? now_ms + life_ms : undefined,
		};
		return token;
	}
}

interface Auth {
	readonly client_token?: unknown;
	readonly lease_duration?: unknown;
	readonly renewable?: unknown;
}

function authOf(text: string): Auth | undefined {
	try {
		const value = JSON.parse(text) as { auth?: Auth | null } | null;
		return typeof value?.auth === "object" && value.auth !== null ? value.auth : undefined;
	} catch {
		return undefined;
	}
}
