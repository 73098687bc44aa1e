import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectV1, connectV2Legacy, connectV2Modern } from "../support/clients.ts";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { parse, type RawStream, textOf } from "../support/raw-client.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

/** What a client hears while its call runs, and how it takes a call back: every combination. */

const eras = ["legacy", "modern"] as const;
const drivers = ["stdio", "http"] as const;

let gateway: TestGateway;
let remotes: HttpFixture[];

before(async () => {
	const kinds = ["progress", "slow"].flatMap((name) =>
		eras.map((era) => ({ key: `${name}-http-${era}`, name, era })),
	);
	remotes = await Promise.all(
		kinds.map(({ name, era }) => startHttpFixture(name, ["--http", "--era", era])),
	);
	const http = kinds.map(({ key }, at) => [key, { url: remotes[at]?.url }] as const);
	const stdio = kinds.map(({ name, era }) => [
		`${name}-stdio-${era}`,
		stdioFixture(name, "--era", era),
	]);
	gateway = await startGateway({ servers: Object.fromEntries([...http, ...stdio]) });
});

after(async () => {
	await gateway.stop();
	await Promise.all(remotes.map((remote) => remote.stop()));
});

function hold(client: WireClient, tool: string, key: string, id?: string): Promise<RawStream> {
	return client.open({
		method: "tools/call",
		params: `{"name":"${tool}","arguments":{"key":"${key}"}}`,
		meta: '"progressToken":"held"',
		...(id === undefined ? {} : { id }),
	});
}

