import assert from "node:assert/strict";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { ContainerChild } from "./container-child.ts";
import { Containers, type ContainersOptions } from "./containers.ts";
import { Engine } from "./engine.ts";

/** Containers of an engine that answers as a test tells it to. */
async function house(
	t: TestContext,
	handler: RequestListener,
	more: Partial<ContainersOptions> = {},
) {
	const server = createServer((request, response) => {
		if (request.url === "/_ping") response.end("OK");
		else handler(request, response);
	});
	const socket = join(await tempFolder(t), "engine.sock");
	await new Promise<void>((resolve) => server.listen(socket, resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const engine = new Engine({ DOCKER_HOST: `unix://${socket}` }, systemClock);
	const parts = { clock: systemClock, random: new SeededRandom(1), owner_id: "me" };
	return { engine, containers: new Containers({ engine, ...parts, self: undefined, ...more }) };
}

test("as many containers are started as may be, one more is refused, and one less makes room", async (t) => {
	// containers_max
	const held: ServerResponse[] = [];
	const { containers } = await house(t, (_request, response) => held.push(response), {
		containers_max: 3,
	});
	const spec = { driver: "container", image: "a", args: [], env: {}, runtime: undefined } as const;
	const start = () => {
		const request = { server: "it", command: "", args: [], env: {}, cwd: "/" };
		return containers.spawnerOf(spec, undefined, () => {}).spawn(request);
	};
	const refuse = () => held.shift()?.writeHead(500).end('{"message":"busy"}');
	const starting = [start(), start(), start()];
	await until(() => held.length === 3);
	const refused = await start();
	assert.ok(!refused.ok);
	assert.equal(refused.problem.code, "overloaded");
	assert.equal(refused.problem.message, "3 containers run already; stop some servers first.");
	assert.ok(refused.problem.retry_safe);
	refuse();
	const first = await starting[0];
	assert.ok(first !== undefined && !first.ok && /busy/.test(first.problem.message));
	const next = start();
	await until(() => held.length === 3);
	for (let left = 3; left > 0; left -= 1) refuse();
	for (const outcome of await Promise.all([...starting.slice(1), next])) {
		assert.ok(!outcome.ok && /busy/.test(outcome.problem.message));
	}
});

test("a sweep takes as long as it may, and what is left then is for the next one", async (t) => {
	// sweep_ms_max
	for (const [count, removed] of [
		[9, [9, 0]],
		[10, [10, 0]],
		[11, [10, 1]],
	] as const) {
		const clock = new FakeClock();
		const left = new Set(Array.from({ length: count }, (_, at) => `c${at}`));
		const { containers } = await house(
			t,
			(request, response) => {
				if (request.method === "GET") {
					response.end(JSON.stringify([...left].map((Id) => ({ Id, Labels: {} }))));
					return;
				}
				left.delete(/containers\/(c\d+)/.exec(request.url ?? "")?.[1] ?? "");
				// Each takes a second.
				void clock.advance(1_000).then(() => response.writeHead(204).end());
			},
			{ clock },
		);
		assert.deepEqual([await containers.sweep(), await containers.sweep()], removed);
		assert.equal(left.size, 0);
	}
});

test("an engine that breaks off is asked so often how a container ended, and no more", async (t) => {
	// asked_max
	for (const [broken, reason] of [
		[3, "ran out of memory (limit 1MiB)"],
		[4, "ran out of memory (limit 1MiB)"],
		[5, /^was lost with its container engine, which did not answer/],
	] as const) {
		let waited = 0;
		let told = 0;
		const { engine } = await house(t, (request, response) => {
			if (request.url?.endsWith("/wait") === true) {
				waited += 1;
				if (waited <= broken) request.socket.destroy();
				else response.end("{}");
				return;
			}
			const State = { ExitCode: 137, OOMKilled: true, Running: waited <= broken };
			if (request.url?.endsWith("/json") === true) told += 1;
			response.end(JSON.stringify({ State }));
		});
		const clock = new FakeClock();
		const child = new ContainerChild({
			...{ engine, clock, id: "a", streams: new PassThrough(), notes: [] },
			memory_bytes_max: 1024 ** 2,
		});
		let has_ended = false;
		void child.exited.then(() => {
			has_ended = true;
		});
		while (!has_ended) {
			await until(() => has_ended || clock.pending > 0);
			await clock.advance(60_000);
		}
		if (typeof reason === "string") assert.equal(child.end_reason(), reason);
		else assert.match(child.end_reason() ?? "", reason);
		assert.equal(waited, Math.min(broken + 1, 5));
		assert.equal(told, waited);
	}
});
