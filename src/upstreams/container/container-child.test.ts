import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { systemClock } from "../../lib/clock.ts";
import { ContainerChild } from "./container-child.ts";
import { Engine } from "./engine.ts";

/** How an engine answers who waits for a container's end: with it, or by breaking off. */
type Waiting = "ends" | "breaks off" | "fails" | "is silent";

const ran_out = { ExitCode: 137, OOMKilled: true, Running: false };
const runs = { ExitCode: 0, OOMKilled: false, Running: true };

/** A container of an engine that answers in this order, the last of it again and again. */
async function childOf(t: TestContext, waits: readonly Waiting[], states: readonly object[]) {
	const left = { waits: [...waits], states: [...states] };
	const next = <T>(list: T[]): T => (list.length > 1 ? list.shift() : list[0]) as T;
	const handler: RequestListener = (request, response) => {
		const path = request.url ?? "";
		if (!path.endsWith("/wait")) {
			const state = next(left.states);
			const found = { State: state };
			const known = state !== undefined || !path.endsWith("/json");
			response.writeHead(known ? 200 : 404).end(JSON.stringify(known ? found : { message: "no" }));
			return;
		}
		const answer = next(left.waits);
		if (answer === "breaks off") request.socket.destroy();
		else if (answer !== "is silent")
			response.writeHead(answer === "ends" ? 200 : 500).end(JSON.stringify({ message: "busy" }));
	};
	const server = createServer(handler);
	const socket = join(await tempFolder(t), "engine.sock");
	await new Promise<void>((resolve) => server.listen(socket, resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const engine = new Engine({ DOCKER_HOST: `unix://${socket}` }, systemClock);
	const streams = new PassThrough();
	const child = new ContainerChild({
		...{ engine, clock: systemClock, id: "a", streams, notes: [] },
		memory_bytes_max: 128 * 1024 ** 2,
	});
	return { child, streams };
}

for (const waiting of ["ends", "breaks off", "fails"] as const) {
	test(`an engine that ${waiting} is asked how the container ended`, async (t) => {
		const { child } = await childOf(t, [waiting], [ran_out]);
		assert.deepEqual(await child.exited, { code: null, signal: "SIGKILL" });
		assert.equal(child.end_reason(), "ran out of memory (limit 128MiB)");
	});
}

test("an engine that never tells of an end is asked once the streams have ended", async (t) => {
	const { child, streams } = await childOf(t, ["is silent"], [runs, ran_out]);
	streams.destroy();
	await child.exited;
	assert.equal(child.end_reason(), "ran out of memory (limit 128MiB)");
});

test("a container that runs on is waited for again", async (t) => {
	const { child } = await childOf(t, ["breaks off", "ends"], [runs, ran_out]);
	await child.exited;
	assert.equal(child.end_reason(), "ran out of memory (limit 128MiB)");
});

test("a container whose streams are cut is lost, though it runs on", async (t) => {
	const { child, streams } = await childOf(t, ["breaks off"], [runs]);
	streams.destroy();
	await child.exited;
	assert.match(
		child.end_reason() ?? "",
		/^was lost with its container engine, which did not answer/,
	);
});

test("a container that the engine does not know any more was removed", async (t) => {
	const { child } = await childOf(t, ["fails"], []);
	await child.exited;
	assert.equal(child.end_reason(), "was removed from the container engine");
});
