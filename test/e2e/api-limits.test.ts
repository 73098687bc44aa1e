import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { signInAt } from "../support/sign-in.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** What scopes, off switches and tenants keep from the admin API, not from MCP addresses alone. */

const people = {
	ana: { tenant: "acme" },
	boss: { tenant: "acme", roles: ["approver"] },
	sue: { tenant: "acme", roles: ["operator"] },
	eve: { tenant: "other", roles: ["approver", "auditor", "operator"] },
	caller: { tenant: "acme", roles: ["admin"], scopes: ["mcp"] },
	half: { tenant: "acme", roles: ["admin"], scopes: ["admin"] },
	full: { tenant: "acme", roles: ["admin"], scopes: ["mcp", "admin"] },
	scraper: { tenant: "acme", roles: ["metrics"] },
	sparing: { tenant: "acme", roles: ["operator"], scopes: ["mcp", "metrics"] },
	calling: { tenant: "acme", roles: ["metrics"], scopes: ["mcp"] },
} as const;
type Name = keyof typeof people;

const keys = Object.fromEntries(
	Object.keys(people).map((name) => [name, newApiKey(systemRandom)]),
) as Record<Name, string>;

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		identity: {
			scopes: ["mcp"],
			keys: Object.entries(people).map(([name, more]) => ({
				...{ name, user: name, hash: `sha256:${hashApiKey(keys[name as Name])}` },
				...more,
			})),
		},
		servers: { slow: { ...stdioFixture("slow"), tools: { wait: { approval: "required" } } } },
		approvals: { wait: "50ms" },
	});
});

after(() => gateway.stop());

const get = (who: Name, path: string) =>
	adminRequest<{ detail: string }>(gateway, "GET", path, undefined, keys[who]);
const kill = (kind: string, name?: string) =>
	adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", {
		...{ kind, reason: "The key was leaked." },
		...(name === undefined ? {} : { name }),
	});
const lift = (id: string) =>
	adminDone(gateway, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);

/** Asks for a call that waits: the id of its approval. */
async function ask(ms: number): Promise<string> {
	const wire = new ModernWire(gateway.address("slow"));
	const { result } = await wire.ask({
		method: "tools/call",
		params: `{"name":"wait","arguments":{"ms":${ms}}}`,
		headers: { authorization: `Bearer ${keys.ana}` },
	});
	return /\((appr_[\w-]+)\)/.exec(JSON.stringify(result))?.[1] ?? "none";
}

/** The news that somebody hears until they hear no more, or are not listened to any more. */
async function listen(who: Name) {
	const leaving = new AbortController();
	const response = await fetch(new URL("/api/events", gateway.url), {
		headers: { authorization: `Bearer ${keys[who]}` },
		signal: leaving.signal,
	});
	assert.equal(response.status, 200);
	const news = { text: "", is_over: false, leave: () => leaving.abort() };
	const read = async () => {
		for await (const bytes of response.body ?? []) news.text += Buffer.from(bytes).toString();
	};
	void read()
		.catch(() => undefined)
		.finally(() => {
			news.is_over = true;
		});
	return news;
}

test("a key that is limited to scopes is limited at the API too: it needs `admin` and those of every call", async () => {
	for (const who of ["caller", "half"] as const) {
		const { status, body } = await get(who, "/api/status");
		assert.equal(status, 403);
		assert.match(body.detail, /limited to scopes, and this needs: mcp admin/);
		const off = { kind: "user", name: "acme/boss", reason: "Because." };
		const tried = await adminRequest(gateway, "POST", "/api/kill-switches", off, keys[who]);
		assert.equal(tried.status, 403);
		const opened = await signInAt(gateway.url, { credential: keys[who] });
		assert.equal(opened.status, 403);
		assert.doesNotMatch(opened.set, /^moorage_session_[0-9a-f]+=/, "no session is opened");
		assert.match(opened.text, /limited to scopes/);
	}
	assert.equal((await get("full", "/api/status")).status, 200);
	// Keys without scopes are not limited by them.
	assert.equal((await get("sue", "/api/status")).status, 200);
});

test("the scope of metrics is enough for metrics, and for nothing else", async () => {
	assert.equal((await fetchMetrics("sparing")).status, 200);
	const refused = await get("sparing", "/api/servers");
	assert.equal(refused.status, 403);
	assert.match(refused.body.detail, /limited to scopes, and this needs: mcp admin/);
	const calling = await fetchMetrics("calling");
	assert.equal(calling.status, 403);
	assert.deepEqual(await calling.json(), {
		error: "scope_missing",
		message: "This credential is limited to scopes, and this needs: mcp metrics.",
	});
});

test("somebody who is switched off decides about nothing and hears nothing more", async () => {
	const id = await ask(1);
	const opened = await signInAt(gateway.url, { credential: keys.boss });
	const news = await listen("boss");
	for (const [kind, name] of [
		["user", "acme/boss"],
		["client", "key:boss"],
		["tenant", "acme"],
	] as const) {
		const off = await kill(kind, name);
		const path = `/api/approvals/${id}/decision`;
		const decided = await adminRequest(gateway, "POST", path, { verdict: "approve" }, keys.boss);
		assert.equal(decided.status, 403);
		assert.equal((await get("boss", "/api/approvals")).status, 403);
		const headers = { cookie: opened.cookie };
		const page = await fetch(`${gateway.url}/approvals/${id}`, { headers });
		assert.equal(page.status, 401);
		await lift(off.id);
	}
	await eventually(
		() => news.is_over,
		(is_over) => is_over,
	);
	assert.equal((await get("boss", "/api/approvals")).status, 200);
});

test("whoever can lift a switch is left the API, and nobody loses it with everything switched off", async () => {
	const tenant = await kill("tenant", "acme");
	assert.equal((await get("sue", "/api/kill-switches")).status, 200);
	assert.equal((await fetchMetrics("scraper")).status, 403);
	await lift(tenant.id);
	const all = await kill("all");
	assert.equal((await get("boss", "/api/approvals")).status, 200);
	assert.equal((await fetchMetrics("scraper")).status, 200);
	await lift(all.id);
});

test("approvals of a tenant are news to those who may see them, and to nobody else", async () => {
	const [boss, eve, sue] = [await listen("boss"), await listen("eve"), await listen("sue")];
	const id = await ask(2);
	await eventually(
		() => boss.text,
		(text) => text.includes(id),
	);
	// They hear what is for operators of every tenant, which comes after it.
	const off = await kill("tool", "slow__other");
	for (const other of [eve, sue]) {
		await eventually(
			() => other.text,
			(text) => text.includes("event: kill_switch"),
		);
		assert.ok(!other.text.includes("event: approval"), other.text);
	}
	await lift(off.id);
	for (const one of [boss, eve, sue]) one.leave();
});

function fetchMetrics(who: Name): Promise<Response> {
	const headers = { authorization: `Bearer ${keys[who]}` };
	return fetch(new URL("/metrics", gateway.url), { headers });
}
