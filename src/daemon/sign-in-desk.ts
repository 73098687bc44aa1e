import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { PersonHolder } from "../admin/dashboard-sessions.ts";
import type {
	Leaving,
	SignInBackend,
	SignInProblem,
	SignInWays,
} from "../admin/sign-in-backend.ts";
import type { IdentityPlan } from "../config/plan-identity.ts";
import type { People } from "../identity/people.ts";
import { type Principal, principalOf } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Rate, TokenBuckets } from "../lib/token-buckets.ts";
import type { IdentityTokens } from "../login/identity-tokens.ts";
import { type PasswordLogin, passwordProblem } from "../login/password-login.ts";
import { SignIn, type SignInOptions } from "../login/sign-in.ts";
import type { StoredUser } from "../store/people-repository.ts";

/** What signing in is done with. */
interface DeskParts extends SignInOptions {
	readonly people: People;
	readonly passwords: PasswordLogin;
	readonly identities: IdentityTokens;
	readonly clock: Clock;
	readonly addressOf: (request: IncomingMessage) => string;
	/** Ends a person's login at the embedded authorization server, in one browser. */
	readonly endLogin: (cookies: string | undefined, account: string) => Promise<string[]>;
}

/** The word of an issuer about somebody, and about what they may, counts for so long. */
const vouched_ms = 12 * 60 * 60_000;

/**
 * So many sign-ins at providers are begun from one address. Each is kept for minutes beside those
 * of the authorization server, whoever began it, so nobody may fill the room that all have.
 */
const begun_rate: Rate = { calls: 60, per_ms: 60_000, burst: 60 };
const addresses_max = 10_000;

/** Signs people in to the gateway's own pages, and says who they are from then on. */
export class SignInDesk implements SignInBackend {
	readonly #parts: DeskParts;
	readonly #sign_in: SignIn;
	/** By the address that they come from. */
	readonly #begun: TokenBuckets;

	constructor(parts: DeskParts) {
		this.#parts = parts;
		this.#begun = new TokenBuckets(begun_rate, parts.clock, addresses_max);
		this.#sign_in = new SignIn(parts);
	}

	/** Serves a plan from the next request on. */
	use(plan: IdentityPlan | undefined): void {
		this.#sign_in.use(plan);
	}

	ways(): SignInWays {
		return this.#sign_in.ways;
	}

	async logIn(
		name: string,
		password: string,
		request: IncomingMessage | undefined,
	): Promise<Result<PersonHolder, SignInProblem>> {
		if (!this.ways().accounts) return fail(no_passwords);
		const address = request === undefined ? "" : this.#parts.addressOf(request);
		const outcome = await this.#parts.passwords.try(name, password, address);
		return outcome.kind === "in" ? succeed(holderOf(outcome.user)) : fail(passwordProblem(outcome));
	}

	async begin(
		provider: string,
		attempt: string,
		request: IncomingMessage,
	): Promise<Result<URL, SignInProblem>> {
		const address = this.#parts.addressOf(request);
		const wait_ms = this.#begun.wait(address);
		if (wait_ms > 0) return fail({ ...too_often, retry_after_s: Math.ceil(wait_ms / 1000) });
		this.#begun.take(address);
		const page = await this.#sign_in.begin(provider, attempt);
		if (page.ok) return page;
		return fail(page.problem === "full" ? too_many : unreachable);
	}

	async finish(callback: URL, attempt: string): Promise<Result<PersonHolder, SignInProblem>> {
		const found = await this.#sign_in.finish(callback, attempt);
		if (!found.ok) return fail({ status: 403, message: found.problem });
		if (found.value.kind === "vouched") {
			return succeed({ ...found.value, until_ms: this.#parts.clock.now() + vouched_ms });
		}
		const { tenant, user, elsewhere } = found.value;
		const stored = this.#parts.people.user(tenant, user);
		return stored === undefined ? fail(gone) : succeed({ ...holderOf(stored), elsewhere });
	}

	async leave(
		{ elsewhere: login }: PersonHolder,
		account: string,
		request: IncomingMessage | undefined,
	): Promise<Leaving> {
		const since = await this.#parts.identities.drop(account);
		const [cookies, elsewhere] = await Promise.all([
			this.#parts.endLogin(request?.headers.cookie, account).catch((error: unknown) => {
				this.#parts.log.warn({ err: error, account }, "a login was not ended");
				return [];
			}),
			login && this.#sign_in.leave(login, since),
		]);
		return { cookies, ...(elsewhere && { elsewhere }) };
	}

	/** Who somebody is now who has signed in; undefined once they are nobody here any more. */
	person(holder: PersonHolder): Principal | undefined {
		const { tenant, user } = holder;
		if (holder.kind === "vouched") {
			const { issuer, roles, claims, until_ms } = holder;
			if (until_ms <= this.#parts.clock.now() || !this.#sign_in.trusts(issuer)) return undefined;
			return principalOf(tenant, user, { roles, claims, via: "session" });
		}
		const stored = this.#parts.people.user(tenant, user);
		if (stored === undefined || markOf(stored) !== holder.mark) return undefined;
		if (!this.#sign_in.knows(stored.provider)) return undefined;
		return principalOf(tenant, user, { roles: stored.roles, via: "session" });
	}
}

function holderOf(stored: StoredUser): PersonHolder {
	const { tenant, user } = stored;
	return { kind: "account", tenant, user, mark: markOf(stored) };
}

/**
 * Stands for an account as it is: another password makes another, and so does somebody of the same
 * name who comes later. So sessions end also where that happened while no gateway ran.
 */
function markOf({ created_at_ms, password_hash, provider, subject }: StoredUser): string {
	const parts = JSON.stringify([created_at_ms, password_hash, provider, subject]);
	return createHash("sha256").update(parts).digest("base64url").slice(0, 22);
}

const no_passwords: SignInProblem = {
	status: 403,
	message: "Nobody signs in with a password here. Choose another way.",
};
const too_often: SignInProblem = {
	status: 429,
	message: "Too many sign-ins were begun from your address. Wait a moment, and try again.",
};
const too_many: SignInProblem = {
	status: 503,
	message: "Too many people are signing in. Try again in a minute.",
	retry_after_s: 60,
};
const unreachable: SignInProblem = {
	status: 502,
	message: "The provider cannot be reached. Try again in a moment.",
};
const gone: SignInProblem = { status: 403, message: "Your account was removed meanwhile." };
