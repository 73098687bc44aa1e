import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { by_itself } from "../../../../test/support/oauth-spec.ts";
import { systemClock } from "../../../lib/clock.ts";
import { type Grant, MemoryTokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

/*
 * Authorization servers that answer nonsense, or lead somewhere that nobody is to be led to: the
 * call ends with a clear error, nothing is sent there, and nothing that was had before is lost.
 */

/** What is answered below a path; undefined where the provider is as it should be. */
type Answer = (issuer: string) => {
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	readonly hangs_up?: boolean;
};

const secret_text = "hush-token-in-an-error";
const kept: Omit<Grant, "issuer" | "resource"> = {
	access_token: "access-before",
	refresh_token: "refresh-before",
	scopes: ["read"],
	renew_at_ms: undefined,
	registration: { client_id: "known", client_secret: undefined, auth_method: "none" },
};

async function rig(t: TestContext) {
	const bad = new Map<string, Answer>();
	const asked: string[] = [];
	const server = createServer((request, response) => {
		const path = (request.url ?? "").split("?")[0] ?? "";
		asked.push(path);
		request.resume();
		const answer = bad.get(path)?.(issuer);
		if (answer?.hangs_up) return response.destroy();
		const good: Readonly<Record<string, object>> = {
			"/.well-known/oauth-protected-resource/mcp": {
				resource: `${issuer}/mcp`,
				authorization_servers: [issuer],
			},
			"/.well-known/oauth-authorization-server": {
				issuer,
				authorization_endpoint: `${issuer}/authorize`,
				token_endpoint: `${issuer}/token`,
				registration_endpoint: `${issuer}/register`,
				code_challenge_methods_supported: ["S256"],
			},
			"/register": { client_id: "registered" },
			"/token": { access_token: "access-after", token_type: "Bearer", expires_in: 60 },
		};
		const body = answer === undefined ? JSON.stringify(good[path] ?? {}) : (answer.body ?? "");
		const status = answer === undefined ? (good[path] === undefined ? 404 : 200) : answer.status;
		response.writeHead(status ?? 200, { "content-type": "application/json", ...answer?.headers });
		return response.end(body);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const store = new MemoryTokenStore();
	const people: URL[] = [];
	const auth = new UpstreamAuth({
		url: `${issuer}/mcp`,
		spec: by_itself,
		key: { tenant: "acme", user: "ana", server: "notes" },
		store,
		inTurn: (work) => work(),
		clock: systemClock,
		authorize(page, state) {
			people.push(page);
			return Promise.resolve(new URL(`${issuer}/back?code=c&state=${state}`));
		},
		redirectUri: () => `${issuer}/callback`,
	});
	const key = { tenant: "acme", user: "ana", server: "notes", about: auth.about };
	const refuse = () => auth.onRefused({ status: 401, headers: {}, token: auth.token, rounds: 0 });
	/** Gives Ana a grant from better times. */
	const keep = async () => {
		await store.keep(key, { ...kept, issuer, resource: `${issuer}/mcp` });
		await auth.load();
	};
	return { bad, asked, issuer, auth, people, keep, refuse, grants: () => store.grants(key) };
}

const private_address = "http://10.0.0.1/";
const nonsense: Readonly<Record<string, Answer>> = {
	"a page of HTML": () => ({
		body: `<h1>${secret_text}</h1>`,
		headers: { "content-type": "text/html" },
	}),
	"JSON that breaks off": () => ({ body: `{"issuer":"${secret_text}` }),
	"something else than an object": () => ({ body: `["${secret_text}"]` }),
	"members of the wrong kind": () => ({
		body: `{"issuer":1,"resource":[],"client_id":{},"access_token":7}`,
	}),
	"much too much": () => ({ body: `"${"x".repeat(300 * 1024)}"` }),
	"an error of its own with a secret in it": () => ({ status: 500, body: secret_text }),
	"a redirect into a private network": () => ({
		status: 307,
		headers: { location: private_address },
	}),
	"a redirect to this machine's metadata address": () => ({
		status: 302,
		headers: { location: "http://169.254.169.254/latest/meta-data/" },
	}),
	"a redirect to another origin": () => ({
		status: 302,
		headers: { location: "https://evil.example/" },
	}),
	"a redirect without end": (issuer) => ({ status: 302, headers: { location: `${issuer}/loop` } }),
	"nothing: it hangs up": () => ({ hangs_up: true }),
};
const places = {
	"the resource metadata": "/.well-known/oauth-protected-resource/mcp",
	"the issuer's metadata": "/.well-known/oauth-authorization-server",
	"the registration": "/register",
	"the token": "/token",
} as const;

for (const [where, path] of Object.entries(places)) {
	for (const [what, answer] of Object.entries(nonsense)) {
		test(`${where}: ${what} ends the call with a clear error, and gives nobody a token`, async (t) => {
			const { bad, auth, refuse } = await rig(t);
			bad.set(path, answer);
			bad.set("/loop", answer);
			const outcome = await refuse();
			assert.ok(!outcome.ok);
			assert.equal(outcome.problem.code, "authorization_failed");
			assert.match(outcome.problem.advice, /^[A-Z][^]{20,}\.$/, "a sentence");
			assert.ok(!outcome.problem.advice.includes(secret_text));
			assert.deepEqual(auth.headers(), []);
		});
	}
}

for (const [what, answer] of Object.entries(nonsense)) {
	test(`a renewal that is answered with ${what} loses nothing, and asks nobody`, async (t) => {
		const { bad, auth, people, keep, refuse, grants } = await rig(t);
		await keep();
		for (const path of ["/token", "/loop"]) bad.set(path, answer);
		const outcome = await refuse();
		assert.ok(!outcome.ok);
		assert.equal(outcome.problem.code, "authorization_failed");
		assert.equal((await grants())[0]?.refresh_token, kept.refresh_token);
		assert.deepEqual(people, []);
		bad.clear();
		assert.deepEqual(await refuse(), { ok: true, value: "retry" });
		assert.equal(auth.token, "access-after");
		assert.deepEqual(people, [], "what was kept was enough");
	});
}

const led_astray = {
	token_endpoint: "the token endpoint",
	registration_endpoint: "the registration endpoint",
} as const;
for (const [member, what] of Object.entries(led_astray)) {
	for (const address of [private_address, "http://169.254.169.254/", "file:///etc/passwd"]) {
		test(`metadata that puts ${what} at ${address} is not followed`, async (t) => {
			const { bad, auth, issuer, refuse } = await rig(t);
			const document = {
				issuer,
				authorization_endpoint: `${issuer}/authorize`,
				token_endpoint: `${issuer}/token`,
				registration_endpoint: `${issuer}/register`,
				code_challenge_methods_supported: ["S256"],
				[member]: address,
			};
			bad.set("/.well-known/oauth-authorization-server", () => ({
				body: JSON.stringify(document),
			}));
			const outcome = await refuse();
			assert.ok(!outcome.ok && outcome.problem.code === "authorization_failed");
			assert.deepEqual(auth.headers(), []);
		});
	}
}
