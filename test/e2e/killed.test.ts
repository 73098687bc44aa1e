import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually, markedProcesses, sees_environments } from "../support/processes.ts";

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
