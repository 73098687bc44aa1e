import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { fixturePath } from "../support/fixtures.ts";
import { eventually } from "../support/processes.ts";
import { cli_path, spawnCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startUp } from "../support/up-process.ts";

const info = { name: "stdio-test", version: "1.0.0" };

function fixture(name: string, ...args: string[]) {
	return { command: process.execPath, args: [fixturePath(name), ...args] };
}

function bridge(folder: string, ...words: string[]) {
	const data = ["--data", join(folder, ".moorage")];
	return {
		command: process.execPath,
		args: [cli_path, "stdio", ...words, ...data],
		cwd: folder,
		stderr: "ignore" as const,
	};
}

/** The official clients on standard streams, each in the way it speaks. */
const clients = {
	"SDK 1.x": async (folder: string, ...words: string[]) => {
		const client = new ClientV1(info, { capabilities: {} });
		await client.connect(new StdioV1(bridge(folder, ...words)));
		return client;
	},
	"SDK 2.x legacy": async (folder: string, ...words: string[]) => {
		const client = new ClientV2(info);
		await client.connect(new StdioV2(bridge(folder, ...words)));
		return client;
	},
	"SDK 2.x modern": async (folder: string, ...words: string[]) => {
		const client = new ClientV2(info, {
			versionNegotiation: { mode: { pin: "2026-07-28" } },
		});
		await client.connect(new StdioV2(bridge(folder, ...words)));
		return client;
	},
} as const;

async function startGateway(context: TestContext, servers: object) {
	const folder = await tempFolder(context, {
		"mcp.json": JSON.stringify({ mcpServers: servers }),
	});
	const up = startUp(context, ["--json"], { cwd: folder });
	const ready = await up.ready();
	return { folder, up, ready };
}

for (const [name, connect] of Object.entries(clients)) {
	test(`${name} on standard streams lists and calls, and outlives a killed gateway`, async (context) => {
		const { folder, up, ready } = await startGateway(context, { echo: fixture("echo") });
		const client = await connect(folder);
		context.after(() => client.close());
		const { tools } = await client.listTools();
		assert.deepEqual(
			tools.map((tool) => tool.name),
			["echo__echo"],
		);
		const call = async (text: string) => {
			const result = await client.callTool({ name: "echo__echo", arguments: { text } });
			assert.deepEqual(result.content, [{ type: "text", text }]);
		};
		await call("before");
		up.child.kill("SIGKILL");
		await up.exited;
		// Sent while nobody is there, accepted by the next gateway, on whichever port.
		const waiting = call("while it is away");
		const next = startUp(context, ["--json"], { cwd: folder });
		assert.notEqual((await next.ready()).url, ready.url);
		await waiting;
		await call("after");
		await client.close();
		assert.equal(await next.stop(), 0);
	});
}

test("one endpoint is bridged as it is, with no name changed", async (context) => {
	const { folder, up } = await startGateway(context, { echo: fixture("echo") });
	const client = await clients["SDK 1.x"](folder, "echo");
	context.after(() => client.close());
	const { tools } = await client.listTools();
	assert.deepEqual(
		tools.map((tool) => tool.name),
		["echo"],
	);
	await client.close();
	// The session went with its client.
	await eventually(
		async () => {
			const status = spawnCli(["status", "--json"], { cwd: folder });
			const chunks = await status.stdout.toArray();
			return JSON.parse(Buffer.concat(chunks).toString()) as { sessions: number };
		},
		({ sessions }) => sessions === 0,
	);
	assert.equal(await up.stop(), 0);
});

test("a question of the server reaches the client behind the bridge", async (context) => {
	const { folder } = await startGateway(context, { asking: fixture("asking") });
	const client = new ClientV1(info, { capabilities: { elicitation: {} } });
	let asked = 0;
	client.setRequestHandler(ElicitRequestSchema, async () => {
		asked += 1;
		return { action: "accept", content: { name: "Ada" } };
	});
	await client.connect(new StdioV1(bridge(folder, "asking")));
	context.after(() => client.close());
	const { tools } = await client.listTools();
	const tool = tools.find(({ name }) => /elicit|ask/.test(name))?.name as string;
	const result = await client.callTool({ name: tool, arguments: {} });
	assert.equal(asked, 1);
	assert.notEqual(result.isError, true);
	await client.close();
});

test("with --config a configuration is hosted for one client, and ends with it", async (context) => {
	const folder = await tempFolder(context, {
		"mine.json": JSON.stringify({ mcpServers: { echo: fixture("echo") } }),
	});
	const client = await clients["SDK 2.x modern"](folder, "--config", "mine.json");
	const result = await client.callTool({ name: "echo__echo", arguments: { text: "hi" } });
	assert.deepEqual(result.content, [{ type: "text", text: "hi" }]);
	const ls = async () => {
		const child = spawnCli(["ls", "--json"], { cwd: folder });
		const chunks = await child.stdout.toArray();
		return JSON.parse(Buffer.concat(chunks).toString()) as { running?: boolean };
	};
	assert.equal((await ls()).running, true);
	await client.close();
	await eventually(ls, ({ running }) => running === false);
});