/** Takes a call back the way the client's era does it. */
async function cancel(client: WireClient, stream: RawStream, id: string): Promise<void> {
	if (client.era === "modern") {
		stream.close();
		return;
	}
	const params = `{"requestId":${id},"reason":"changed my mind"}`;
	await client.notify(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
	// A cancelled legacy request may be answered or not; its stream is over either way.
	await stream.ended;
}

for (const driver of drivers) {
	for (const server_era of eras) {
		for (const client_era of eras) {
			describe(`${client_era} client, ${server_era} server over ${driver}`, () => {
				progressTests(client_era, `progress-${driver}-${server_era}`);
				cancelTests(client_era, `slow-${driver}-${server_era}`, server_era);
			});
		}
	}
}

function progressTests(era: "legacy" | "modern", server: string): void {
	test("progress arrives in order ahead of the reply, at both addresses", async () => {
		for (const [endpoint, tool] of [
			[server, "steps"],
			["mcp", `${server}__steps`],
		] as const) {
			const client = await openWire(era, gateway.address(endpoint));
			const answer = await client.send({
				method: "tools/call",
				params: `{"name":"${tool}","arguments":{"steps":5}}`,
				meta: '"progressToken":"mine"',
			});
			const progress = answer.messages.slice(0, -1).map(parse);
			assert.deepEqual(
				progress.map(({ params }) => [params.progressToken, params.progress]),
				[1, 2, 3, 4, 5].map((step) => ["mine", step]),
			);
			assert.match(textOf(parse(answer.messages.at(-1))), /^5 steps, token /);
		}
	});

	test("without a token there is no progress, and the answer is one JSON document", async () => {
		const client = await openWire(era, gateway.address(server));
		const answer = await client.send({
			method: "tools/call",
			params: '{"name":"steps","arguments":{"steps":3}}',
		});
		assert.equal(textOf(parse(answer.messages.at(-1))), "3 steps, token null");
		assert.equal(answer.messages.length, 1);
	});
}

function cancelTests(era: "legacy" | "modern", server: string, server_era: string): void {
	test("a call that is taken back is cancelled at the server, and no other", async () => {
		const client = await openWire(era, gateway.address(server));
		const key = `${era}-${server_era}`;
		const [first, second] = await Promise.all([
			hold(client, "hold", `${key}-1`, '"first"'),
			hold(client, "hold", `${key}-2`, '"second"'),
		]);
		await Promise.all(
			[first, second].map((stream) =>
				stream.until(({ method }) => method === "notifications/progress"),
			),
		);
		const cancelled_before = textOf(await client.call("cancelled", "{}"));
		const count = cancelled_before === "" ? 0 : cancelled_before.split(",").length;
		await cancel(client, first, '"first"');
		const cancelled = textOf(await client.call("cancelled", `{"count":${count + 1}}`));
		assert.ok(cancelled.split(",").includes(`${key}-1`), cancelled);
		assert.ok(!cancelled.split(",").includes(`${key}-2`), cancelled);
		assert.equal(textOf(await client.call("release", `{"key":"${key}-2"}`)), "true");
		assert.equal(textOf(await second.reply()), `released ${key}-2`);
	});
}

test("cancelling what is over, unknown or another session's is ignored", async () => {
	const address = gateway.address("slow-stdio-legacy");
	const [one, two] = await Promise.all([openWire("legacy", address), openWire("legacy", address)]);
	assert.ok(one !== undefined && two !== undefined);
	const stream = await hold(one, "hold", "safe", "7");
	await stream.until(({ method }) => method === "notifications/progress");
	const cancelled = (id: string) =>
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
	await two.notify(cancelled("7"));
	await one.notify(cancelled('"7"'));
	await one.notify(cancelled("8"));
	await one.notify('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}');
	assert.equal(textOf(await one.call("release", '{"key":"safe"}')), "true");
	assert.equal(textOf(await stream.reply()), "released safe");
	await one.notify(cancelled("7"));
	assert.equal((await one.ask({ method: "ping" })).error, undefined);
});

test("a legacy client that loses its connection has not cancelled anything", async () => {
	const client = await openWire("legacy", gateway.address("slow-stdio-legacy"));
	const stream = await hold(client, "hold", "dropped");
	await stream.until(({ method }) => method === "notifications/progress");
	stream.close();
	await stream.ended;
	assert.equal(textOf(await client.call("release", '{"key":"dropped"}')), "true");
	const cancelled = textOf(await client.call("cancelled", "{}"));
	assert.ok(!cancelled.split(",").includes("dropped"), cancelled);
});

test("log messages come at the level the client asked for, and to modern clients only then", async () => {
	const chatter = '"name":"chatter","arguments":{}';
	for (const server of ["progress-stdio-legacy", "progress-http-modern"]) {
		for (const era of eras) {
			const client = await openWire(era, gateway.address(server));
			const levels: readonly (string | undefined)[] =
				era === "modern" ? ["debug", "error", undefined] : ["debug", "error"];
			for (const level of levels) {
				if (era === "legacy") {
					await client.ask({ method: "logging/setLevel", params: `{"level":"${level}"}` });
				}
				const wish = `"io.modelcontextprotocol/logLevel":"${level}"`;
				const meta = era === "modern" && level !== undefined ? `,${wish}` : "";
				const stream = await client.open({
					method: "tools/call",
					id: '"log"',
					params: `{${chatter}}`,
					meta: `"progressToken":1${meta}`,
				});
				if (level === "debug") {
					const { params } = await stream.until(({ method }) => method === "notifications/message");
					assert.equal(params.data, "working");
				} else {
					await stream.until(({ method }) => method === "notifications/progress");
				}
				await cancel(client, stream, '"log"');
				if (level !== "debug") assert.doesNotMatch(stream.texts(), /notifications\/message/);
			}
		}
	}
});

for (const [name, connect] of [
	["SDK 1.x", connectV1],
	["SDK 2.x legacy", connectV2Legacy],
	["SDK 2.x modern", connectV2Modern],
] as const) {
	test(`${name} hears progress and aborts a call`, async () => {
		for (const server_era of eras) {
			const client = await connect(gateway.address(`progress-stdio-${server_era}`));
			const heard: number[] = [];
			const options = { onprogress: ({ progress }: { progress: number }) => heard.push(progress) };
			const call = { name: "steps", arguments: { steps: 3 } };
			const caller = client as unknown as Calling;
			await (connect === connectV1
				? caller.callTool(call, undefined, options)
				: caller.callTool(call, options));
			assert.deepEqual(heard, [1, 2, 3]);
			await client.close();

			const holder = await connect(gateway.address(`slow-http-${server_era}`));
			const abort = new AbortController();
			const key = `sdk ${name} ${server_era}`;
			const held = { name: "hold", arguments: { key } };
			const with_abort = { signal: abort.signal, onprogress: () => abort.abort() };
			const aborting = holder as unknown as Calling;
			await assert.rejects(
				connect === connectV1
					? aborting.callTool(held, undefined, with_abort)
					: aborting.callTool(held, with_abort),
			);
			const watcher = await openWire("modern", gateway.address(`slow-http-${server_era}`));
			for (let count = 1; ; count += 1) {
				const cancelled = textOf(await watcher.call("cancelled", `{"count":${count}}`));
				if (cancelled.split(",").includes(key)) break;
				count = cancelled.split(",").length;
			}
			await holder.close();
		}
	});
}

/** How both SDKs call tools: 1.x has a schema between the call and its options. */
interface Calling {
	callTool(call: object, ...rest: unknown[]): Promise<unknown>;
}
