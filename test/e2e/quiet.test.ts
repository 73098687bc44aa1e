import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectV1, connectV2Modern } from "../support/clients.ts";
import { stdioFixture } from "../support/gateway.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startTraced } from "../support/traced-gateway.ts";
import { addressesIn, addressesOf, tracingObstacle } from "../support/traced-network.ts";

const skip = tracingObstacle();

test("nothing leaves the machine that the configuration did not ask for", { skip }, async (t) => {
	const moorage = await startTraced(t, "mcp.json", {
		mcpServers: { echo: stdioFixture("echo"), asking: stdioFixture("asking") },
	});
	for (const connect of [connectV1, connectV2Modern]) {
		const client = await connect(moorage.address);
		await client.listTools();
		const answer = await client.callTool({ name: "echo__echo", arguments: { text: "ahoy" } });
		assert.match(JSON.stringify(answer.content), /ahoy/);
		await client.close();
	}
	const trace = await moorage.stop();
	assert.match(trace, new RegExp(`^${moorage.report.pid} .*exited with 0`, "m"));
	assert.deepEqual(addressesIn(trace), []);
});

test("the trace would show it: a connection, a datagram, a lookup", { skip }, async (t) => {
	const trace = join(await tempFolder(t), "trace");
	const traced = (script: string) => addressesOf(trace, [process.execPath, "-e", script]);
	const connects =
		'require("node:net").connect(9, "192.0.2.1").on("error", () => {});' +
		"setImmediate(() => process.exit());";
	assert.deepEqual(await traced(connects), ["192.0.2.1"]);
	const sends =
		'const s = require("node:dgram").createSocket("udp4").on("error", () => {});' +
		's.send("x", 9, "192.0.2.2", () => s.close())';
	assert.deepEqual(await traced(sends), ["192.0.2.2"]);
	const asks =
		'const { Resolver } = require("node:dns"); const r = new Resolver({ timeout: 1, tries: 1 });' +
		'r.setServers(["127.0.0.1"]); r.resolve4("name.invalid", () => {})';
	assert.deepEqual(await traced(asks), ["127.0.0.1"]);
});
