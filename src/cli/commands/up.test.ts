import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connectV1 } from "../../../test/support/clients.ts";
import { fixturePath } from "../../../test/support/fixtures.ts";
import { eventually } from "../../../test/support/processes.ts";
import { execCli, runCli } from "../../../test/support/run-cli.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { startUp } from "../../../test/support/up-process.ts";
import { readDataLock } from "../../hosting/process/data-lock.ts";

function fixture(name: string, ...args: string[]) {
	return { command: process.execPath, args: [fixturePath(name), ...args] };
}

function mcpJson(servers: object): string {
	return JSON.stringify({ mcpServers: servers });
}

test("up hosts an mcp.json, tells where in one JSON object, and stops on SIGTERM", async (context) => {
	const folder = await tempFolder(context, { "mcp.json": mcpJson({ echo: fixture("echo") }) });
	const up = startUp(context, ["--json"], { cwd: folder });
	const ready = await up.ready();
	assert.equal(ready.mcp_url, `${ready.url}/mcp`);
	assert.equal(ready.config, join(folder, "mcp.json"));
	assert.deepEqual(
		ready.servers.map(({ name, state, tools }) => [name, state, tools]),
		[["echo", "ready", 1]],
	);
	assert.match(await readFile(ready.admin_token_path, "utf8"), /^moorage_admin_/);

	const client = await connectV1(new URL(ready.mcp_url));
	const result = await client.callTool({ name: "echo__echo", arguments: { text: "hello" } });
	assert.deepEqual(result.content, [{ type: "text", text: "hello" }]);
	await client.close();

	const called = await execCli(["call", "echo", "echo", "text=5"], { cwd: folder });
	assert.deepEqual(called, { code: 0, stdout: "5\n", stderr: "" });
	assert.equal(await up.stop(), 0);
	assert.equal((await readDataLock(join(folder, ".moorage"))).state, "none");
	// What was learned is there while nothing runs.
	const tools = await runCli(["tools", "echo"], { cwd: folder });
	assert.match(tools.stdout, /echo +Says the text again\./);
});

test("up shows each server with its state, and the line to paste into a client", async (context) => {
	const servers = {
		echo: fixture("echo"),
		missing: { command: "no-such-program-anywhere" },
		bad: { command: process.execPath, args: ["-e", "process.exit(3)"] },
	};
	const folder = await tempFolder(context, { "mcp.json": mcpJson(servers) });
	const up = startUp(context, ["mcp.json", "--log-level", "silent"], { cwd: folder });
	await up.printed("Ctrl-C stops it.");
	assert.match(up.stdout, /^Moorage \S+ at http:\/\/127\.0\.0\.1:\d+: 1 of 3 servers ready in /);
	assert.match(up.stdout, /\necho +ready +1 +http:\S+\/echo\/mcp\n/);
	assert.match(up.stdout, /\nmissing +skipped +0 /);
	assert.match(up.stdout, /\nmissing: .*no-such-program-anywhere.*\n/);
	assert.match(up.stdout, /\nbad +retrying +0 /);
	assert.match(up.stdout, /\nbad: .*exited with code 3.*\n/);
	assert.match(up.stdout, /Everything together: +http:\S+\/mcp\n/);
	assert.match(up.stdout, /moorage connect claude-code\n/);
	assert.match(up.stdout, /claude mcp add --transport http moorage http:\S+\/mcp\n/);
	assert.equal(await up.stop(), 0);
});

test("where the call log goes to standard output nothing else does", async (context) => {
	const config = { version: 1, servers: { echo: fixture("echo") }, calls: { log: "stdout" } };
	const folder = await tempFolder(context, { "moorage.yaml": JSON.stringify(config) });
	const up = startUp(context, ["--log-level", "silent"], { cwd: folder });
	await up.said("Ctrl-C stops it.");
	assert.match(up.stderr, /Dashboard: +http:/);
	assert.equal((await execCli(["call", "echo", "echo", "text=5"], { cwd: folder })).code, 0);
	assert.equal(await up.stop(), 0);
	const lines = up.stdout.trimEnd().split("\n");
	const tools = lines.map((line) => (JSON.parse(line) as { tool: string | null }).tool);
	assert.ok(tools.includes("echo"), up.stdout);
});

test("up --quiet prints nothing at all when all is well", async (context) => {
	const folder = await tempFolder(context, { "mcp.json": mcpJson({ echo: fixture("echo") }) });
	const up = startUp(context, ["--quiet"], { cwd: folder });
	const data = join(folder, ".moorage");
	await eventually(
		() => runCli(["status"], { cwd: folder }),
		({ code }) => code === 0,
	);
	assert.equal((await readDataLock(data)).state, "running");
	assert.equal(await up.stop(), 0);
	assert.deepEqual([up.stdout, up.stderr], ["", ""]);
});

test("without any configuration up starts too, and says so", async (context) => {
	const folder = await tempFolder(context);
	const up = startUp(context, ["--json"], { cwd: folder });
	const ready = await up.ready();
	assert.deepEqual(ready.servers, []);
	assert.match(up.stderr, /warning: No configuration was found/);
	assert.equal(await up.stop(), 0);
});

