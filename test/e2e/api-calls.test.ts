import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

interface Asked {
	readonly id: string;
	readonly principal: string;
}

test("a call through the admin API is a call of whoever makes it", async (t) => {
	const people = { ana: ["admin"], bo: ["admin"], olga: ["operator"] };
	const keys = Object.entries(people).map(([user, roles]) => {
		const key = newApiKey(systemRandom);
		return {
			user,
			key,
			entry: { name: user, hash: `sha256:${hashApiKey(key)}`, tenant: "acme", user, roles },
		};
	});
	const gateway = await startGateway({
		identity: { keys: keys.map(({ entry }) => entry) },
		servers: {
			slow: {
				...stdioFixture("slow"),
				tools: { wait: { approval: { approvers: ["role:admin"], other_than_caller: true } } },
			},
			echo: stdioFixture("echo"),
		},
		approvals: { wait: "10m" },
		policy: {
			rules: [
				{
					name: "no-operators",
					server: "echo",
					when: "'admin' in principal.roles",
					else: "deny",
				},
			],
		},
	});
	t.after(() => gateway.stop());
	const as = async (who: string, method: string, path: string, body?: object) => {
		const key = keys.find(({ user }) => user === who)?.key ?? "";
		const response = await fetch(`${gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
			...(body && { body: JSON.stringify(body) }),
		});
		return { status: response.status, json: (await response.json()) as Record<string, unknown> };
	};

	const echo = "/api/servers/echo/tools/echo/call";
	assert.match(JSON.stringify((await as("ana", "POST", echo, { text: "hers" })).json), /hers/);
	const denied = await as("olga", "POST", echo, { text: "hers" });
	assert.doesNotMatch(JSON.stringify(denied.json), /hers/);
	assert.match(JSON.stringify(denied.json), /no-operators/);

	const calling = as("ana", "POST", "/api/servers/slow/tools/wait/call", { ms: 1 });
	const waiting = async () => {
		const { json } = await as("bo", "GET", "/api/approvals?state=pending");
		return (json as { approvals?: Asked[] }).approvals ?? [];
	};
	const [asked] = await eventually(waiting, (all) => all.length > 0);
	assert.equal(asked?.principal, "acme/ana");
	const decision = `/api/approvals/${asked?.id}/decision`;
	const yes = { verdict: "approve" };
	const own = await as("ana", "POST", decision, yes);
	assert.equal(own.status, 403);
	assert.equal((await as("bo", "POST", decision, yes)).status, 200);
	assert.match(JSON.stringify((await calling).json), /waited/);
});
