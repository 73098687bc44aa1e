import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectV1, connectV2Modern } from "../support/clients.ts";
import { stdioFixture } from "../support/gateway.ts";
import type { UpReport } from "../support/moorage-process.ts";
import { tempFolder } from "../support/temp-folder.ts";
import {
	addressesIn,
	addressesOf,
	spawnTraced,
	tracingObstacle,
} from "../support/traced-network.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const skip = tracingObstacle();

/** `moorage up` with everything it starts under a tracer, ready. */
async function startTraced(t: TestContext) {
	const config = { mcpServers: { echo: stdioFixture("echo"), asking: stdioFixture("asking") } };
	const folder = await tempFolder(t, { "mcp.json": JSON.stringify(config) });
	const trace_path = join(folder, "trace");
	const words = ["up", join(folder, "mcp.json"), "--data", join(folder, "data"), "--json"];
	const command = [process.execPath, program, ...words, "--listen", "127.0.0.1:0"];
	const tracer = spawnTraced(trace_path, command);
	const closed = once(tracer, "close");
	const lines: string[] = [];
	const report = await new Promise<UpReport>((resolve, reject) => {
		createInterface({ input: tracer.stdout }).on("line", (line) => {
			lines.push(line);
			if (line === "}") resolve(JSON.parse(lines.join("\n")) as UpReport);
		});
		tracer.once("close", () => reject(new Error("it ended before it was ready")));
	});
	t.after(() => tracer.kill("SIGKILL"));
	return {
		report,
		address: new URL("/mcp", report.url),
		/** Ends the gateway; everything that was traced. */
		async stop(): Promise<string> {
			process.kill(report.pid, "SIGTERM");
			await closed;
			return readFile(trace_path, "utf8");
		},
	};
}

test("nothing leaves the machine that the configuration did not ask for", { skip }, async (t) => {
	const moorage = await startTraced(t);
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
