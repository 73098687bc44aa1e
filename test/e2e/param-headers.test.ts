import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectV1, connectV2Modern, sdk_clients } from "../support/clients.ts";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

let fixture: HttpFixture;
let gateway: TestGateway;

before(async () => {
	fixture = await startHttpFixture("regions", ["--http", "--era", "modern"]);
	const servers = { regions: { url: fixture.url }, local: stdioFixture("regions") };
	gateway = await startGateway({ servers });
});

after(async () => {
	await gateway?.stop();
	await fixture?.stop();
});

interface ToolCaller {
	callTool(params: { name: string; arguments: object }): Promise<unknown>;
	listTools(): Promise<unknown>;
	close(): Promise<void>;
}

async function textOf(client: ToolCaller, name: string, args: object): Promise<string> {
	const result = await client.callTool({ name, arguments: args });
	const { content } = result as { content: { text: string }[] };
	return content[0]?.text ?? "";
}

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name} calls a tool that wants an argument in a header`, async () => {
		for (const [endpoint, prefix] of [
			["regions", ""],
			["mcp", "regions__"],
		] as const) {
			const client = (await connect(gateway.address(endpoint))) as ToolCaller;
			// A modern client knows from the list which headers it has to send.
			await client.listTools();
			for (const region of ["eu-west", "Zürich ", ""]) {
				const text = await textOf(client, `${prefix}region`, { region });
				assert.equal(text, `${region} by Region`);
			}
			await client.close();
		}
	});
}

/** Posts a modern call as a client would that pays no attention to tool definitions. */
async function post(endpoint: string, tool: string, args: object, headers: Record<string, string>) {
	const response = await fetch(gateway.address(endpoint), {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": "2026-07-28",
			"mcp-method": "tools/call",
			"mcp-name": tool,
			...headers,
		},
		body: JSON.stringify({
			jsonrpc: "2.0",
			id: 1,
			method: "tools/call",
			params: {
				name: tool,
				arguments: args,
				_meta: {
					"io.modelcontextprotocol/protocolVersion": "2026-07-28",
					"io.modelcontextprotocol/clientCapabilities": {},
				},
			},
		}),
	});
	const text = await response.text();
	const json = text.startsWith("{") ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? "{}");
	return { status: response.status, body: JSON.parse(json) };
}

const addresses = [
	["regions", "region"],
	["local", "region"],
	["mcp", "regions__region"],
	["mcp", "local__region"],
] as const;

for (const [endpoint, tool] of addresses) {
	test(`${tool} at /${endpoint}: a header that does not agree is refused before the server hears of it`, async () => {
		const client = await connectV1(gateway.address(tool.includes("local") ? "local" : endpoint));
		await client.close();
		const wrong: [object, Record<string, string>][] = [
			[{ region: "eu" }, {}],
			[{ region: "eu" }, { "mcp-param-region": "us" }],
			[{ region: "Hello" }, { "mcp-param-region": "=?base64?SGVsbG8?=" }],
		];
		for (const [args, headers] of wrong) {
			const { status, body } = await post(endpoint, tool, args, headers);
			assert.equal(status, 400);
			assert.equal(body.error.code, -32020);
			assert.match(body.error.message, /mcp-param-region/);
		}
		const right = await post(endpoint, tool, { region: "eu" }, { "mcp-param-region": "eu" });
		assert.equal(right.status, 200);
		const ignored = await post(endpoint, tool, {}, { "mcp-param-region": "eu" });
		assert.equal(ignored.status, 200);
	});
}

test("a server that renamed its header is asked anew, and the call runs once", async () => {
	const client = (await connectV1(gateway.address("regions"))) as ToolCaller;
	const before_count = Number(await textOf(client, "calls", {}));
	await textOf(client, "rename", { to: "Zone" });
	assert.equal(await textOf(client, "region", { region: "eu" }), "eu by Zone");
	assert.equal(Number(await textOf(client, "calls", {})), before_count + 1);
	await textOf(client, "rename", { to: "Region" });
	assert.equal(await textOf(client, "region", { region: "eu" }), "eu by Region");
	await client.close();
});

test("a modern client that knows the old header is told, and right after a new list", async () => {
	const client = (await connectV2Modern(gateway.address("regions"))) as ToolCaller;
	await client.listTools();
	await textOf(client, "rename", { to: "Area" });
	await client.listTools();
	assert.equal(await textOf(client, "region", { region: "eu" }), "eu by Area");
	await textOf(client, "rename", { to: "Region" });
	await client.close();
});
