import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { logLine } from "../../../test/support/recording-backend.ts";
import { execCli, runCli, spawnCli, startCli } from "../../../test/support/run-cli.ts";
import { startStandIn } from "../../../test/support/stand-in-gateway.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/until.ts";
import { doctor_schema } from "../../admin/contract.ts";
import { adminTokenPath } from "../../admin/token.ts";
import { makeCatalog } from "../../catalog/server-catalog.ts";
import { toStored } from "../../catalog/stored-body.ts";
import { acquireDataLock } from "../../hosting/process/data-lock.ts";
import { fail, succeed } from "../../lib/result.ts";
import { SqlCatalogRepository } from "../../store/catalog-repository.ts";
import { openDatabase } from "../../store/database.ts";

interface Scenario {
	readonly args: readonly string[];
	readonly code: number;
	/** What the gateway was asked to do, reading aside. */
	readonly calls: readonly string[];
	readonly stdout: RegExp;
	readonly input?: string;
}

const add_npx = '{"name":"b","entry":{"command":"npx","args":["-y","b","--json"]}}';
const add_env = '{"name":"b","entry":{"command":"x","env":{"A":"1","B":"2=3"},"cwd":"/srv"}}';
const add_url = '{"name":"b","entry":{"url":"https://example.com/mcp","headers":{"X":"y"}}}';

