import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { connectV1, connectV2Modern } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

/** This server says nothing below "error" until it is told a level. */
const quiet = stdioFixture("matrix/legacy");
let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers: { quiet } });
});

after(() => gateway.stop());

async function talk(
	client: { callTool(params: object): Promise<unknown> },
	key: string,
	meta = {},
) {
	await client.callTool({ name: "talk", arguments: { key }, _meta: meta });
}

async function listening() {
	const client = await connectV1(gateway.address("quiet"));
	const seen: string[] = [];
	let stop = Promise.withResolvers<void>();
	client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
		if (params.data === "end") stop.resolve();
		else seen.push(params.level);
	});
	const upTo = async () => {
		await stop.promise;
		stop = Promise.withResolvers();
		return seen.splice(0);
	};
	return { client, upTo };
}

test("a server hears the most verbose level, and each client what it asked for", async () => {
	const loud = await listening();
	const calm = await listening();
	await loud.client.setLoggingLevel("debug");
	await calm.client.setLoggingLevel("warning");
	await talk(calm.client, "words");
	await talk(calm.client, "end");
	assert.deepEqual(await calm.upTo(), ["warning"]);
	await talk(loud.client, "words");
	await talk(loud.client, "end");
	assert.deepEqual(await loud.upTo(), ["debug", "info", "warning"]);
	await loud.client.close();
	await calm.client.close();
});

test("a modern client's level reaches a legacy server with the call that names it", async () => {
	const client = await connectV2Modern(gateway.address("quiet"));
	const seen: string[] = [];
	const done = Promise.withResolvers<void>();
	client.setNotificationHandler("notifications/message", ({ params }) => {
		seen.push(params.level);
		if (params.level === "warning") done.resolve();
	});
	await talk(client, "silent");
	await talk(client, "words", { "io.modelcontextprotocol/logLevel": "info" });
	await done.promise;
	assert.deepEqual(seen, ["info", "warning"]);
	await client.close();
});
