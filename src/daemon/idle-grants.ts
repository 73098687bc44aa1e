import type { HttpSpec } from "../config/plan.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { KeptGrant, SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { GrantFor, UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";

/** What was not renewed for this long is: shorter than what issuers let refresh tokens rest. */
const idle_ms_max = 3 * 24 * 60 * 60 * 1000;
/** How often that is looked for. */
const look_ms = 60 * 60 * 1000;

/** What grants that nobody uses are renewed with. */
export interface IdleGrantsParts {
	readonly store: Pick<SealedTokenStore, "list">;
	readonly auths: Pick<UpstreamAuths, "of">;
	readonly clock: Clock;
	readonly log: Pick<Log, "warn">;
	/** What the configuration says of a server; undefined where it has none to authorize at. */
	specOf(who: GrantFor): Promise<Pick<HttpSpec, "url" | "auth"> | undefined>;
}

/**
 * Renews grants that no call has renewed for days: many issuers end a refresh token that rests for
 * a week or two, and its person would be asked anew after a holiday. One after the other, in no
 * hurry; nobody is asked for anything.
 */
export class IdleGrants {
	readonly #parts: IdleGrantsParts;
	#timer: Timer | undefined;
	#is_closed = false;

	constructor(parts: IdleGrantsParts) {
		this.#parts = parts;
	}

	/** Looks from now on, every hour. */
	start(): void {
		if (this.#is_closed) return;
		const { clock, log } = this.#parts;
		this.#timer = clock.afterIdle(look_ms, () => {
			this.#renewAll()
				.catch((error: unknown) => {
					log.warn({ err: error }, "authorizations that nobody uses could not be renewed");
				})
				.finally(() => this.start());
		});
	}

	/** Begins with none any more. */
	close(): void {
		this.#is_closed = true;
		this.#timer?.cancel();
	}

	async #renewAll(): Promise<void> {
		const before_ms = this.#parts.clock.now() - idle_ms_max;
		for (const kept of await this.#parts.store.list()) {
			if (this.#is_closed) return;
			if (kept.changed_at_ms > before_ms || kept.grant.refresh_token === undefined) continue;
			await this.#renew(kept);
		}
	}

	async #renew({ owner, about, grant }: KeptGrant): Promise<void> {
		const { auths, specOf } = this.#parts;
		const spec = await specOf(owner);
		if (spec === undefined) return;
		const auth = await auths.of(owner.server, spec, owner);
		// What was given for another address, or to another client, is of no use.
		if (auth?.about === about && auth.token === grant.access_token) await auth.renewUnused();
	}
}
