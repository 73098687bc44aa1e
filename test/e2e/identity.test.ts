import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";

const alice_key = newApiKey(systemRandom);
const bob_key = newApiKey(systemRandom);
const old_key = newApiKey(systemRandom);

const identity = {
	keys: [
		{ name: "alice", hash: `sha256:${hashApiKey(alice_key)}`, tenant: "acme", user: "alice" },
		{ name: "bob", hash: `sha256:${hashApiKey(bob_key)}`, tenant: "acme", user: "bob" },
		{ name: "old", hash: `sha256:${hashApiKey(old_key)}`, expires: "2020-01-01" },
	],
};

const initialize = {
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "identity-test", version: "1" },
	},
};

function post(url: URL, body: object, headers: Record<string, string>): Promise<Response> {
	return fetch(url, {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			...headers,
		},
		body: JSON.stringify(body),
	});
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** The code of a refusal, which is a JSON-RPC error. */
function codeIn(text: string): string {
	return (JSON.parse(text) as { error: { data: { code: string } } }).error.data.code;
}

test("with identity on, only those with a key are let in", async (t) => {
	const gateway = await startGateway({
		identity,
		servers: { echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => gateway.stop());

	await t.test("a request without a key is asked for one, whatever address it names", async () => {
		for (const path of ["mcp", "echo", "nothing"]) {
			const response = await post(gateway.address(path), initialize, {});
			assert.equal(response.status, 401, path);
			assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="moorage"');
			assert.equal(codeIn(await response.text()), "credential_missing");
		}
	});

	await t.test("a wrong or expired key is told apart from a malformed header", async () => {
		const outcomes = [
			[bearer("moorage_guess"), 401, "credential_unknown", /error="invalid_token"/],
			[bearer(old_key), 401, "credential_expired", /error="invalid_token"/],
			[{ authorization: "Basic YTpi" }, 400, "credential_malformed", /error="invalid_request"/],
		] as const;
		for (const [headers, status, error, challenge] of outcomes) {
			const response = await post(gateway.address(), initialize, headers);
			assert.equal(response.status, status, error);
			assert.match(response.headers.get("www-authenticate") ?? "", challenge);
			const text = await response.text();
			assert.equal(codeIn(text), error);
			assert.doesNotMatch(text, /guess/, "the credential is not echoed");
		}
	});

	await t.test("a page of another origin can read why it was refused", async () => {
		const origin = "http://localhost:3000";
		const response = await post(gateway.address(), initialize, { origin });
		assert.equal(response.headers.get("access-control-allow-origin"), origin);
		assert.match(response.headers.get("access-control-expose-headers") ?? "", /WWW-Authenticate/i);
	});

	await t.test("a session belongs to the person who opened it", async () => {
		const opened = await post(gateway.address("echo"), initialize, bearer(alice_key));
		assert.equal(opened.status, 200);
		const session = opened.headers.get("mcp-session-id") ?? "";
		await opened.text();
		const list = { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} };
		const as = async (key: string) => {
			const headers = { ...bearer(key), "mcp-session-id": session };
			const response = await post(gateway.address("echo"), list, headers);
			await response.text();
			return response.status;
		};
		assert.equal(await as(alice_key), 200);
		assert.equal(await as(bob_key), 404);
		const nobody = await post(gateway.address("echo"), list, { "mcp-session-id": session });
		assert.equal(nobody.status, 401);
	});

	await t.test("a key that is taken out of the configuration is refused at once", async () => {
		const servers = { echo: stdioFixture("sdk-v1-stdio") };
		const keys = identity.keys.filter(({ name }) => name !== "bob");
		const before = await post(gateway.address(), initialize, bearer(bob_key));
		assert.equal(before.status, 200);
		await before.text();
		const reloaded = await gateway.reconfigure({ identity: { keys }, servers });
		assert.ok(reloaded.ok);
		const after = await post(gateway.address(), initialize, bearer(bob_key));
		assert.equal(after.status, 401);
		assert.equal((await post(gateway.address(), initialize, bearer(alice_key))).status, 200);
	});
});
