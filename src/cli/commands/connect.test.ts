import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { runCli } from "../../../test/support/run-cli.ts";
import { startStandIn } from "../../../test/support/stand-in-gateway.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { client_kinds } from "../connect/clients.ts";

interface Case {
	readonly client: string;
	readonly platform: NodeJS.Platform;
	readonly environment?: Record<string, string>;
	/** Below the home folder. */
	readonly path: string;
}

const cases: readonly Case[] = [
	{
		client: "claude-desktop",
		platform: "darwin",
		path: "Library/Application Support/Claude/claude_desktop_config.json",
	},
	{
		client: "claude-desktop",
		platform: "linux",
		path: ".config/Claude/claude_desktop_config.json",
	},
	{ client: "claude-code", platform: "linux", path: ".claude.json" },
	{ client: "cursor", platform: "darwin", path: ".cursor/mcp.json" },
	{ client: "vscode", platform: "linux", path: ".config/Code/User/mcp.json" },
	{
		client: "vscode",
		platform: "darwin",
		path: "Library/Application Support/Code/User/mcp.json",
	},
	{ client: "codex", platform: "linux", path: ".codex/config.toml" },
];

for (const { client, platform, path } of cases) {
	test(`${client} on ${platform} is written to ~/${path}, and undone`, async (context) => {
		const gateway = await startStandIn(context);
		const world = { cwd: gateway.folder, platform };
		const file = join(gateway.folder, "home", path);
		const connected = await runCli(["connect", client], world);
		assert.equal(connected.code, 0, connected.stderr);
		const text = await readFile(file, "utf8");
		if (client === "claude-desktop") {
			const { mcpServers } = JSON.parse(text) as { mcpServers: unknown };
			assert.deepEqual(mcpServers, {
				moorage: {
					command: "/usr/bin/node",
					args: ["/opt/moorage/bin/moorage", "stdio", "--data", gateway.data],
				},
			});
		} else {
			assert.ok(text.includes(`${gateway.url}/mcp`), text);
		}
		const again = await runCli(["connect", client], world);
		assert.match(again.stdout, /is connected already/);
		assert.equal(await readFile(file, "utf8"), text);
		assert.deepEqual(await readdir(dirname(file)), [path.split("/").at(-1)]);
		const undone = await runCli(["connect", client, "--undo"], world);
		assert.equal(undone.code, 0);
		assert.ok(!(await readFile(file, "utf8")).includes("moorage"));
		const nothing = await runCli(["connect", client, "--undo"], world);
		assert.match(nothing.stdout, /There is no "moorage"/);
	});
}

test("the clients' own variables for the place of their files are followed", async (context) => {
	const gateway = await startStandIn(context);
	const environment = {
		XDG_CONFIG_HOME: join(gateway.folder, "xdg"),
		CODEX_HOME: join(gateway.folder, "codex"),
		CLAUDE_CONFIG_DIR: join(gateway.folder, "claude"),
		APPDATA: join(gateway.folder, "roaming"),
	};
	const places = [
		["vscode", "linux", "xdg/Code/User/mcp.json"],
		["codex", "linux", "codex/config.toml"],
		["claude-code", "linux", "claude/.claude.json"],
		["claude-desktop", "win32", "roaming/Claude/claude_desktop_config.json"],
	] as const;
	for (const [client, platform, path] of places) {
		const world = { cwd: gateway.folder, environment, platform };
		assert.equal((await runCli(["connect", client], world)).code, 0);
		assert.match(await readFile(join(gateway.folder, path), "utf8"), /moorage/);
	}
});

test("other entries and comments stay, and the old file is kept beside", async (context) => {
	const gateway = await startStandIn(context);
	const file = join(gateway.folder, "home", ".cursor", "mcp.json");
	const before = '{\n\t// mine\n\t"mcpServers": {\n\t\t"a": {"command": "x"} // a\n\t}\n}\n';
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, before);
	const world = { cwd: gateway.folder };
	const { stdout } = await runCli(["connect", "cursor"], world);
	const after = await readFile(file, "utf8");
	assert.ok(after.includes("// mine") && after.includes('"a": {"command": "x"}, // a'));
	const backup = /The file as it was: (.+)/.exec(stdout)?.[1] as string;
	assert.equal(await readFile(backup, "utf8"), before);
	await runCli(["connect", "cursor", "--undo"], world);
	assert.equal(await readFile(file, "utf8"), before);
});

