import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { McpSession } from "../../src/admin/contracts/mcp-sessions.ts";
import { readAdminToken } from "../../src/admin/token.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, parse, post_headers } from "../support/raw-client.ts";
import { runCli } from "../support/run-cli.ts";
import { LegacyWire, replyOf } from "../support/wire-clients.ts";

/** Whoever runs the gateway sees the sessions of clients, and ends them for good. */

const keys = { ana: newApiKey(systemRandom), bob: newApiKey(systemRandom) };
type Person = keyof typeof keys;

let gateway: TestGateway;
let admin: string;

before(async () => {
	const entry = (user: Person) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
	});
	gateway = await startGateway({
		identity: { keys: [entry("ana"), entry("bob")] },
		servers: { progress: stdioFixture("progress") },
	});
	const token = await readAdminToken(gateway.daemon.plan.data);
	assert.ok(token.ok);
	admin = token.value;
});

after(() => gateway?.stop());

const bearer = (person: Person) => ({ authorization: `Bearer ${keys[person]}` });

async function api<Reply>(method: string, path: string, status = 200): Promise<Reply> {
	const headers = { authorization: `Bearer ${admin}` };
	const answer = await fetch(`${gateway.url}${path}`, { method, headers });
	const text = await answer.text();
	assert.equal(answer.status, status, text);
	return JSON.parse(text) as Reply;
}

const sessionsOf = async (query = "") =>
	await api<{ total: number; sessions: McpSession[]; next?: string }>(
		"GET",
		`/api/mcp-sessions${query}`,
	);

/** Opens a session as a client of that name. */
async function open(person: Person): Promise<LegacyWire> {
	const address = gateway.address("progress");
	const info = { protocolVersion: "2025-11-25", capabilities: {} };
	const params = { ...info, clientInfo: { name: "wire-client", version: "1.0.0" } };
	const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params });
	const headers = { ...post_headers, ...bearer(person) };
	const answer = await exchange(address, { headers, body });
	const id = answer.headers["mcp-session-id"];
	assert.ok(typeof id === "string", answer.body.toString("utf8"));
	return new LegacyWire(address, id, parse(replyOf(answer)));
}

test("sessions are told with whose they are, and never with the id that opens them", async () => {
	const client = await open("ana");
	await open("bob");
	const listed = await sessionsOf("?principal=acme/ana");
	assert.equal(listed.total, 1);
	const [session] = listed.sessions;
	assert.equal(session?.principal, "acme/ana");
	assert.equal(session?.endpoint, "progress");
	assert.equal(session?.client.name, "wire-client");
	assert.equal(session?.revision, client.revision);
	assert.ok(!JSON.stringify(listed).includes(client.session_id));
	const first = await sessionsOf("?limit=1");
	assert.deepEqual([first.total, first.sessions[0]?.principal], [2, "acme/bob"]);
	const second = await sessionsOf(`?limit=1&cursor=${first.next}`);
	assert.deepEqual([second.sessions[0]?.principal, second.next], ["acme/ana", undefined]);
});

test("a session that is ended is unknown to its client, its stream is closed, and others go on", async () => {
	const [mine, theirs] = [await open("ana"), await open("bob")];
	const headers = {
		...post_headers,
		...bearer("ana"),
		accept: "text/event-stream",
		"mcp-session-id": mine.session_id,
		"mcp-protocol-version": mine.revision,
	};
	const stream = await fetch(gateway.address("progress"), { headers });
	assert.equal(stream.status, 200);
	const over = stream.text();
	const { sessions } = await sessionsOf("?principal=acme/ana");
	const connected = sessions.find((one) => one.connected);
	assert.ok(connected !== undefined);
	const ended = await api("DELETE", `/api/mcp-sessions/${connected.id}`);
	assert.deepEqual(ended, { id: connected.id, endpoint: "progress", principal: "acme/ana" });
	await over;
	const answer = await mine.send({ method: "tools/list", headers: bearer("ana") });
	assert.equal(answer.status, 404);
	const again = await fetch(gateway.address("progress"), { headers });
	assert.equal(again.status, 404);
	await again.text();
	const other = await theirs.send({ method: "tools/list", headers: bearer("bob") });
	assert.equal(other.status, 200);
	await api("DELETE", `/api/mcp-sessions/${connected.id}`, 404);
});

test("the command line lists and ends them, and the audit has who ended which", async () => {
	await open("bob");
	const run = (...words: string[]) => runCli(["session", ...words], { cwd: gateway.folder });
	const listed = await run("ls", "--principal", "acme/bob");
	assert.equal(listed.code, 0, listed.stderr);
	const id = /^\s*([0-9a-f]{22}) +acme\/bob +progress +wire-client 1\.0\.0/m.exec(
		listed.stdout,
	)?.[1];
	assert.ok(id !== undefined, listed.stdout);
	const ended = await run("end", id);
	assert.equal(ended.code, 0, ended.stderr);
	assert.match(ended.stdout, /Ended: a session of acme\/bob at progress\./);
	const none = await run("end", id);
	assert.notEqual(none.code, 0);
	assert.match(none.stderr, /moorage session ls/);
	assert.equal((await run("end")).code, 2);
	const exported = await runCli(["audit", "export", "audit.ndjson"], { cwd: gateway.folder });
	assert.equal(exported.code, 0, exported.stderr);
	const entries = (await readFile(join(gateway.folder, "audit.ndjson"), "utf8")).split("\n");
	assert.ok(entries.some((entry) => entry.includes("endMcpSession") && entry.includes(id)));
});
