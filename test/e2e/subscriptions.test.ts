import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, type RawStream, textOf } from "../support/raw-client.ts";
import { LegacyWire, openWire, type WireClient } from "../support/wire-clients.ts";

/** What servers say to nobody in particular, and who hears it: every combination of eras. */

const eras = ["legacy", "modern"] as const;
const drivers = ["stdio", "http"] as const;
const uri = "counter://value";

let gateway: TestGateway;
let remotes: HttpFixture[];

before(async () => {
	remotes = await Promise.all([
		startHttpFixture("watched", ["--http"]),
		startHttpFixture("watched", ["--http", "--era", "modern"]),
	]);
	gateway = await startGateway({
		servers: {
			"stdio-legacy": stdioFixture("watched"),
			"stdio-modern": stdioFixture("watched", "--era", "modern"),
			"http-legacy": { url: remotes[0]?.url },
			"http-modern": { url: remotes[1]?.url },
		},
	});
});

after(async () => {
	await gateway.stop();
	await Promise.all(remotes.map((remote) => remote.stop()));
});

const is = (method: string) => (message: Parsed) => message.method === method;
const updated = "notifications/resources/updated";
const tools_changed = "notifications/tools/list_changed";

/** A client that listens: the stream it hears pushes on, and how it stops. */
interface Listener {
	readonly client: WireClient;
	readonly stream: RawStream;
	stop(): Promise<void>;
}

/** Listens for list changes and, where one is given, for one resource. */
async function listen(client: WireClient, resource: string | undefined): Promise<Listener> {
	if (client instanceof LegacyWire) {
		const stream = await client.listen();
		const params = `{"uri":"${resource}"}`;
		if (resource !== undefined) {
			const { error } = await client.ask({ method: "resources/subscribe", params });
			assert.equal(error, undefined, JSON.stringify(error));
		}
		const stop = async () => {
			if (resource !== undefined) await client.ask({ method: "resources/unsubscribe", params });
			stream.close();
		};
		return { client, stream, stop };
	}
	const uris = resource === undefined ? "" : `,"resourceSubscriptions":["${resource}"]`;
	const stream = await client.open({
		method: "subscriptions/listen",
		id: '"my subscription"',
		params: `{"notifications":{"toolsListChanged":true,"promptsListChanged":true${uris}}}`,
	});
	const ack = await stream.until(is("notifications/subscriptions/acknowledged"));
	// What the server cannot do is left out of what is acknowledged.
	assert.deepEqual(ack.params.notifications, {
		toolsListChanged: true,
		...(resource === undefined ? {} : { resourceSubscriptions: [resource] }),
	});
	assert.equal(ack.params._meta["io.modelcontextprotocol/subscriptionId"], "my subscription");
	return { client, stream, stop: async () => stream.close() };
}

/** In the modern era everything on the stream bears its id; in the legacy era nothing does. */
function checkTag({ client }: Listener, { params }: Parsed): void {
	const tag = params?._meta?.["io.modelcontextprotocol/subscriptionId"];
	assert.equal(tag, client.era === "modern" ? "my subscription" : undefined);
}

for (const driver of drivers) {
	for (const server_era of eras) {
		for (const client_era of eras) {
			const server = `${driver}-${server_era}`;
			describe(`${client_era} client, ${server_era} server over ${driver}`, () => {
				updateTests(client_era, server);
				listTests(client_era, server);
			});
		}
	}
}