test("what a user has added to the entry outlives a new connection", async (context) => {
	const gateway = await startStandIn(context);
	const file = join(gateway.folder, "home", ".claude.json");
	const entry = { command: "old", args: ["x"], env: { A: "1" }, disabled: true };
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, JSON.stringify({ mcpServers: { moorage: entry } }));
	await runCli(["connect", "claude-code"], { cwd: gateway.folder });
	assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
		mcpServers: { moorage: { type: "http", url: `${gateway.url}/mcp`, disabled: true } },
	});
});

test("one endpoint is an entry of its own, which is undone alone", async (context) => {
	const gateway = await startStandIn(context);
	const file = join(gateway.folder, "home", ".claude.json");
	const world = { cwd: gateway.folder };
	await runCli(["connect", "claude-code"], world);
	await runCli(["connect", "claude-code", "--endpoint", "time"], world);
	await runCli(["connect", "claude-code", "--undo"], world);
	assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
		mcpServers: { "moorage-time": { type: "http", url: `${gateway.url}/time/mcp` } },
	});
});

test("an endpoint that is not there is refused with the one that was meant", async (context) => {
	const gateway = await startStandIn(context);
	const world = { cwd: gateway.folder };
	const outcome = await runCli(["connect", "cursor", "--endpoint", "tiem"], world);
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /Did you mean "time"\?/);
});

for (const { id } of client_kinds) {
	test(`${id} --print shows the entry and writes nothing`, async (context) => {
		const gateway = await startStandIn(context);
		const world = { cwd: gateway.folder };
		const printed = await runCli(["connect", id, "--print"], world);
		assert.equal(printed.code, 0);
		assert.match(printed.stdout, id === "codex" ? /^\[mcp_servers\.moorage\]/ : /^\{/);
		const json = await runCli(["connect", id, "--print", "--json"], world);
		assert.equal((JSON.parse(json.stdout) as { client: string }).client, id);
		assert.deepEqual(await readdir(gateway.folder), [".moorage"]);
	});
}

test("a file that cannot be read is refused with its place, and not changed", async (context) => {
	const gateway = await startStandIn(context);
	const broken = [
		[".cursor/mcp.json", '{\n  "mcpServers": {,}\n}', "cursor", /mcp\.json:2:18: .*not valid JSON/],
		[".codex/config.toml", "a = 1\n[b\n", "codex", /config\.toml:2:\d+: .*not valid TOML/],
	] as const;
	for (const [path, text, client, message] of broken) {
		const file = join(gateway.folder, "home", path);
		await mkdir(dirname(file), { recursive: true });
		await writeFile(file, text);
		for (const undo of [[], ["--undo"]]) {
			const outcome = await runCli(["connect", client, ...undo], { cwd: gateway.folder });
			assert.equal(outcome.code, 1);
			assert.match(outcome.stderr, message);
		}
		assert.equal(await readFile(file, "utf8"), text);
		assert.deepEqual(await readdir(dirname(file)), [path.split("/").at(-1)]);
	}
});

test("a gateway is not written into the file it runs from", async (context) => {
	const folder = await tempFolder(context);
	const file = join(folder, ".cursor", "mcp.json");
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, '{"mcpServers": {}}');
	const gateway = await startStandIn(context, { config_path: file });
	const world = { cwd: gateway.folder, home: folder };
	const outcome = await runCli(["connect", "cursor"], world);
	assert.equal(outcome.code, 1);
	assert.match(outcome.stderr, /it would host itself/);
	assert.equal(await readFile(file, "utf8"), '{"mcpServers": {}}');
});

test("without a gateway the address of the configuration here is written", async (context) => {
	const folder = await tempFolder(context, {
		"moorage.yaml": "version: 1\nlisten: 127.0.0.1:9321\n",
	});
	const outcome = await runCli(["connect", "claude-code"], { cwd: folder });
	assert.equal(outcome.code, 0);
	assert.match(outcome.stderr, /No gateway runs right now/);
	const text = await readFile(join(folder, "home", ".claude.json"), "utf8");
	assert.match(text, /http:\/\/127\.0\.0\.1:9321\/mcp/);
});

test("an unknown client and clashing options are mistakes of the command line", async (context) => {
	const folder = await tempFolder(context);
	const unknown = await runCli(["connect", "cursr"], { cwd: folder });
	assert.equal(unknown.code, 2);
	assert.match(unknown.stderr, /Did you mean "cursor"\?/);
	const both = await runCli(["connect", "cursor", "--print", "--undo"], { cwd: folder });
	assert.equal(both.code, 2);
});