const scenarios: readonly Scenario[] = [
	{ args: ["status"], code: 0, calls: ["status()"], stdout: /process \d+, up 1 min, 2 sessions/ },
	{ args: ["ls"], code: 0, calls: ["status()"], stdout: /time +ready +1 +http.*\/time\/mcp/ },
	{
		args: ["reload"],
		code: 0,
		calls: ["reload()"],
		stdout: /^added: b\nchanged: time\nsettings: policy\n$/,
	},
	{
		args: ["apply"],
		code: 0,
		calls: ["reload()"],
		stdout: /^added: b\nchanged: time\nsettings: policy\n$/,
	},
	{
		args: ["plan"],
		code: 0,
		calls: ["plan()"],
		stdout: /^\+ b\n~ time\n {4}scope: "shared" -> "user"\n~ settings: policy\n$/,
	},
	{
		args: ["versions", "time"],
		code: 0,
		calls: ["versions(time)"],
		stdout:
			/2 +active +2023-11-14 22:13 +config +time@1\.2\.3\nversion 2: tool "now" was changed\n$/,
	},
	{ args: ["versions", "no"], code: 1, calls: ["versions(no)"], stdout: /^$/ },
	{
		args: ["deploy", "time"],
		code: 0,
		calls: ["deploy(time, {})"],
		stdout: /^tool "now" was changed\ntime: version 3 takes the calls\.\n$/,
	},
	{
		args: ["deploy", "time", "--hold", "--percent", "10"],
		code: 0,
		calls: ['deploy(time, {"hold":true,"percent":10})'],
		stdout: /version 3 is ready and takes no calls yet/,
	},
	{ args: ["deploy", "time", "--percent", "all"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["deploy", "no"], code: 1, calls: ["deploy(no, {})"], stdout: /^$/ },
	{
		args: ["rollback", "time"],
		code: 0,
		calls: ["rollback(time, undefined)"],
		stdout: /version 3 takes the calls/,
	},
	{ args: ["rollback", "time", "1"], code: 0, calls: ["rollback(time, 1)"], stdout: /version 3/ },
	{ args: ["rollback", "time", "first"], code: 2, calls: [], stdout: /^$/ },
	{
		args: ["fork", "time"],
		code: 0,
		calls: ["fork(time, undefined)"],
		stdout: /^time-fork: a copy of time, at http.*\/time-fork\/mcp\n$/,
	},
	{ args: ["fork", "time", "copy"], code: 0, calls: ["fork(time, copy)"], stdout: /^copy: / },
	{ args: ["promote", "no"], code: 1, calls: ["promote(no)"], stdout: /^$/ },
	{
		args: ["promote", "time"],
		code: 0,
		calls: ["promote(time)"],
		stdout: /version 3 takes the calls/,
	},
	{ args: ["restart", "time"], code: 0, calls: ["restartServer(time)"], stdout: /^time: ready\n$/ },
	{ args: ["restart", "no"], code: 1, calls: ["restartServer(no)"], stdout: /^$/ },
	{ args: ["rm", "time"], code: 0, calls: ["removeServer(time)"], stdout: /Removed "time"/ },
	{
		args: ["rm", "time-fork"],
		code: 0,
		calls: ["removeServer(time-fork)"],
		stdout: /^Removed the fork "time-fork" and its files\.\n$/,
	},
	{ args: ["rm", "no"], code: 1, calls: ["removeServer(no)"], stdout: /^$/ },
	{
		args: ["add", "b", "--", "npx", "-y", "b", "--json"],
		code: 0,
		calls: [`addServer(${add_npx})`],
		stdout: /Added "b" to \/etc\/moorage\.yaml\.\nIts address: http.*\/b\/mcp/,
	},
	{
		args: ["add", "b", "--env", "A=1", "--env", "B=2=3", "--cwd", "/srv", "--", "x"],
		code: 0,
		calls: [`addServer(${add_env})`],
		stdout: /Added/,
	},
	{
		args: ["add", "b", "https://example.com/mcp", "--header", "X=y"],
		code: 0,
		calls: [`addServer(${add_url})`],
		stdout: /Added/,
	},
	{ args: ["add", "b"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["add", "b", "--env", "A", "--", "x"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["add", "b", "--header", "A=1", "--", "x"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["add", "b", "https://x.example", "--env", "A=1"], code: 2, calls: [], stdout: /^$/ },
	{
		args: ["tools", "time"],
		code: 0,
		calls: ["items(time, tools, may start)"],
		stdout: /^TOOL +WHAT IT DOES\nnow\n$/,
	},
	{
		args: ["tools"],
		code: 0,
		calls: ["servers()", "items(time, tools, may start)"],
		stdout: /^SERVER +TOOL +WHAT IT DOES\ntime +now\n$/,
	},
	{
		args: ["policy", "ls"],
		code: 0,
		calls: ["policy()"],
		stdout: /^RULE +ABOUT +WHEN +THEN\nrule 1 +tools now +args\.a == 1 +deny, else pass\n/,
	},
	{
		args: ["policy", "test", "time", "now", "--user", "acme/ana", "--args", '{"a":1}'],
		code: 0,
		calls: [
			'testPolicy({"server":"time","tool":"now","arguments":{"a":1},"principal":{"tenant":"acme","user":"ana","roles":[]}})',
		],
		stdout: /^deny {2}\(rule 1\)\nThe rule "rule 1" does not allow this call\.\n/,
	},
	{ args: ["policy", "test", "time"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["policy", "test", "time", "now", "--args", "{"], code: 2, calls: [], stdout: /^$/ },
	{
		args: ["checklist"],
		code: 1,
		calls: ["checklist()"],
		stdout: /^NO-GO {4}Every user, client and tenant is told apart\n +Everyone is one person\. Add/,
	},
	{
		args: ["resources", "time"],
		code: 0,
		calls: ["items(time, resources, may start)"],
		stdout: /file:\/\/\/\{path\} +file/,
	},
	{ args: ["prompts", "no"], code: 1, calls: ["items(no, prompts, may start)"], stdout: /^$/ },
	{ args: ["logs", "time", "-n", "5"], code: 0, calls: ["logs(time, 5)"], stdout: /Z started\n$/ },
	{ args: ["logs", "-n", "5000"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["logs", "no"], code: 1, calls: ["logs(no, 100)"], stdout: /^$/ },
	{
		args: ["call", "time", "now", "zone=1", "n:=12345678901234567890"],
		code: 0,
		calls: [
			"items(time, tools, may start)",
			'callTool(time, now, {"zone":1,"n":12345678901234567890})',
		],
		stdout: /^12:00\n$/,
	},
	{
		args: ["call", "time", "now", "--args", '{"a": 1.0}'],
		code: 0,
		calls: ['callTool(time, now, {"a": 1.0})'],
		stdout: /^12:00\n$/,
	},
	{
		args: ["call", "time", "now", "--args", "-"],
		input: '{"from": "stdin"}',
		code: 0,
		calls: ['callTool(time, now, {"from": "stdin"})'],
		stdout: /^12:00\n$/,
	},
	{ args: ["call", "time", "now", "--args", "[1]"], code: 2, calls: [], stdout: /^$/ },
	{ args: ["call", "time", "now", "a=1", "--args", "{}"], code: 2, calls: [], stdout: /^$/ },
	{
		args: ["call", "time", "now", "a"],
		code: 2,
		calls: ["items(time, tools, may start)"],
		stdout: /^$/,
	},
	{
		args: ["call", "time", "nwo"],
		code: 1,
		calls: ["items(time, tools, may start)"],
		stdout: /^$/,
	},
	{ args: ["call", "no", "now"], code: 1, calls: ["items(no, tools, may start)"], stdout: /^$/ },
];

/** Commands that say more than their result. */
const hints = /^(plan|versions|deploy|rollback|fork|promote)$/;

for (const { args, code, calls, stdout, input } of scenarios) {
	test(`moorage ${args.join(" ")} ends with ${code} and does only what it says`, async (context) => {
		const { folder, backend } = await startStandIn(context);
		const world = { cwd: folder, ...(input === undefined ? {} : { input }) };
		const outcome = await runCli(args, world);
		assert.equal(outcome.code, code, outcome.stderr);
		assert.match(outcome.stdout, stdout);
		assert.deepEqual(backend.calls, calls);
		// What to do next, and warnings, are for people and stand beside the result.
		if (code === 0) assert.match(outcome.stderr, hints.test(args[0] ?? "") ? /^.*/ : /^$/);
		else assert.match(outcome.stderr, /^moorage: .+\n {2}\S/);
	});
}

for (const args of [
	["status"],
	["ls"],
	["reload"],
	["restart", "time"],
	["rm", "time"],
	["add", "b", "--", "x"],
	["tools"],
	["tools", "time"],
	["resources", "time"],
	["prompts", "time"],
	["call", "time", "now"],
	["restart", "no"],
]) {
	test(`moorage ${args.join(" ")} with --json prints one JSON value and nothing else`, async (context) => {
		const { folder } = await startStandIn(context);
		const [name = "", ...rest] = args;
		const outcome = await runCli([name, "--json", ...rest], { cwd: folder });
		assert.equal(typeof JSON.parse(outcome.stdout), "object");
	});
}

test("results and items pass through --json byte for byte", async (context) => {
	const { folder } = await startStandIn(context);
	const call = await runCli(["call", "time", "now", "--json"], { cwd: folder });
	assert.ok(call.stdout.includes('"big":12345678901234567890'));
	const tools = await runCli(["tools", "time", "--json"], { cwd: folder });
	assert.ok(tools.stdout.includes('"x":1.0'));
});

test("whose key is in MOORAGE_KEY decides; without one, whoever runs the gateway", async (context) => {
	const { folder, backend } = await startStandIn(context);
	const as = async (MOORAGE_KEY: string, ...args: string[]) =>
		(await runCli(args, { cwd: folder, environment: { MOORAGE_KEY } })).code;
	assert.equal(await as("key-approver", "approve", "appr_1"), 0);
	assert.equal(await as("", "approvals"), 0);
	assert.equal(await as("key-", "approvals"), 1);
	// Everything else is for whoever runs the gateway, in their name.
	const off = ["kill", "tool", "time__now", "--reason", "Broken."];
	assert.equal(await as("key-none", ...off), 0);
	const names = backend.calls.map((call) => /\b(acme\/\w+|admin)\)$/.exec(call)?.[1]);
	assert.deepEqual(names, ["acme/approver", "acme/approver", "admin", "admin"]);
});

test("a tool that says it failed gives exit code 5 and its text", async (context) => {
	const { folder, backend } = await startStandIn(context);
	backend.tool_reply = succeed(
		'{"content":[{"type":"text","text":"no such zone"}],"isError":true}',
	);
	const outcome = await runCli(["call", "time", "now"], { cwd: folder });
	assert.deepEqual(outcome, { code: 5, stdout: "no such zone\n", stderr: "" });
});

test("a refused configuration is told mistake by mistake, with exit code 3", async (context) => {
	const { folder, backend } = await startStandIn(context);
	const mistake = { file: "moorage.yaml", line: 3, column: 5, message: "No.", next: "Yes." };
	const problem = { code: "config_refused", message: "It has mistakes.", next: "Correct them." };
	backend.reload = async () =>
		fail({ ...problem, code: "config_refused", config: [mistake] } as const);
	const outcome = await runCli(["reload"], { cwd: folder });
	assert.equal(outcome.code, 3);
	assert.match(outcome.stderr, /moorage\.yaml:3:5: No\. Yes\./);
	const json = await runCli(["reload", "--json"], { cwd: folder });
	const { error } = JSON.parse(json.stdout) as { error: { config: unknown } };
	assert.deepEqual(error.config, [mistake]);
});

test("logs are followed until Ctrl-C, one JSON object a line", async (context) => {
	const { folder, backend } = await startStandIn(context);
	const run = startCli(["logs", "-f", "--json"], { cwd: folder });
	await until(() => backend.followers.size === 1);
	for (const follower of backend.followers) follower(logLine("later"));
	await until(() => run.stdout.includes("later"));
	run.signal("SIGINT");
	assert.equal(await run.exit, 130);
	const lines = run.stdout.trimEnd().split("\n");
	assert.deepEqual(
		lines.map((line) => (JSON.parse(line) as { text: string }).text),
		["started", "later"],
	);
	await until(() => backend.followers.size === 0);
});

test("a followed log ends with the gateway", async (context) => {
	const { folder, backend, endStreams } = await startStandIn(context);
	const run = startCli(["logs", "time", "-f"], { cwd: folder });
	await until(() => backend.followers.size === 1);
	endStreams();
	assert.equal(await run.exit, 0);
});

test("Ctrl-C during a call cancels it on the server too", async (context) => {
	const { folder, backend } = await startStandIn(context);
	backend.tool_hangs = true;
	const run = startCli(["call", "time", "now"], { cwd: folder });
	await until(() => backend.calls.some((call) => call.startsWith("callTool")));
	run.signal("SIGINT");
	assert.equal(await run.exit, 130);
	await until(() => backend.calls.includes("aborted"));
});

test("what takes long says what it waits for, on standard error", async (context) => {
	const { folder, backend } = await startStandIn(context);
	backend.tool_hangs = true;
	const run = startCli(["call", "time", "now"], { cwd: folder });
	await until(() => run.stderr.includes("Calling now ..."));
	run.signal("SIGINT");
	await run.exit;
	assert.equal(run.stdout, "");
});

const needs_gateway = [
	["status"],
	["ls"],
	["tools"],
	["logs", "x"],
	["call", "x", "y"],
	["reload"],
	["restart", "x"],
	["stdio"],
];

for (const args of needs_gateway) {
	test(`moorage ${args.join(" ")} without a gateway ends with 4 and says what to do`, async (context) => {
		const folder = await tempFolder(context);
		const outcome = await runCli(args, { cwd: folder });
		assert.equal(outcome.code, 4);
		assert.match(outcome.stderr, /No gateway runs with the data folder .*\.moorage\./);
		assert.match(outcome.stderr, /moorage up/);
	});
}

test("the folder is the one of the configuration here, mistakes in it or not", async (context) => {
	const { folder, data } = await startStandIn(context);
	const elsewhere = await tempFolder(context);
	for (const text of [`version: 1\ndata: ${data}\n`, `version: 1\ndata: ${data}\nno_such: 1\n`]) {
		await writeFile(join(elsewhere, "moorage.yaml"), text);
		assert.equal((await runCli(["status"], { cwd: elsewhere })).code, 0);
	}
	const given = await runCli(["status", "--data", data], { cwd: folder });
	assert.equal(given.code, 0);
});

test("a gateway that is still starting is told apart from none", async (context) => {
	const folder = await tempFolder(context);
	const lock = await acquireDataLock(join(folder, ".moorage"), {});
	assert.ok(lock.ok);
	const outcome = await runCli(["status"], { cwd: folder });
	await lock.value.release();
	assert.equal(outcome.code, 4);
	assert.match(outcome.stderr, /still starting/);
});

test("a gateway that does not answer ends with 4", async (context) => {
	const { folder, data } = await startStandIn(context);
	await pointTo(data, "http://127.0.0.1:9");
	const outcome = await runCli(["status"], { cwd: folder });
	assert.equal(outcome.code, 4);
	assert.match(outcome.stderr, /does not answer/);
});

test("another program on the gateway's port is told apart", async (context) => {
	const { folder, data } = await startStandIn(context);
	const server = createServer((socket) => {
		// What nobody reads keeps a connection open at this end.
		socket.resume().end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	context.after(() => server.close());
	const address = server.address() as { port: number };
	await pointTo(data, `http://127.0.0.1:${address.port}`);
	const outcome = await runCli(["status"], { cwd: folder });
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /is not a Moorage gateway/);
});

/** Lets the folder's record name another address, as after a crash and a reused port. */
async function pointTo(data: string, url: string): Promise<void> {
	const path = join(data, "run", "gateway.json");
	const record = JSON.parse(await readFile(path, "utf8")) as object;
	await writeFile(path, JSON.stringify({ ...record, url }));
}

test("a token that others can read is refused with the command to run", async (context) => {
	const { folder, data, backend } = await startStandIn(context);
	await chmod(adminTokenPath(data), 0o644);
	const outcome = await runCli(["status"], { cwd: folder });
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /Run: chmod 600 .*admin-token/);
	assert.deepEqual(backend.calls, []);
});

test("a wrong token is refused by the gateway and told", async (context) => {
	const { folder, data, token } = await startStandIn(context);
	const other = token.slice(0, -1) + (token.endsWith("x") ? "y" : "x");
	await writeFile(adminTokenPath(data), other);
	const outcome = await runCli(["status"], { cwd: folder });
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /token is not known here/);
});

const raw_tool = '{"name":"get_time","description":"What time\\nis it","x":1.0}';

async function storeCatalog(data: string): Promise<void> {
	const opened = await openDatabase({ path: join(data, "moorage.db") });
	assert.ok(opened.ok);
	const bytes = Buffer.from(raw_tool);
	const catalog = makeCatalog({
		server: "time",
		fingerprint: "f",
		era: "legacy",
		revision: "2025-11-25",
		capabilities: "{}",
		server_info: "{}",
		instructions: undefined,
		tools: [{ name: "get_time", bytes }],
		resources: [],
		templates: [],
		prompts: [],
		incomplete: [],
		fetched_at_ms: 5,
	});
	await new SqlCatalogRepository(opened.value.connection).save(toStored(catalog));
	await opened.value.close();
}

test("what is stored can be read while nothing runs", async (context) => {
	const folder = await tempFolder(context);
	await storeCatalog(join(folder, ".moorage"));
	const ls = await runCli(["ls"], { cwd: folder });
	assert.equal(ls.code, 0);
	assert.match(ls.stdout, /time +stopped +1\n/);
	assert.match(ls.stderr, /No gateway runs/);
	const listed = JSON.parse((await runCli(["ls", "--json"], { cwd: folder })).stdout) as object;
	assert.equal((listed as { running: boolean }).running, false);
	const tools = await runCli(["tools"], { cwd: folder });
	assert.match(tools.stdout, /time +get_time +What time\n/);
	const json = await runCli(["tools", "time", "--json"], { cwd: folder });
	assert.equal(json.stdout, `{"server":"time","fetched_at_ms":5,"tools":[${raw_tool}]}\n`);
	const unknown = await runCli(["tools", "no"], { cwd: folder });
	assert.equal(unknown.code, 4);
	const prompts = await runCli(["prompts"], { cwd: folder });
	assert.equal(prompts.stdout, "There are no prompts.\n");
});

test("reading what is stored makes no database where there is none", async (context) => {
	const folder = await tempFolder(context);
	assert.equal((await runCli(["ls"], { cwd: folder })).code, 4);
	await assert.rejects(readFile(join(folder, ".moorage", "moorage.db")));
});

test("a damaged database is a mistake in words", async (context) => {
	const folder = await tempFolder(context, { ".moorage/moorage.db": "x".repeat(5000) });
	const outcome = await runCli(["ls"], { cwd: folder });
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /damaged or not an SQLite database/);
});

test("doctor tells what this machine can do, with or without a gateway", async (context) => {
	const folder = await tempFolder(context);
	const json = await runCli(["doctor", "--json"], { cwd: folder });
	assert.equal(json.code, 0);
	const { checks } = doctor_schema.parse(JSON.parse(json.stdout));
	assert.ok(checks.some(({ name, status }) => name === "node" && status === "ok"));
	const text = await runCli(["doctor"], { cwd: folder });
	for (const { name } of checks) assert.ok(text.stdout.includes(`  ${name} `), name);
	assert.match(text.stdout, /data folder +\S*\.moorage/);
	assert.deepEqual(await readdir(folder), []);
});

test("a bridge for a configuration with mistakes ends with 3 and names them", async (context) => {
	const folder = await tempFolder(context, { "bad.yaml": "version: 1\nservres: {}\n" });
	const outcome = await runCli(["stdio", "--config", "bad.yaml"], { cwd: folder });
	assert.equal(outcome.code, 3);
	assert.match(outcome.stderr, /bad\.yaml:2:1: /);
	assert.equal(outcome.stdout, "");
});

test("servers are added and removed in the file while no gateway runs", async (context) => {
	const folder = await tempFolder(context);
	const added = await runCli(["add", "time", "--", "uvx", "mcp-server-time"], { cwd: folder });
	assert.equal(added.code, 0, added.stderr);
	assert.match(added.stdout, /Start it: moorage up/);
	const path = join(folder, "moorage.yaml");
	assert.match(await readFile(path, "utf8"), /time:\s+command: uvx mcp-server-time/);
	const again = await runCli(["add", "time", "--", "x"], { cwd: folder });
	assert.equal(again.code, 3);
	assert.match(again.stderr, /A server `time` is there already/);
	assert.equal((await runCli(["rm", "time"], { cwd: folder })).code, 0);
	assert.doesNotMatch(await readFile(path, "utf8"), /uvx/);
	assert.equal((await runCli(["rm", "time"], { cwd: folder })).code, 3);
});

test("the commands are the same as processes of their own", async (context) => {
	const { folder, backend } = await startStandIn(context);
	const ls = await execCli(["ls"], { cwd: folder });
	assert.match(ls.stdout, /time +ready/);
	assert.deepEqual([ls.code, ls.stderr], [0, ""]);
	const call = await execCli(["call", "time", "now", "--args", "-"], { cwd: folder, input: "{}" });
	assert.deepEqual(call, { code: 0, stdout: "12:00\n", stderr: "" });
	const unknown = await execCli(["nothing"], { cwd: folder });
	assert.equal(unknown.code, 2);
	backend.tool_hangs = true;
	const hanging = spawnCli(["call", "time", "now"], { cwd: folder });
	await until(() => backend.calls.filter((one) => one.startsWith("callTool")).length === 2);
	hanging.kill("SIGINT");
	const code = await new Promise((resolve) => hanging.once("exit", resolve));
	assert.equal(code, 130);
});

test("a reader that has seen enough ends a followed log quietly", async (context) => {
	const { folder, backend } = await startStandIn(context);
	const child = spawnCli(["logs", "-f"], { cwd: folder });
	let stderr = "";
	child.stderr.on("data", (chunk: Buffer) => {
		stderr += chunk.toString();
	});
	await until(() => backend.followers.size === 1);
	child.stdout.destroy();
	const exited = new Promise((resolve) => child.once("exit", resolve));
	const write = () => {
		for (const follower of backend.followers) follower(logLine("more"));
	};
	await until(() => {
		write();
		return child.exitCode !== null;
	});
	assert.equal(await exited, 0);
	assert.equal(stderr, "");
});
