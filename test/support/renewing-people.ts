import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { HttpSpec } from "../../src/config/plan.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { Random } from "../../src/lib/random.ts";
import { aboutOf } from "../../src/upstreams/http/oauth/about.ts";
import type { Grant, GrantKey, TokenStore } from "../../src/upstreams/http/oauth/token-store.ts";
import type { UpstreamAuth } from "../../src/upstreams/http/oauth/upstream-auth.ts";
import { UpstreamAuths } from "../../src/upstreams/http/oauth/upstream-auths.ts";
import { fixturePath } from "./fixtures.ts";
import { by_itself } from "./oauth-spec.ts";

/** What a provider was asked for. */
export interface SeenRenewals {
	readonly metadata: number;
	readonly renewals: number;
	/** At one moment, at most. */
	readonly peak: number;
	/** Refresh tokens that were not good any more. */
	readonly refused: number;
}

/** A provider at which tokens are renewed, in a process of its own. */
export async function startRenewingProvider(hold_ms: number) {
	const child = spawn(process.execPath, [fixturePath("renewing-provider"), String(hold_ms)], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async () => {
		const { value } = await lines.next();
		if (typeof value !== "string") throw new Error("the provider has ended");
		return value;
	};
	const issuer = await line();
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	return {
		issuer,
		/** What it was asked since this was called last. */
		async seen(): Promise<SeenRenewals> {
			child.stdin.write("\n");
			return JSON.parse(await line()) as SeenRenewals;
		},
		async stop() {
			child.stdin.end();
			await exited;
		},
	};
}

/**
 * People with a grant each at one server, all given at the same moment. They are kept in memory,
 * and in the store behind it where there is one.
 */
export async function peopleWithGrants(options: {
	readonly issuer: string;
	readonly count: number;
	readonly clock: Clock;
	readonly random: Random;
	readonly renew_at_ms: number;
	readonly behind?: TokenStore | undefined;
}): Promise<{ readonly people: readonly UpstreamAuth[]; readonly store: KeptInMemory }> {
	const { issuer, count, clock, random, renew_at_ms, behind } = options;
	const first = (user: string): Grant => ({
		issuer,
		resource: `${issuer}/mcp`,
		access_token: `first-${user}`,
		refresh_token: `held-${user}`,
		scopes: [],
		renew_at_ms,
		registration: {
			client_id: "registered",
			client_secret: undefined,
			auth_method: "none",
			redirect_uri: "http://127.0.0.1:1/callback",
		},
	});
	const store = new KeptInMemory(first, behind);
	const auths = new UpstreamAuths({
		clock,
		random,
		store,
		authorize: () => Promise.reject(new Error("nobody is to be asked")),
		redirectUri: () => "http://127.0.0.1:1/callback",
	});
	const spec: HttpSpec = { driver: "http", url: `${issuer}/mcp`, headers: {}, auth: by_itself };
	const people: UpstreamAuth[] = [];
	for (let user = 0; user < count; user += 1) {
		if (behind !== undefined) await behind.keep(keyOf(spec.url, user), first(String(user)));
		const person = await auths.of("server", spec, { tenant: "acme", user: String(user) });
		if (person !== undefined) people.push(person);
	}
	return { people, store };
}

function keyOf(url: string, user: number): GrantKey {
	return { tenant: "acme", user: String(user), server: "server", about: aboutOf(url, by_itself) };
}

/** As many grants as there are people; each has one that was given before. */
class KeptInMemory implements TokenStore {
	readonly #first: (user: string) => Grant;
	readonly #behind: TokenStore | undefined;
	/** What was kept, once it was. */
	readonly grants_by_user = new Map<string, Grant>();

	constructor(first: (user: string) => Grant, behind: TokenStore | undefined) {
		this.#first = first;
		this.#behind = behind;
	}

	grants(key: GrantKey): Promise<readonly Grant[]> {
		if (this.#behind !== undefined) return this.#behind.grants(key);
		return Promise.resolve([this.grants_by_user.get(key.user) ?? this.#first(key.user)]);
	}

	async keep(key: GrantKey, grant: Grant): Promise<void> {
		await this.#behind?.keep(key, grant);
		this.grants_by_user.set(key.user, grant);
	}

	end(): Promise<void> {
		throw new Error("nobody's grant is to end");
	}

	registrations(): Promise<Record<string, never>> {
		return Promise.resolve({});
	}

	register(): Promise<void> {
		return Promise.resolve();
	}

	unregister(): Promise<void> {
		return Promise.resolve();
	}
}
