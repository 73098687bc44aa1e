import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually, markedProcesses, sees_environments } from "../support/processes.ts";
import { type LegacyWire, openLegacy } from "../support/wire-clients.ts";

let folder: string;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-killed-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** A configuration whose servers carry a mark in their environment, inherited by all they start. */
async function marked(name: string, mark: string, servers: Record<string, object>) {
	const home = join(folder, name);
	await mkdir(home);
	const config = join(home, "mcp.json");
	const entries = Object.entries(servers).map(([server, entry]) => [
		server,
		{ ...entry, env: { MOORAGE_TEST_MARK: mark } },
	]);
	await writeFile(config, JSON.stringify({ mcpServers: Object.fromEntries(entries) }));
	return { config, data: join(home, "data") };
}

const needs_proc = sees_environments ? false : "processes cannot be found by a mark here";

test("a gateway killed with SIGKILL leaves no process behind", { skip: needs_proc }, async () => {
	const mark = `killed-${process.pid}`;
	const servers = { stubborn: stdioFixture("stubborn"), echo: stdioFixture("echo") };
	const { config, data } = await marked("kill", mark, servers);
	const moorage = await startMoorage(config, data);
	const find = () => markedProcesses(`MOORAGE_TEST_MARK=${mark}`);
	await eventually(find, (found) => found.length >= 4);
	await moorage.kill();
	await eventually(find, (found) => found.length === 0);
});

test("a gateway that is asked to stop leaves no process behind", { skip: needs_proc }, async () => {
	const mark = `stopped-${process.pid}`;
	const servers = { stubborn: stdioFixture("stubborn"), echo: stdioFixture("echo") };
	const { config, data } = await marked("stop", mark, servers);
	const moorage = await startMoorage(config, data);
	const find = () => markedProcesses(`MOORAGE_TEST_MARK=${mark}`);
	await eventually(find, (found) => found.length >= 4);
	assert.equal(await moorage.stop(), 0);
	assert.deepEqual(find(), []);
});

test("a session goes on after the gateway was killed with SIGKILL", async () => {
	const { config, data } = await marked("session", "session", { echo: stdioFixture("echo") });
	const first = await startMoorage(config, data);
	const post = (url: URL, session: string | undefined, body: object) =>
		fetch(url, {
			method: "POST",
			headers: {
				"content-type": "application/json",
				accept: "application/json, text/event-stream",
				...(session === undefined ? {} : { "mcp-session-id": session }),
			},
			body: JSON.stringify({ jsonrpc: "2.0", ...body }),
		});
	const opened = await post(first.address("echo"), undefined, {
		id: 1,
		method: "initialize",
		params: {
			protocolVersion: "2025-11-25",
			capabilities: {},
			clientInfo: { name: "test", version: "1" },
		},
	});
	const session = opened.headers.get("mcp-session-id") ?? "";
	assert.notEqual(session, "");
	await opened.body?.cancel();
	await first.kill();
	const second = await startMoorage(config, data);
	const params = { name: "echo", arguments: { text: "still here" } };
	const called = await post(second.address("echo"), session, {
		id: 2,
		method: "tools/call",
		params,
	});
	assert.equal(called.status, 200);
	assert.match(await called.text(), /still here/);
	await second.stop();
});

const session_headers = ({ session_id }: LegacyWire) => ({
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
	"mcp-session-id": session_id,
	"mcp-protocol-version": "2025-11-25",
});

/** Takes a stream up again at another gateway over the same data. */
function comeBack(address: URL, client: LegacyWire, id: string): Promise<Response> {
	return fetch(address, { headers: { ...session_headers(client), "last-event-id": id } });
}

test("a call that ran while the gateway was killed ends once, on the resumed stream", async () => {
	const { config, data } = await marked("lost", "lost", { slow: stdioFixture("slow") });
	const first = await startMoorage(config, data);
	const client = await openLegacy(first.address("slow"));
	const params = '{"name":"hold","arguments":{"key":"x"},"_meta":{"progressToken":1}}';
	const body = `{"jsonrpc":"2.0","id":"held","method":"tools/call","params":${params}}`;
	const headers = session_headers(client);
	const called = await fetch(client.address, { method: "POST", headers, body });
	const reader = called.body?.getReader();
	const { value } = (await reader?.read()) ?? {};
	const [priming] =
		Buffer.from(value ?? [])
			.toString()
			.match(/(?<=^id: ?).+$/mu) ?? [];
	assert.ok(priming !== undefined);
	await first.kill();
	await reader?.cancel().catch(() => undefined);
	const second = await startMoorage(config, data);
	const resumed = await (await comeBack(second.address("slow"), client, priming)).text();
	assert.equal([...resumed.matchAll(/"id":"held"/gu)].length, 1);
	assert.match(resumed, /The gateway was restarted/u);
	const [last] = resumed.match(/(?<=^id: ?)\S+\.$/mu) ?? [];
	assert.ok(last !== undefined, resumed);
	assert.equal((await comeBack(second.address("slow"), client, last)).status, 204);
	// The same again is the same again: no second error is made.
	const again = await (await comeBack(second.address("slow"), client, priming)).text();
	assert.equal([...again.matchAll(/"id":"held"/gu)].length, 1);
	await second.stop();
});

test("a call whose events were thrown away meanwhile ends with an honest error", async () => {
	const { config, data } = await marked("many", "many", { progress: stdioFixture("progress") });
	const first = await startMoorage(config, data);
	const client = await openLegacy(first.address("progress"));
	const params = '{"name":"steps","arguments":{"steps":1500},"_meta":{"progressToken":1}}';
	const body = `{"jsonrpc":"2.0","id":"many","method":"tools/call","params":${params}}`;
	const headers = session_headers(client);
	const called = await fetch(client.address, { method: "POST", headers, body });
	const [priming] = (await called.text()).match(/(?<=^id: ?).+$/mu) ?? [];
	assert.ok(priming !== undefined);
	await first.stop();
	const second = await startMoorage(config, data);
	const told = await comeBack(second.address("progress"), client, priming);
	assert.equal(told.status, 200);
	const text = await told.text();
	assert.match(text, /thrown away unread/u);
	assert.equal([...text.matchAll(/"id":"many"/gu)].length, 1);
	await second.stop();
});