function updateTests(era: "legacy" | "modern", server: string): void {
	for (const endpoint of [server, "mcp"]) {
		test(`an update of a resource reaches who subscribed, at ${endpoint}`, async () => {
			const exposed = endpoint === "mcp" ? `moorage://${server}/${uri}` : uri;
			const listener = await listen(await openWire(era, gateway.address(endpoint)), exposed);
			const bystander = await listen(await openWire(era, gateway.address(endpoint)), undefined);
			const actor = await openWire("modern", gateway.address(server));
			await actor.call("touch");
			const message = await listener.stream.until(is(updated));
			assert.equal(message.params.uri, exposed);
			checkTag(listener, message);
			await listener.stop();
			// The last one who leaves takes the subscription at the server along.
			assert.equal(textOf(await actor.call("watchers", '{"count":0}')), "0");
			assert.doesNotMatch(bystander.stream.texts(), /resources\/updated/);
			await bystander.stop();
		});
	}

	test("two who subscribe are one subscription at the server, until both have left", async () => {
		const address = gateway.address(server);
		const one = await listen(await openWire(era, address), uri);
		const two = await listen(await openWire(era, address), uri);
		const actor = await openWire("modern", address);
		assert.equal(textOf(await actor.call("watchers", '{"count":1}')), "1");
		await one.stop();
		await actor.call("touch");
		await two.stream.until(is(updated));
		await two.stop();
		assert.equal(textOf(await actor.call("watchers", '{"count":0}')), "0");
	});
}

function listTests(era: "legacy" | "modern", server: string): void {
	test("a changed list is announced at both addresses, and is there when asked for", async () => {
		const name = `extra-${era}`;
		const own = await listen(await openWire(era, gateway.address(server)), undefined);
		const all = await listen(await openWire(era, gateway.address()), undefined);
		const actor = await openWire("modern", gateway.address(server));
		await actor.call("add_tool", `{"name":"${name}"}`);
		for (const [listener, exposed] of [
			[own, name],
			[all, `${server}__${name}`],
		] as const) {
			checkTag(listener, await listener.stream.until(is(tools_changed)));
			const { result } = await listener.client.ask({ method: "tools/list" });
			assert.ok(
				result.tools.some((tool) => tool.name === exposed),
				exposed,
			);
			assert.equal(textOf(await listener.client.call(exposed)), `I am ${name}`);
			listener.stream.forget();
		}
		await actor.call("remove_tool", `{"name":"${name}"}`);
		for (const listener of [own, all]) {
			await listener.stream.until(is(tools_changed));
			const { result } = await listener.client.ask({ method: "tools/list" });
			assert.ok(!result.tools.some((tool) => tool.name.endsWith(name)));
			await listener.stop();
		}
	});
}

test("a resource that its server will not watch is left out, or refused", async () => {
	const forbidden = "counter://forbidden";
	const legacy = await openWire("legacy", gateway.address("stdio-legacy"));
	const params = `{"uri":"${forbidden}"}`;
	const { error } = await legacy.ask({ method: "resources/subscribe", params });
	assert.equal(error.code, -32602);
	const modern = await openWire("modern", gateway.address("stdio-legacy"));
	const stream = await modern.open({
		method: "subscriptions/listen",
		params: `{"notifications":{"resourceSubscriptions":["${forbidden}","${uri}"]}}`,
	});
	const ack = await stream.until(is("notifications/subscriptions/acknowledged"));
	assert.deepEqual(ack.params.notifications, { resourceSubscriptions: [uri] });
	stream.close();
});

test("a subscription is renewed at a server that was started anew", async () => {
	for (const server of ["stdio-legacy", "stdio-modern"]) {
		const listener = await listen(await openWire("legacy", gateway.address(server)), uri);
		const actor = await openWire("modern", gateway.address(server));
		await actor.call("exit");
		assert.equal(textOf(await actor.call("watchers", '{"count":1}')), "1", server);
		await actor.call("touch");
		await listener.stream.until(is(updated));
		await listener.stop();
	}
});

test("streams end with a result when the gateway stops", async () => {
	const own = await startGateway({ servers: { watched: stdioFixture("watched") } });
	const modern = await listen(await openWire("modern", own.address("watched")), uri);
	const legacy = await listen(await openWire("legacy", own.address("watched")), uri);
	const stopped = own.stop();
	const { result } = await modern.stream.reply();
	assert.equal(result.resultType, "complete");
	assert.equal(result._meta["io.modelcontextprotocol/subscriptionId"], "my subscription");
	await Promise.all([modern.stream.ended, legacy.stream.ended, stopped]);
});
