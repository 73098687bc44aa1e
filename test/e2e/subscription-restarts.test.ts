import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, type RawStream, textOf } from "../support/raw-client.ts";
import { type LegacyWire, ModernWire, openLegacy } from "../support/wire-clients.ts";

/** Who watches a resource hears of it after its server, or the gateway, was started anew. */

const uri = "counter://value";
const updated = ({ method }: Parsed) => method === "notifications/resources/updated";

let folder: string;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-restart-"));
});

after(() => rm(folder, { recursive: true, force: true }));

const start = (port: number) =>
	startGateway(
		{
			servers: {
				legacy: stdioFixture("watched"),
				modern: stdioFixture("watched", "--era", "modern"),
			},
		},
		{
			folder,
			port,
			wrong: [
				{
					hop: "clients",
					direction: "to-server",
					complaint: /UnsubscribeRequest .*required property 'uri'/u,
					why: "A client that does not say what it is done with is told so.",
				},
			],
		},
	);

/** A modern client's stream for the resource, once it is acknowledged. */
async function listen(client: ModernWire): Promise<RawStream> {
	const params = `{"notifications":{"resourceSubscriptions":["${uri}"]}}`;
	const stream = await client.open({ method: "subscriptions/listen", params });
	await stream.until(({ method }) => method === "notifications/subscriptions/acknowledged");
	return stream;
}

/** A session's own stream, opened or taken up; `read` waits for a text and notes the ids. */
async function openPush(
	client: LegacyWire,
	last?: string,
): Promise<{ ids: string[]; read: Reader }> {
	const headers = {
		...client.headers({}),
		...(last === undefined ? {} : { "last-event-id": last }),
	};
	const response = await fetch(client.address, { headers });
	assert.equal(response.status, 200);
	assert.ok(response.body !== null);
	const reader = response.body.getReader();
	const ids: string[] = [];
	let text = "";
	const read: Reader = async (pattern) => {
		while (!pattern.test(text)) {
			const { done, value } = await reader.read();
			assert.ok(!done, `the stream ended without it: ${text}`);
			text += Buffer.from(value).toString("utf8");
		}
		ids.push(...[...text.matchAll(/^id: ?(.*)$/gm)].map(([, id]) => id ?? ""));
		text = "";
	};
	return { ids, read };
}

type Reader = (pattern: RegExp) => Promise<void>;

/** Changes the resource once so many subscriptions to it are there. */
async function touch(gateway: TestGateway, server: string): Promise<void> {
	const actor = new ModernWire(gateway.address(server));
	assert.equal(textOf(await actor.call("watchers", '{"count":1}')), "1", server);
	await actor.call("touch");
}

for (const server of ["legacy", "modern"]) {
	test(`updates of a ${server} server arrive after it and the gateway were started anew`, async () => {
		const first = await start(0);
		const port = Number(new URL(first.url).port);
		const client = await openLegacy(first.address(server));
		const push = await openPush(client);
		await push.read(/^id:/m);
		const { error } = await client.ask({
			method: "resources/subscribe",
			params: `{"uri":"${uri}"}`,
		});
		assert.equal(error, undefined);
		const modern = new ModernWire(first.address(server));
		const stream = await listen(modern);
		await touch(first, server);
		await Promise.all([push.read(/resources\/updated[\s\S]*\n\n/), stream.until(updated)]);

		stream.forget();
		await modern.call("exit");
		await touch(first, server);
		await Promise.all([push.read(/resources\/updated[\s\S]*\n\n/), stream.until(updated)]);

		await first.stop();
		await stream.ended;
		const second = await start(port);
		try {
			const resumed = await openPush(client, push.ids.at(-1));
			const again = await listen(modern);
			await touch(second, server);
			await Promise.all([resumed.read(/resources\/updated[\s\S]*\n\n/), again.until(updated)]);
			again.close();
			// The session still is the only one, and its last word is heard by the server.
			const params = `{"uri":"${uri}"}`;
			const left = await client.ask({ method: "resources/unsubscribe", params });
			assert.equal(left.error, undefined);
			assert.equal(textOf(await modern.call("watchers", '{"count":0}')), "0");
		} finally {
			await second.stop();
		}
	});
}

test("whoever stops watching what nobody has, or nobody watched, has what it wants", async () => {
	const gateway = await start(0);
	try {
		for (const endpoint of ["mcp", "legacy"]) {
			const client = await openLegacy(gateway.address(endpoint));
			for (const unknown of ["none://x", "moorage://gone/none://x", uri]) {
				const params = JSON.stringify({ uri: unknown });
				const answer = await client.ask({ method: "resources/unsubscribe", params });
				assert.deepEqual(answer.result, {}, `${unknown} at ${endpoint}`);
			}
			const nothing = await client.ask({ method: "resources/unsubscribe" });
			assert.equal(nothing.error.code, -32602);
		}
	} finally {
		await gateway.stop();
	}
});
