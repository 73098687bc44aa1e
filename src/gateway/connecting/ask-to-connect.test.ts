import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../../test/support/calls.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { askToConnect, pageFirst } from "./ask-to-connect.ts";

const random = new SeededRandom(1);
const page = "https://gateway.example/page";
const context = {
	clock: new FakeClock(),
	random,
	connections: { pageFor: () => page, granted: () => new Promise(() => undefined) },
} as unknown as GatewayContext;
const needed: Reply = {
	kind: "fault",
	fault: makeFault(random, {
		...{ code: "authorization_required", message: "Why.", level: "info" },
		retry_safe: true,
	}),
};

/** A request of a client that can show pages, and what it was asked meanwhile. */
function requestOf(method: string, grant: string) {
	const asked: string[] = [];
	const spec = { driver: "http", url: "https://mcp.example.com/mcp", auth: { grant } };
	const call = callFor({ method, params: { name: "t" } });
	const client = {
		...call.client,
		...{ era: "legacy", revision: "2025-11-25", capabilities: '{"elicitation":{"url":{}}}' },
	};
	const ask: Call["sink"]["ask"] = ({ message, answer }) => {
		asked.push(message.bytes.toString());
		answer(undefined as never);
	};
	const target = { server: { name: "notes", spec } };
	const sink = { notify: () => undefined, ask };
	return { call: { ...call, client, target, sink } as unknown as Call, asked };
}

test("whoever lists is told to ask again, and whoever calls that the call goes on", async () => {
	const list = requestOf("tools/list", "authorization_code");
	const first = JSON.stringify(pageFirst(list.call, needed, context));
	assert.match(first, /needs your own account.*Ask again when you have\./);
	assert.doesNotMatch(first, /The call goes on/);
	const { call, asked } = requestOf("tools/call", "authorization_code");
	await askToConnect(call, needed, context);
	assert.match(asked.join(), /needs your own account.*The call goes on when you have\./);
});

test("whose identity is exchanged is sent to their provider", async () => {
	const list = requestOf("tools/list", "id_jag");
	const first = JSON.stringify(pageFirst(list.call, needed, context));
	assert.match(first, /Sign in there at your provider\. Ask again when you have\./);
	const { call, asked } = requestOf("tools/call", "token_exchange");
	await askToConnect(call, needed, context);
	assert.match(asked.join(), /Sign in there at your provider\. The call goes on when you have\./);
	assert.doesNotMatch(asked.join(), /needs your own account/);
});
