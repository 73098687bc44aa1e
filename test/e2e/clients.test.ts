import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sdk_clients } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: {
			echo: stdioFixture("echo"),
			sdk: stdioFixture("sdk-v1-stdio"),
			progress: stdioFixture("progress"),
		},
	});
});

after(() => gateway.stop());

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name} lists and calls the tools of one server`, async () => {
		const client = await connect(gateway.address("echo"));
		const { tools } = await client.listTools();
		assert.ok(tools.some((tool) => tool.name === "echo"));
		const result = await client.callTool({ name: "echo", arguments: { text: "hi" } });
		assert.match(JSON.stringify(result.content), /hi/);
		await client.close();
	});

	test(`${name} lists and calls the tools of all servers at one address`, async () => {
		const client = await connect(gateway.address());
		const { tools } = await client.listTools();
		assert.ok(tools.some((tool) => tool.name === "echo__echo"));
		const result = await client.callTool({ name: "echo__echo", arguments: { text: "all" } });
		assert.match(JSON.stringify(result.content), /all/);
		await client.close();
	});
}
