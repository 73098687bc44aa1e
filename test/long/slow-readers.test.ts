import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

/**
 * A server that writes as fast as it can, and a client that does not read: the server has to
 * wait, memory stays bounded, and nobody else notices. When the client reads at last, everything
 * arrives.
 */

const eras = ["legacy", "modern"] as const;
const bytes = 64 * 1024;
const count = 1_200;
/** What the buffers of four sockets and of the gateway may hold between server and client. */
const held_count_max = (56 * 1024 * 1024) / bytes;

let gateway: TestGateway;
let remotes: HttpFixture[];
let folder: string;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-slow-"));
	remotes = await Promise.all([
		startHttpFixture("flooding", ["--http"]),
		startHttpFixture("flooding", ["--http", "--era", "modern"]),
	]);
	// The counters that the programs write lie outside of their volumes.
	const sandbox = { write: [folder] };
	gateway = await startGateway({
		servers: {
			"http-legacy": { url: remotes[0]?.url },
			"http-modern": { url: remotes[1]?.url },
			"stdio-legacy": { ...stdioFixture("flooding"), sandbox },
			"stdio-modern": { ...stdioFixture("flooding", "--era", "modern"), sandbox },
			healthy: stdioFixture("echo"),
		},
	});
});

after(async () => {
	await gateway.stop();
	await Promise.all(remotes.map((remote) => remote.stop()));
	await rm(folder, { recursive: true, force: true });
});

/** A call whose answer is not read until it is wanted. */
interface Unread {
	readonly sent: ClientRequest;
	readonly counter: string;
	/** Resolves with the head of the answer. */
	readonly answered: Promise<IncomingMessage>;
}

function flood(client: WireClient, name: string): Unread {
	const counter = join(folder, `${name}-${client.era}`);
	const call = {
		method: "tools/call",
		params: JSON.stringify({ name: "flood", arguments: { count, bytes, counter } }),
		meta: '"progressToken":"t"',
		id: '"flood"',
	};
	const headers = client.headers(call);
	const sent = request(client.address, { method: "POST", headers, agent: false });
	const answered = new Promise<IncomingMessage>((resolve, reject) => {
		// A response without a listener for its data stays paused.
		sent.once("response", resolve);
		sent.once("error", reject);
	});
	sent.end(client.compose(call));
	return { sent, counter, answered };
}

async function sentSoFar(counter: string): Promise<number> {
	return Number(await readFile(counter, "utf8").catch(() => "0"));
}

/** Waits until the server has stopped; meanwhile every call to another server is answered. */
async function standstill(counter: string): Promise<number> {
	const others = await openWire("modern", gateway.address("healthy"));
	let last = 0;
	for (let same = 0; same < 100; ) {
		assert.equal(textOf(await others.call("echo", '{"text":"on"}')), "on");
		const now = await sentSoFar(counter);
		same = now === last && now > 0 ? same + 1 : 0;
		last = now;
	}
	return last;
}

/** Reads an answer to its end; the progress that came, and whether the result did. */
async function readAll(response: IncomingMessage): Promise<{ steps: number[]; flooded: boolean }> {
	let rest = "";
	const steps: number[] = [];
	let flooded = false;
	for await (const chunk of response) {
		const lines = (rest + String(chunk)).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) {
			const step = /^data: .*"progress":(\d+)/u.exec(line)?.[1];
			if (step !== undefined) steps.push(Number(step));
			else if (line.includes("flooded")) flooded = true;
		}
	}
	return { steps, flooded };
}

for (const server of ["http-legacy", "http-modern", "stdio-legacy", "stdio-modern"]) {
	for (const era of eras) {
		test(`${server} is held back by a ${era} client that does not read`, async (t) => {
			const client = await openWire(era, gateway.address(server));
			const { counter, answered } = flood(client, server);
			const sent = await standstill(counter);
			t.diagnostic(`it stopped after ${((sent * bytes) / 2 ** 20).toFixed(1)} MiB`);
			assert.ok(sent < held_count_max, `${sent} messages are on their way`);
			const { steps, flooded } = await readAll(await answered);
			assert.deepEqual(
				steps,
				Array.from({ length: count }, (_, at) => at + 1),
			);
			assert.ok(flooded);
		});
	}
}

test("at a shared program the slow reader pays: others are answered, a modern one is cut off", async () => {
	const client = await openWire("modern", gateway.address("stdio-legacy"));
	const { counter, answered, sent } = flood(client, "shared");
	await standstill(counter);
	const closed = new Promise((resolve) => sent.once("close", resolve));
	// Another call needs the pipe; whoever does not read is given up for it.
	assert.equal(textOf(await client.call("echo", '{"text":"next"}')), "next");
	const response = await answered;
	response.on("error", () => undefined);
	response.resume();
	await closed;
	assert.equal(textOf(await client.call("echo", '{"text":"again"}')), "again");
	assert.ok((await sentSoFar(counter)) <= count);
});

test("at a shared program a legacy client that reads late misses progress, never the result", async () => {
	const client = await openWire("legacy", gateway.address("stdio-legacy"));
	const { counter, answered } = flood(client, "late");
	await standstill(counter);
	// From here on others use the program all the time, so it is not held back.
	while ((await sentSoFar(counter)) < count) {
		assert.equal(textOf(await client.call("echo", '{"text":"next"}')), "next");
	}
	const { steps, flooded } = await readAll(await answered);
	assert.ok(flooded, "the result comes");
	assert.ok(steps.length < count, `${steps.length} of ${count} came`);
	assert.deepEqual(
		steps,
		steps.toSorted((a, b) => a - b),
	);
});

test("a client that goes away while it is held back leaves nothing behind", async () => {
	for (const server of ["http-modern", "stdio-modern"]) {
		const client = await openWire("modern", gateway.address(server));
		const { counter, answered, sent } = flood(client, `${server}-gone`);
		await standstill(counter);
		const response = await answered;
		response.on("error", () => undefined);
		sent.destroy();
		assert.equal(textOf(await client.call("echo", '{"text":"on"}')), "on");
	}
});
