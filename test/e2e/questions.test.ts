import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
	CreateMessageRequestSchema,
	ElicitRequestSchema,
	ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { connectV1, sdk_clients } from "../support/clients.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers: { asking: stdioFixture("asking") } });
});

after(() => gateway.stop());

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

/** What the test's client answers to each question. */
const answers: Record<string, object> = {
	"elicitation/create": { action: "accept", content: { name: "Ada" } },
	"sampling/createMessage": {
		model: "test-model",
		role: "assistant",
		content: { type: "text", text: "hello" },
	},
	"roots/list": { roots: [{ uri: "file:///work", name: "work" }] },
};

/** SDK 1.x wants the schema of a request where SDK 2.x takes its method. */
const v1_schemas: Record<string, unknown> = {
	"elicitation/create": ElicitRequestSchema,
	"sampling/createMessage": CreateMessageRequestSchema,
	"roots/list": ListRootsRequestSchema,
};

/** The part of both SDKs' clients that answers questions; their types have nothing in common. */
interface Answering {
	setRequestHandler(key: unknown, handler: () => object): void;
}

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name} answers what a legacy server asks in the middle of a call`, async () => {
		const client = await connect(gateway.address("asking"), capabilities);
		for (const [method, answer] of Object.entries(answers)) {
			const key = connect === connectV1 ? v1_schemas[method] : method;
			(client as unknown as Answering).setRequestHandler(key, () => answer);
		}
		const ask = async (tool: string) => {
			const { content } = await client.callTool({ name: tool, arguments: {} });
			const [block] = content as { text: string }[];
			return JSON.parse(block?.text ?? "null").result;
		};
		assert.deepEqual(await ask("elicit"), answers["elicitation/create"]);
		assert.deepEqual(await ask("sample"), answers["sampling/createMessage"]);
		assert.deepEqual(await ask("roots"), answers["roots/list"]);
		await client.close();
	});
}
