import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AuditedCallReport, LoggedCall } from "../../src/admin/evidence-backend.ts";
import { callLogLines } from "../support/call-log-lines.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { exchange, textOf } from "../support/raw-client.ts";
import { execCli, runCli } from "../support/run-cli.ts";
import { ModernWire, openWire } from "../support/wire-clients.ts";

/** Runs a command with file systems of its own, which others do not see. */
const own_mounts = ["unshare", "--user", "--map-root-user", "--mount"];
const may_mount = spawnSync(own_mounts[0] ?? "", [...own_mounts.slice(1), "true"]).status === 0;
const skip = may_mount ? false : "this machine lets nobody mount anything";

/** A gateway in a process of its own; with `mounts` its evidence goes to file systems made so. */
async function startWithin(
	t: TestContext,
	mounts: ((data: string) => string) | undefined,
	config: object,
) {
	const folder = await mkdtemp(join(tmpdir(), "moorage-lost-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const data = join(folder, ".moorage");
	for (const name of ["audit", "calls"]) await mkdir(join(data, name), { recursive: true });
	const path = join(folder, "moorage.yaml");
	const servers = { echo: { ...stdioFixture("echo"), sandbox: "off" } };
	await writeFile(path, JSON.stringify({ version: 1, servers, ...config }));
	const within =
		mounts === undefined ? [] : [...own_mounts, "sh", "-c", `${mounts(data)} && exec "$@"`, "sh"];
	const moorage = await startMoorage(path, data, process.env, "127.0.0.1:0", within);
	t.after(() => moorage.stop());
	const cli = async <Answer>(...args: string[]) => {
		const outcome = await execCli([...args, "--json", "--data", ".moorage"], { cwd: folder });
		assert.equal(outcome.code, 0, outcome.stderr);
		return JSON.parse(outcome.stdout) as Answer;
	};
	return { moorage, cli, data };
}

/** Which alerts of lost evidence fire, by what was lost. */
async function lossesTold(cli: <Answer>(...args: string[]) => Promise<Answer>): Promise<string[]> {
	interface Alerts {
		readonly alerts: readonly { rule: string; subject: string }[];
	}
	const { alerts } = await cli<Alerts>("alerts", "--state", "firing");
	return alerts.filter(({ rule }) => rule === "evidence_lost").map(({ subject }) => subject);
}

test("on a full disk calls are answered, what fits is kept, and the loss raises alerts", {
	skip,
}, async (t) => {
	const small = (data: string) =>
		["audit", "calls"]
			.map((name) => `mount -t tmpfs -o size=192k tmpfs ${join(data, name)}`)
			.join(" && ");
	const { moorage, cli } = await startWithin(t, small, {});
	const client = new ModernWire(moorage.address("echo"));
	const text = "x".repeat(2_000);
	for (let n = 0; n < 400; n += 1) {
		const answer = await client.call("echo", JSON.stringify({ text }));
		assert.equal(textOf(answer), text);
	}
	const told = await eventually(
		() => lossesTold(cli),
		(found) => found.includes("audit") && found.includes("calls"),
	);
	assert.deepEqual(told.toSorted(), ["audit", "calls"]);
});

test("where nothing can be written calls are answered, and the loss raises alerts", {
	skip,
}, async (t) => {
	const sealed = (data: string) =>
		["audit", "calls"]
			.map((name) => `mount -t tmpfs -o ro,size=64k tmpfs ${join(data, name)}`)
			.join(" && ");
	const { moorage, cli } = await startWithin(t, sealed, {});
	const client = new ModernWire(moorage.address("echo"));
	assert.equal(textOf(await client.call("echo", '{"text":"ahoy"}')), "ahoy");
	const told = await eventually(
		() => lossesTold(cli),
		(found) => found.includes("audit") && found.includes("calls"),
	);
	assert.deepEqual(told.toSorted(), ["audit", "calls"]);
});

test("where nobody reads standard output any more calls are answered, and the loss raises the alert", async (t) => {
	const { moorage, cli } = await startWithin(t, undefined, { calls: { log: "stdout" } });
	const client = new ModernWire(moorage.address("echo"));
	assert.equal(textOf(await client.call("echo", '{"text":"read"}')), "read");
	moorage.process.stdout?.destroy();
	assert.equal(textOf(await client.call("echo", '{"text":"unread"}')), "unread");
	await eventually(
		() => lossesTold(cli),
		(found) => found.includes("calls"),
	);
	const gone = moorage.errors.filter((line) => line.includes("standard output is gone"));
	assert.equal(gone.length, 1, moorage.errors.join("\n"));
});

test("of payloads of 50 MB the beginning is kept, and their size and hash are told", async (t) => {
	const servers = { huge: { ...stdioFixture("huge"), sandbox: "off" } };
	const gateway = await startGateway({ servers, limits: { body: "64MiB", reply: "64MiB" } });
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("huge"));
	const bytes = 50_000_000;
	const said = await client.call("length", JSON.stringify({ text: "y".repeat(bytes) }));
	assert.ok(Number(textOf(said)) > bytes);
	assert.equal(textOf(await client.call("huge", JSON.stringify({ bytes }))).length, bytes);
	const cli = (...args: string[]) =>
		runCli([...args, "--json", "--data", join(gateway.folder, ".moorage")], {
			cwd: gateway.folder,
		});
	const { calls } = JSON.parse((await cli("calls", "--limit", "10")).stdout) as {
		calls: LoggedCall[];
	};
	const [reply, request] = ["huge", "length"].map((tool) =>
		calls.find((call) => call.tool === tool),
	);
	assert.ok(reply !== undefined && reply.output_bytes > bytes);
	assert.ok(request !== undefined && request.input_bytes > bytes);
	assert.match(request.input_hash ?? "", /^[0-9a-f]{64}$/);
	const shown = await cli("calls", "show", reply.id, "--payload");
	const { audit } = JSON.parse(shown.stdout) as { audit: AuditedCallReport };
	assert.ok(audit.output.kind === "text");
	assert.equal(audit.output.text.length, 8 * 1024 * 1024);
	const status = JSON.parse((await cli("audit", "verify")).stdout) as { ok: boolean };
	assert.equal(status.ok, true);
});

test("text that is none, and halves of characters, are answered and have their lines", async (t) => {
	const servers = { echo: { ...stdioFixture("echo"), sandbox: "off" } };
	const why = "These bytes are no text on purpose.";
	const gateway = await startGateway(
		{ servers },
		{ wrong: [{ hop: "clients", direction: "to-server", complaint: /^/u, why }] },
	);
	t.after(() => gateway.stop());
	const client = new ModernWire(gateway.address("echo"));
	const half = '{"text":"half a \\ud83d pair"}';
	assert.equal(textOf(await client.call("echo", half)), "half a \ud83d pair");
	const headers = client.headers({ method: "tools/call", params: '{"name":"echo"}' });
	const broken = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), not_utf8]);
	assert.equal((await exchange(gateway.address("echo"), { headers, body: broken })).status, 400);
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder);
	assert.deepEqual(
		lines.map(({ tool, status }) => [tool, status]),
		[
			["echo", "ok"],
			[null, "client_error"],
		],
	);
});

const not_utf8 = Buffer.from([0xff, 0xfe, 0xc3, 0x28]);
