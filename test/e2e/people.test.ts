import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { accessToken, password } from "../support/login-scene.ts";

const initialize = {
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "people-test", version: "1" },
	},
};

test("keys that are made while the gateway runs work at once, and not after they are removed", async (t) => {
	const gateway = await startGateway({
		identity: {},
		servers: { echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => gateway.stop());
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(token.ok);
	const api = (method: string, path: string, body?: object) =>
		fetch(`${gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	const call = async (key: string) => {
		const response = await fetch(gateway.address("echo"), {
			method: "POST",
			headers: {
				authorization: `Bearer ${key}`,
				"content-type": "application/json",
				accept: "application/json, text/event-stream",
			},
			body: JSON.stringify(initialize),
		});
		await response.text();
		return response.status;
	};
	const made = await api("POST", "/api/keys", { name: "ci", tenant: "acme", user: "ana" });
	assert.equal(made.status, 201);
	const { key } = (await made.json()) as { key: string };
	assert.equal(await call(key), 200);
	const listed = (await (await api("GET", "/api/keys")).json()) as {
		keys: { name: string; used_at_ms?: number }[];
	};
	assert.equal(listed.keys[0]?.name, "ci");
	assert.ok(listed.keys[0]?.used_at_ms !== undefined);
	assert.equal((await api("DELETE", "/api/keys/ci")).status, 200);
	assert.equal(await call(key), 401);
});

test("whoever makes a key is told that it is not looked at where nobody needs one", async (t) => {
	const gateway = await startGateway({ servers: {} });
	t.after(() => gateway.stop());
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(token.ok);
	const add = async (name: string) => {
		const response = await fetch(`${gateway.url}/api/keys`, {
			method: "POST",
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			body: JSON.stringify({ name }),
		});
		return ((await response.json()) as { note?: string }).note;
	};
	assert.match((await add("before")) ?? "", /has no `identity`.*Write `identity: \{\}`/u);
	const reloaded = await gateway.reconfigure({ servers: {}, identity: {} });
	assert.ok(reloaded.ok);
	assert.deepEqual(reloaded.value.settings, ["identity"], "it is no reload that changes nothing");
	assert.equal(await add("after"), undefined);
});

test("without `identity.login` there is no authorization server, with it there is", async (t) => {
	const gateway = await startGateway({ identity: {}, servers: {} });
	t.after(() => gateway.stop());
	const document = () => fetch(`${gateway.url}/.well-known/oauth-authorization-server`);
	assert.equal((await document()).status, 404);
	assert.ok((await gateway.reconfigure({ identity: { login: {} }, servers: {} })).ok);
	const response = await document();
	assert.equal(response.status, 200);
	const { issuer } = (await response.json()) as { issuer: string };
	assert.equal(issuer, gateway.url);
	const elsewhere = await fetch(`${gateway.url}/oauth/token`, {
		method: "POST",
		headers: { origin: "https://evil.example" },
	});
	assert.equal(elsewhere.status, 403);
});

test("a person's token is good at its address alone, and ends when what it came from does", async (t) => {
	const login = { login: { scopes: ["billing"] } };
	const gateway = await startGateway({
		identity: login,
		servers: { echo: stdioFixture("sdk-v1-stdio"), other: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => gateway.stop());
	const admin = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(admin.ok);
	const api = async (method: string, path: string, body?: object) => {
		const response = await fetch(`${gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${admin.value}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		assert.ok(response.ok, `${path}: ${response.status}`);
		return (await response.json()) as { grants?: { id: string }[] };
	};
	await api("POST", "/api/users", { tenant: "acme", user: "ana", password });
	const redirect_uris = ["https://client.example/callback"];
	await api("POST", "/api/clients", { client_id: "app", redirect_uris });
	const resource = gateway.address("echo").href;
	const tokenOf = () => accessToken({ issuer: gateway.url, resource });
	const call = async (token: string, endpoint = "echo") => {
		const response = await fetch(gateway.address(endpoint), {
			method: "POST",
			headers: {
				authorization: `Bearer ${token}`,
				"content-type": "application/json",
				accept: "application/json, text/event-stream",
			},
			body: JSON.stringify(initialize),
		});
		await response.text();
		return response.status;
	};
	const first = await tokenOf();
	assert.equal(await call(first), 200);
	assert.equal(await call(first, "other"), 401);
	const [grant] = (await api("GET", "/api/grants")).grants ?? [];
	await api("DELETE", `/api/grants/${grant?.id}`);
	assert.equal(await call(first), 401);
	const second = await tokenOf();
	assert.equal(await call(second), 200);
	await api("DELETE", "/api/users/acme/ana");
	assert.equal(await call(second), 401);
});
