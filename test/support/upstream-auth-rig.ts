import type { TestContext } from "node:test";
import type { OAuthSpec } from "../../src/config/plan.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { MemoryTokenStore } from "../../src/upstreams/http/oauth/token-store.ts";
import { UpstreamAuth } from "../../src/upstreams/http/oauth/upstream-auth.ts";
import { type Deviations, startAuthorizationServer } from "./authorization-server.ts";
import { by_itself } from "./oauth-spec.ts";

/** Somebody's authorization at a server whose authorization server deviates as it is told. */
export async function authRig(
	t: TestContext,
	deviations: Deviations = {},
	spec: Partial<OAuthSpec> = {},
	clock: Clock = systemClock,
) {
	const server = await startAuthorizationServer(deviations);
	t.after(() => server.close());
	let turn: Promise<unknown> = Promise.resolve();
	const options: ConstructorParameters<typeof UpstreamAuth>[0] = {
		url: `${server.issuer}/mcp`,
		spec: { ...by_itself, ...spec },
		key: { tenant: "", user: "", server: "server" },
		store: new MemoryTokenStore(),
		inTurn(work) {
			const done = turn.then(work);
			turn = done.catch(() => undefined);
			return done;
		},
		clock,
		authorize: (page) => server.authorize(page),
		redirectUri: () => "http://127.0.0.1:1/oauth/callback",
	};
	const auth = new UpstreamAuth(options);
	const refuse = (status: number, challenge: string, rounds = 0) => {
		const headers = { "www-authenticate": challenge };
		return auth.onRefused({ status, headers, token: auth.token, rounds });
	};
	return { server, auth, refuse, options };
}

/** The same grant, as another version of the server, or the gateway after a restart, has it. */
export async function authAgain(
	rigged: Awaited<ReturnType<typeof authRig>>,
	change: Partial<ConstructorParameters<typeof UpstreamAuth>[0]> = {},
) {
	const auth = new UpstreamAuth({ ...rigged.options, ...change });
	await auth.load();
	const refuse = () =>
		auth.onRefused({
			status: 401,
			headers: { "www-authenticate": "Bearer" },
			token: auth.token,
			rounds: 0,
		});
	return { auth, refuse };
}