test("servers are added to a running gateway, called, read and removed again", async (context) => {
	const folder = await tempFolder(context, { "moorage.yaml": "version: 1\n# mine\n" });
	const up = startUp(context, ["--json"], { cwd: folder });
	await up.ready();
	const world = { cwd: folder };
	const { command, args } = fixture("stateful");
	const added = await runCli(["add", "counter", "--", command, ...args], world);
	assert.equal(added.code, 0, added.stderr);
	assert.match(added.stdout, /Its address: http:\S+\/counter\/mcp/);
	const written = await readFile(join(folder, "moorage.yaml"), "utf8");
	assert.match(written, /# mine/);
	assert.match(written, /counter:/);
	assert.equal((await runCli(["call", "counter", "increment"], world)).stdout, "1\n");
	assert.equal((await runCli(["call", "counter", "increment"], world)).stdout, "2\n");
	assert.match((await runCli(["ls"], world)).stdout, /counter +ready/);
	assert.match((await runCli(["resources", "counter"], world)).stdout, /counter:\/\/value/);
	const restarted = await runCli(["restart", "counter"], world);
	assert.equal(restarted.code, 0, restarted.stderr);
	assert.equal((await runCli(["call", "counter", "increment"], world)).stdout, "1\n");
	assert.notEqual((await runCli(["logs", "counter"], world)).stdout, "");
	assert.equal((await runCli(["call", "counter", "no_such"], world)).code, 1);
	assert.equal((await runCli(["add", "counter", "--", "x"], world)).code, 1);
	assert.equal((await runCli(["rm", "counter"], world)).code, 0);
	assert.match((await runCli(["ls"], world)).stdout, /No servers yet/);
	const doctor = await runCli(["status", "--json"], world);
	assert.equal((JSON.parse(doctor.stdout) as { pid: number }).pid, up.child.pid);
	assert.equal(await up.stop(), 0);
});

test("SIGHUP and the file itself reload; mistakes are refused and all runs on", async (context) => {
	const write = (servers: object) => writeFile(join(folder, "mcp.json"), mcpJson(servers));
	const folder = await tempFolder(context, { "mcp.json": mcpJson({ echo: fixture("echo") }) });
	const up = startUp(context, ["--json"], { cwd: folder });
	await up.ready();
	const names = async () => {
		const { stdout } = await runCli(["ls", "--json"], { cwd: folder });
		const { servers } = JSON.parse(stdout) as { servers: { name: string }[] };
		return servers.map(({ name }) => name);
	};
	await write({ echo: fixture("echo"), second: fixture("echo") });
	await up.said("added: second");
	assert.deepEqual(await names(), ["echo", "second"]);
	await writeFile(join(folder, "mcp.json"), '{\n  "mcpServers": {\n    "a": 5\n  }\n}');
	await up.said("The new configuration was refused");
	await up.said("mcp.json:3:10:");
	assert.deepEqual(await names(), ["echo", "second"]);
	const reload = await runCli(["reload"], { cwd: folder });
	assert.equal(reload.code, 3);
	assert.match(reload.stderr, /mcp\.json:3:10:/);
	await write({ second: fixture("echo") });
	up.child.kill("SIGHUP");
	await up.said("removed: echo");
	assert.equal(await up.stop(), 0);
});

test("a second Ctrl-C stops at once, however long a server takes", async (context) => {
	const stubborn = { ...fixture("stubborn") };
	const folder = await tempFolder(context, {
		"moorage.yaml": JSON.stringify({
			version: 1,
			servers: {
				stubborn: {
					command: [stubborn.command, ...stubborn.args],
					timeouts: { stop: "1h" },
				},
			},
		}),
	});
	const up = startUp(context, ["--json"], { cwd: folder });
	await up.ready();
	up.child.kill("SIGINT");
	await up.said("once more to stop at once");
	up.child.kill("SIGINT");
	assert.equal(await up.exited, 130);
});

test("what keeps up from starting is told, with what to do next and exit code 3", async (context) => {
	const folder = await tempFolder(context, {
		"bad.yaml": "version: 1\nservers:\n  a:\n    comand: x\n",
		"ask.json": JSON.stringify({
			inputs: [{ id: "key", type: "promptString", description: "Key" }],
			servers: { a: { command: "x", env: { K: "${input:key}" } } },
		}),
		"good.yaml": "version: 1\n",
		file: "",
	});
	const taken = createServer().listen(0, "127.0.0.1");
	await once(taken, "listening");
	context.after(() => taken.close());
	const { port } = taken.address() as { port: number };
	const cases = [
		[["bad.yaml"], /bad\.yaml:4:5: .*comand/],
		[["ask.json"], /ask\.json:1:\d+: .*MOORAGE_INPUT_KEY/],
		[["no-such.yaml"], /no-such\.yaml/],
		[["good.yaml", "--listen", `127.0.0.1:${port}`], /in use.*\n.*--listen/],
		[["good.yaml", "--listen", "0.0.0.0:0"], /does not listen on `0\.0\.0\.0`/],
		[["good.yaml", "--listen", "nonsense"], /HOST:PORT/],
		[["good.yaml", "--data", "file"], /data folder .*file/],
	] as const;
	for (const [args, message] of cases) {
		const outcome = await runCli(["up", "--log-level", "silent", ...args], { cwd: folder });
		assert.equal(outcome.code, 3, `${args.join(" ")}: ${outcome.stderr}`);
		assert.match(outcome.stderr, message);
		assert.equal(outcome.stdout, "");
	}
	const json = await runCli(["up", "bad.yaml", "--json"], { cwd: folder });
	const { error } = JSON.parse(json.stdout) as { error: { config: { line: number }[] } };
	assert.equal(error.config[0]?.line, 4);
	assert.equal((await runCli(["up", "--log-level", "loud"], { cwd: folder })).code, 2);
});

test("a second gateway on the same folder is refused, and the first runs on", async (context) => {
	const folder = await tempFolder(context);
	const up = startUp(context, ["--json"], { cwd: folder });
	const ready = await up.ready();
	const second = await execCli(["up", "--listen", "127.0.0.1:0"], { cwd: folder });
	assert.equal(second.code, 3);
	assert.ok(second.stderr.includes(`already runs on the data folder ${ready.data}`));
	assert.equal((await runCli(["status"], { cwd: folder })).code, 0);
	assert.equal(await up.stop(), 0);
});
