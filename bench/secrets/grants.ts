import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";
import { redacted, SecretRedactor } from "../../src/secrets/redactor.ts";
import { openDatabase } from "../../src/store/database.ts";
import { SqlGrantRepository } from "../../src/store/grant-repository.ts";
import { SealedTokenStore } from "../../src/upstreams/http/oauth/sealed-token-store.ts";
import type { Grant, GrantKey, TokenStore } from "../../src/upstreams/http/oauth/token-store.ts";
import { peopleWithGrants, startRenewingProvider } from "../../test/support/renewing-people.ts";

/** How long the provider takes for a token. */
const hold_ms = 10;
const warm_calls = 1_000_000;
/** It is redacted before all tokens, and after all renewals still. */
const vault_value = "hunter-of-the-vault-22";

/**
 * What it is like when this many people's tokens at one server end in the same minute, and each of
 * them calls in it: what the provider sees, the CPU time of this process, and how long it did
 * nothing else at most. They are in the real store; after each renewal a line is redacted, as the
 * log's and the call log's are. And what a grant that is good adds to a call.
 */
export async function measureGrants(count: number): Promise<Readonly<Record<string, number>>> {
	const provider = await startRenewingProvider(hold_ms);
	const folder = await mkdtemp(join(tmpdir(), "moorage-grants-"));
	const opened = await openDatabase({ path: join(folder, "moorage.db"), clock: systemClock });
	if (!opened.ok) throw new Error(opened.problem.message);
	const delays = monitorEventLoopDelay({ resolution: 1 });
	try {
		const { issuer } = provider;
		const redactor = new SecretRedactor();
		redactor.add(vault_value);
		const kept = new SealedTokenStore({
			repository: new SqlGrantRepository(opened.value.connection),
			box: new SecretBox(systemRandom.bytes(box_key_bytes), systemRandom),
			redactor: redactor.tokens,
			clock: systemClock,
			log: { warn: (_fields, message) => console.warn(message) },
		});
		let shown = 0;
		const behind = new Told(kept, (user, { access_token }) => {
			const line = redactor.text(`${user}: ${access_token} ${vault_value}`);
			if (line !== `${user}: ${redacted} ${redacted}`) shown += 1;
		});
		const due = { issuer, count, clock: systemClock, random: systemRandom, behind };
		const { people, store } = await peopleWithGrants({ ...due, renew_at_ms: systemClock.now() });
		const cpu_before = process.cpuUsage();
		delays.enable();
		for (const person of people) person.headers();
		while (store.grants_by_user.size < count) {
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		delays.disable();
		const { user, system } = process.cpuUsage(cpu_before);
		const { metadata, renewals, peak, refused } = await provider.seen();
		const times = [...store.grants_by_user.values()].map(({ renew_at_ms }) => renew_at_ms ?? 0);
		return {
			peak_requests: peak,
			metadata_requests: metadata,
			renewed_twice: renewals - count + refused,
			lines_not_redacted: shown,
			cpu_us_per_renewal: Math.round((user + system) / count),
			longest_pause_ms: Math.round(delays.max / 1e6),
			spread_s: Math.round((Math.max(...times) - Math.min(...times)) / 1000),
			warm_us: warmCost(people[0]),
		};
	} finally {
		await provider.stop();
		await opened.value.close();
		await rm(folder, { recursive: true });
	}
}

/** CPU microseconds for the header of one call with a token that is good. */
function warmCost(person: { headers(): string[] } | undefined): number {
	let length = 0;
	const run = (calls: number) => {
		for (let call = 0; call < calls; call += 1) length += person?.headers().length ?? 0;
	};
	run(warm_calls / 10);
	const before = process.cpuUsage();
	run(warm_calls);
	const { user, system } = process.cpuUsage(before);
	if (length === 0) throw new Error("there was no token");
	return Math.round(((user + system) / warm_calls) * 1000) / 1000;
}

/** Tells of every grant that was kept. */
class Told implements TokenStore {
	readonly #kept: TokenStore;
	readonly #tell: (user: string, grant: Grant) => void;

	constructor(kept: TokenStore, tell: (user: string, grant: Grant) => void) {
		this.#kept = kept;
		this.#tell = tell;
	}

	async keep(key: GrantKey, grant: Grant): Promise<void> {
		await this.#kept.keep(key, grant);
		this.#tell(key.user, grant);
	}

	grants(key: GrantKey) {
		return this.#kept.grants(key);
	}

	end(key: GrantKey, issuer: string) {
		return this.#kept.end(key, issuer);
	}

	registrations(used_by: string) {
		return this.#kept.registrations(used_by);
	}

	register(...given: Parameters<TokenStore["register"]>) {
		return this.#kept.register(...given);
	}

	unregister(used_by: string, issuer: string) {
		return this.#kept.unregister(used_by, issuer);
	}
}
