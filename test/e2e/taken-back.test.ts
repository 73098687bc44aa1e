import assert from "node:assert/strict";
import { test } from "node:test";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { accessToken, password, postForm } from "../support/login-scene.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** Tokens that were taken back before their time was over. */

const config = { identity: { login: {} }, servers: { echo: stdioFixture("sdk-v1-stdio") } };

const api = (gateway: TestGateway, method: string, path: string, body?: object) =>
	adminDone<{ grants: { id: string }[]; client_secret: string }>(gateway, method, path, body);

/** A token of somebody who logs in. */
const tokenOf = (gateway: TestGateway, user: string) =>
	accessToken({ issuer: gateway.url, resource: gateway.address("echo").href }, user);

/** How a handshake with a token is answered. */
async function call(gateway: TestGateway, token: string): Promise<number> {
	const response = await fetch(gateway.address("echo"), {
		method: "POST",
		headers: {
			authorization: `Bearer ${token}`,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
		},
		body: JSON.stringify({
			...{ jsonrpc: "2.0", id: 1, method: "initialize" },
			params: {
				protocolVersion: "2025-11-25",
				capabilities: {},
				clientInfo: { name: "taken-back-test", version: "1" },
			},
		}),
	});
	await response.text();
	return response.status;
}

async function addPeople(gateway: TestGateway, ...users: readonly string[]): Promise<void> {
	for (const user of users) {
		const person = { tenant: "acme", user, password, roles: ["operator"] };
		await api(gateway, "POST", "/api/users", person);
	}
	const redirect_uris = ["https://client.example/callback"];
	await api(gateway, "POST", "/api/clients", { client_id: "app", redirect_uris });
}

test("what was taken back stays so over a restart, and what was not works on", async (t) => {
	const folder = await tempFolder(t);
	let gateway = await startGateway(config, { folder });
	t.after(() => gateway.stop());
	await addPeople(gateway, "ana", "bob", "eve");
	const bot = { client_id: "bot", secret: true, tenant: "acme", user: "bot" };
	const { client_secret } = await api(gateway, "POST", "/api/clients", bot);
	const machine = await postForm(`${gateway.url}/oauth/token`, {
		grant_type: "client_credentials",
		client_id: "bot",
		client_secret,
		scope: "mcp",
		resource: gateway.address("echo").href,
	});
	const tokens = {
		grant: await tokenOf(gateway, "ana"),
		account: await tokenOf(gateway, "bob"),
		client: String(machine.body["access_token"]),
		kept: "",
	};
	const [grant] = (await api(gateway, "GET", "/api/grants")).grants.filter(
		(one) => (one as { account?: string }).account === "acme/ana",
	);
	tokens.kept = await tokenOf(gateway, "eve");
	const answers = async () => ({
		grant: await call(gateway, tokens.grant),
		account: await call(gateway, tokens.account),
		client: await call(gateway, tokens.client),
		kept: await call(gateway, tokens.kept),
	});
	assert.deepEqual(await answers(), { grant: 200, account: 200, client: 200, kept: 200 });
	await api(gateway, "DELETE", `/api/grants/${grant?.id}`);
	await api(gateway, "POST", "/api/users/acme/bob/logout");
	await api(gateway, "DELETE", "/api/clients/bot");
	const gone = { grant: 401, account: 401, client: 401, kept: 200 };
	assert.deepEqual(await answers(), gone);
	const { port } = new URL(gateway.url);
	await gateway.stop();
	gateway = await startGateway(config, { folder, port: Number(port) });
	assert.deepEqual(await answers(), gone);
});

test("a token does not keep a role that was taken from its person", async (t) => {
	const gateway = await startGateway(config);
	t.after(() => gateway.stop());
	await addPeople(gateway, "ana");
	const token = await tokenOf(gateway, "ana");
	await api(gateway, "POST", "/api/users/acme/ana", { roles: ["operator", "auditor"] });
	assert.equal(await call(gateway, token), 200, "with one more it is good");
	await api(gateway, "POST", "/api/users/acme/ana", { roles: ["auditor"] });
	assert.equal(await call(gateway, token), 401);
});
