import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway } from "../support/gateway.ts";

/** Names that are proposed for what is pasted fit where they have to go, however many there are. */

interface Proposed {
	readonly servers: readonly {
		readonly name: string;
		readonly asks: readonly { readonly secret_name: string }[];
	}[];
}

test("names that are taken get an ending, and become no longer than names may be", async (t) => {
	const gateway = await startGateway({ servers: {} });
	t.after(() => gateway.stop());
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(token.ok);
	const send = (method: string, path: string, body: object) =>
		fetch(`${gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			body: JSON.stringify(body),
		});
	const variable = `${"X".repeat(300)}_TOKEN`;
	const server = { command: "npx", args: ["-y", "some-server"], env: { [variable]: "" } };
	const mcpServers = { ["a".repeat(200)]: server, ["a".repeat(201)]: server };
	const response = await send("POST", "/api/servers/propose", {
		text: JSON.stringify({ mcpServers }),
	});
	assert.equal(response.status, 200);
	const { servers } = (await response.json()) as Proposed;
	assert.equal(new Set(servers.map(({ name }) => name)).size, 2);
	const secrets = servers.flatMap(({ asks }) => asks.map(({ secret_name }) => secret_name));
	assert.equal(new Set(secrets).size, 2);
	for (const name of secrets) {
		assert.ok(name.length <= 128, `${name.length}`);
		const stored = await send("PUT", `/api/secrets/${name}`, { value: "a value that is kept" });
		assert.ok(stored.ok, `${name.length}: ${await stored.text()}`);
	}
});
