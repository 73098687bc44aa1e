import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sdk_clients } from "../support/clients.ts";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

interface Client {
	callTool(params: { name: string; arguments: object }): Promise<unknown>;
	listTools(): Promise<{ tools: { name: string }[] }>;
	close(): Promise<void>;
}

let sse: HttpFixture;
let gateway: TestGateway;

before(async () => {
	sse = await startHttpFixture("sdk-v1-sse");
	gateway = await startGateway({
		servers: {
			found: { url: sse.url },
			named: { url: sse.url, transport: "sse" },
			dual: stdioFixture("echo", "--era", "dual"),
			modern: stdioFixture("sdk-v2-stdio", "--modern_only"),
			legacy: stdioFixture("sdk-v1-stdio"),
		},
	});
});

after(async () => {
	await gateway?.stop();
	await sse?.stop();
});

for (const [name, connect] of Object.entries(sdk_clients)) {
	describe(`${name} with servers of every era and transport`, () => {
		for (const server of ["found", "named", "dual", "modern", "legacy"]) {
			test(server, async () => {
				const client = (await connect(gateway.address(server))) as unknown as Client;
				const { tools } = await client.listTools();
				assert.ok(tools.some((tool) => tool.name === "echo"));
				const result = await client.callTool({ name: "echo", arguments: { text: "é" } });
				const { content } = result as { content: { text: string }[] };
				assert.equal(content[0]?.text, "é");
				await client.close();
			});
		}
	});
}
