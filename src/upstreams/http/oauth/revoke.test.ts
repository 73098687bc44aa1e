import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	type Deviations,
	startAuthorizationServer,
} from "../../../../test/support/authorization-server.ts";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { until } from "../../../../test/support/until.ts";
import type { OAuthSpec } from "../../../config/plan.ts";
import { systemClock } from "../../../lib/clock.ts";
import { type EndedGrant, tellIssuers } from "./revoke.ts";
import type { Grant } from "./token-store.ts";

const configured: OAuthSpec = {
	grant: "authorization_code",
	client_id: "configured",
	client_secret: "c0nfigured",
	private_key: undefined,
	client_metadata: undefined,
	issuer: undefined,
	scopes: [],
};

/** An issuer that can be told, and a grant of it that has ended. */
async function rig(t: TestContext, deviations: Deviations = {}) {
	const server = await startAuthorizationServer(deviations);
	t.after(() => server.close());
	deviations.metadata = { revocation_endpoint: `${server.issuer}/revoke`, ...deviations.metadata };
	const ended = (change: Partial<Grant> = {}, spec?: OAuthSpec): EndedGrant => ({
		server: "notes",
		spec,
		grant: {
			issuer: server.issuer,
			resource: `${server.issuer}/mcp`,
			access_token: "access-of-ana",
			refresh_token: "refresh-of-ana",
			scopes: [],
			renew_at_ms: undefined,
			registration: {
				client_id: "registered",
				client_secret: "s3cret",
				auth_method: "client_secret_basic",
			},
			...change,
		},
	});
	const tell = async (...all: EndedGrant[]) => {
		const told = await tellIssuers(all.length === 0 ? [ended()] : all, systemClock);
		return told.map(({ outcome }) => outcome);
	};
	return { server, ended, tell };
}

test("both tokens are taken back, the refresh token first, as the client that they were given to", async (t) => {
	const { server, ended } = await rig(t);
	const told = await tellIssuers([ended()], systemClock);
	assert.deepEqual(told, [{ server: "notes", issuer: server.issuer, outcome: "revoked" }]);
	const asked = server.requests("/revoke");
	assert.deepEqual(
		asked.map(({ parameters }) => parameters),
		[
			{ token_type_hint: "refresh_token", token: "refresh-of-ana" },
			{ token_type_hint: "access_token", token: "access-of-ana" },
		],
	);
	const basic = `Basic ${Buffer.from("registered:s3cret").toString("base64")}`;
	assert.deepEqual(
		asked.map(({ authorization }) => authorization),
		[basic, basic],
	);
});

test("what was given to the client of the configuration is taken back as that one", async (t) => {
	const { server, ended, tell } = await rig(t);
	assert.deepEqual(await tell(ended({ registration: undefined }, configured)), ["revoked"]);
	const basic = `Basic ${Buffer.from("configured:c0nfigured").toString("base64")}`;
	assert.equal(server.requests("/revoke")[0]?.authorization, basic);
});

test("of a service whose addresses are known nothing is asked before it is told", async (t) => {
	const { server, ended, tell } = await rig(t, { metadata: { revocation_endpoint: undefined } });
	const { issuer } = server;
	const at = (path: string) => `${issuer}/${path}`;
	const endpoints = { authorization: at("a"), token: at("t"), revocation: at("revoke") };
	const service = { preset: "known", issuer, endpoints };
	const given = ended({ registration: undefined }, { ...configured, service });
	assert.deepEqual(await tell(given), ["revoked"]);
	assert.equal(server.requests("/revoke").length, 2);
	assert.ok(server.seen.every(({ path }) => path === "/revoke"));
	const none = { ...service, endpoints: { ...endpoints, revocation: undefined } };
	const other = ended({ registration: undefined }, { ...configured, service: none });
	assert.deepEqual(await tell(other), ["not_offered"]);
});

test("where the configuration has no client for it any more nothing is shown to the issuer", async (t) => {
	const { server, ended, tell } = await rig(t);
	assert.deepEqual(await tell(ended({ registration: undefined })), ["failed"]);
	assert.equal(server.requests("/revoke").length, 0);
});

test("an issuer that names nothing to be told at is not told", async (t) => {
	const { server, tell } = await rig(t, { metadata: { revocation_endpoint: undefined } });
	assert.deepEqual(await tell(), ["not_offered"]);
	assert.equal(server.requests("/revoke").length, 0);
});

test("an access token that cannot be taken back is left to end by itself", async (t) => {
	const { ended, tell } = await rig(t, {
		revoke(response, token) {
			const is_known = token.startsWith("refresh");
			response.writeHead(is_known ? 200 : 400, { "content-type": "application/json" });
			response.end(is_known ? "" : '{"error":"unsupported_token_type"}');
		},
	});
	assert.deepEqual(await tell(), ["revoked"]);
	assert.deepEqual(await tell(ended({ refresh_token: undefined })), ["not_offered"]);
});

const nonsense: Readonly<Record<string, Deviations>> = {
	"does not know our client": {
		revoke: (response) => void response.writeHead(401).end('{"error":"invalid_client"}'),
	},
	"is out of order": { revoke: (response) => void response.writeHead(503).end("<html>") },
	"redirects into a private network": {
		revoke: (response) => void response.writeHead(307, { location: "http://10.0.0.1/" }).end(),
	},
	"names a private address": { metadata: { revocation_endpoint: "https://10.0.0.1/revoke" } },
	"names no web address": { metadata: { revocation_endpoint: "file:///etc/passwd" } },
	"says that it is another": { metadata: { issuer: "https://evil.example" } },
	"hangs up": { revoke: (response) => void response.destroy() },
};
for (const [what, deviations] of Object.entries(nonsense)) {
	test(`an issuer that ${what} is a failure, and no more than that`, async (t) => {
		const { tell } = await rig(t, deviations);
		assert.deepEqual(await tell(), ["failed"]);
	});
}

test("an issuer that does not answer is waited for no longer than ten seconds, for all together", async (t) => {
	const clock = new FakeClock();
	let hanging = 0;
	const { ended } = await rig(t, { revoke: () => void (hanging += 1) });
	const all = Array.from({ length: 20 }, () => ended());
	const telling = tellIssuers(all, clock);
	await until(() => hanging === 8);
	await clock.advance(10_000);
	const told = await telling;
	assert.deepEqual(new Set(told.map(({ outcome }) => outcome)), new Set(["failed"]));
	assert.equal(told.length, 20);
	assert.equal(hanging, 8, "nobody else is begun with");
	assert.equal(clock.pending, 0);
});

test("one that fails does not keep others from being told", async (t) => {
	const { ended, tell } = await rig(t);
	const dead = ended({ issuer: "http://127.0.0.1:1", resource: "http://127.0.0.1:1/mcp" });
	assert.deepEqual(await tell(dead, ended()), ["failed", "revoked"]);
});
