import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { loopbackAddresses } from "../support/private-addresses.ts";
import { exchange } from "../support/raw-client.ts";
import { signingKey, startTokenIssuer } from "../support/token-issuer.ts";
import { startTrap } from "../support/trap.ts";
import { ModernWire } from "../support/wire-clients.ts";

/* Addresses that callers name at the front door: in headers, tokens, proofs, arguments and uris. */

const revision = "2025-11-25";

test("whatever address a caller names, nobody is asked at it", async (t) => {
	const trap = await startTrap(t);
	const issuer = await startTokenIssuer();
	t.after(() => issuer.close());
	const key = newApiKey(systemRandom);
	const gateway = await startGateway(
		{
			identity: {
				issuer: issuer.issuer,
				shared_tenants: ["default"],
				login: { accounts: true, registration: true, client_documents: ["*"] },
				keys: [{ name: "ana", hash: `sha256:${hashApiKey(key)}`, tenant: "acme", user: "ana" }],
			},
			servers: { echo: stdioFixture("echo") },
		},
		{
			wrong: [
				{
					hop: "clients",
					direction: "to-server",
					complaint: /^/u,
					why: "Names stand where none belong.",
				},
			],
		},
	);
	t.after(() => gateway.stop());
	const forger = await signingKey("forger");
	const send = (headers: Record<string, string>, path = "/mcp", body = "") =>
		exchange(new URL(gateway.url), { method: "POST", path, headers, body });
	const json = { "content-type": "application/json", accept: "application/json" };
	const as_ana = { authorization: `Bearer ${key}` };
	const modern = new ModernWire(gateway.address("echo"), '{"elicitation":{"url":{}}}');
	for (const address of loopbackAddresses(trap.port)) {
		const { host } = URL.parse(address) ?? { host: "x" };
		// A token and a proof that name whom to ask about them.
		const header = { jku: address, x5u: address, kid: address };
		const token = await issuer.token(gateway.address().href, {
			claims: { iss: address, jku: address },
			header,
			key: forger,
		});
		const refused = await send({ ...json, authorization: `Bearer ${token}` });
		assert.equal(refused.status, 401, address);
		await send({ ...json, authorization: `DPoP ${token}`, dpop: token });
		// What proxies say, from somebody who is none.
		await send({
			...json,
			...as_ana,
			"x-forwarded-host": host,
			"x-forwarded-proto": "https",
			forwarded: `host="${host}";proto=https`,
		});
		// What is called and read, and what a client says of itself.
		const named = JSON.stringify(address);
		for (const [method, params] of [
			["tools/call", `{"name":"echo","arguments":{"text":${named}}}`],
			["tools/call", `{"name":${named},"arguments":{}}`],
			["resources/read", `{"uri":${named}}`],
			["prompts/get", `{"name":${named}}`],
			[
				"completion/complete",
				`{"ref":{"type":"ref/resource","uri":${named}},"argument":{"name":"a","value":${named}}}`,
			],
		] as const) {
			const name = method === "tools/call" ? "echo" : "x";
			await modern.send({ method, params, headers: { ...as_ana, "mcp-name": name } });
		}
		const hello = `{"protocolVersion":"${revision}","capabilities":{"roots":{}},"clientInfo":{"name":"x","version":"1","websiteUrl":${named},"icons":[{"src":${named}}]}}`;
		await send(
			{ ...json, ...as_ana },
			"/mcp",
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":${hello}}`,
		);
		// Ways back, and what issuers lead to.
		const query = new URLSearchParams({ state: "x", code: "y", iss: address }).toString();
		for (const path of ["/oauth/callback", "/oauth/login/callback", "/oauth/connect/echo"]) {
			await exchange(new URL(gateway.url), { method: "GET", path: `${path}?${query}` });
		}
	}
	assert.equal(trap.connections(), 0);
});
