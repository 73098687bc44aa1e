import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { parse, textOf } from "../support/raw-client.ts";
import { ServerStates } from "../support/server-states.ts";
import { LegacyWire, openWire, replyOf, type WireClient } from "../support/wire-clients.ts";

/** What a server offers is known while it sleeps: lists of it wake nobody. */

const frozen = { idle: { freeze: "20ms", reclaim: "never", stop: "never" } };
const stopped = { idle: { freeze: "never", reclaim: "never", stop: "20ms" } };
const servers = {
	"frozen-legacy": { ...stdioFixture("stateful"), ...frozen },
	"frozen-modern": { ...stdioFixture("stateful", "--era", "modern"), ...frozen },
	"stopped-legacy": { ...stdioFixture("stateful"), ...stopped },
	"stopped-modern": { ...stdioFixture("stateful", "--era", "modern"), ...stopped },
	filtered: { ...stdioFixture("stateful"), ...stopped, tools: { deny: ["whoami"] } },
	paged: { ...stdioFixture("paged", "--tools", "7", "--page", "3"), ...stopped },
	changing: { ...stdioFixture("list-changing"), ...frozen },
	warmed: { ...stdioFixture("stateful"), ...frozen, warm: { on_list: true } },
};
const lists = ["tools/list", "resources/list", "resources/templates/list"];
const eras = ["legacy", "modern"] as const;

let folder: string;
let gateway: TestGateway;
let states = new ServerStates();

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-sleeping-"));
	gateway = await startGateway({ servers }, { folder, onProgress: states.onProgress });
});

after(async () => {
	await gateway.stop();
	await rm(folder, { recursive: true, force: true });
});

/** The result of a list, as JSON. */
async function listed(client: WireClient, method: string): Promise<string> {
	return JSON.stringify(parse(replyOf(await client.send({ method }))).result);
}

for (const server of ["frozen-legacy", "frozen-modern", "stopped-legacy", "stopped-modern"]) {
	const asleep = server.startsWith("frozen") ? "frozen" : "stopped";
	for (const era of eras) {
		test(`lists of ${server} for a ${era} client are those it gives awake, and wake nobody`, async () => {
			await states.reach(server, asleep);
			const client = await openWire(era, gateway.address(server));
			const all = await openWire(era, gateway.address());
			await client.call("value");
			const awake = await Promise.all(lists.map((method) => listed(client, method)));
			await states.reach(server, asleep);
			const before = states.rises(server);
			const sleeping = await Promise.all(lists.map((method) => listed(client, method)));
			// Nothing is promised for a server's own words beside its items.
			for (const [at, text] of sleeping.entries()) {
				assert.deepEqual(JSON.parse(text), JSON.parse(awake[at] as string));
			}
			assert.match(await listed(all, "tools/list"), new RegExp(`"${server}__increment"`));
			const again = await openWire(era, gateway.address(server));
			if (again instanceof LegacyWire) assert.equal(again.hello.result.serverInfo.name, "stateful");
			else assert.match(await listed(again, "server/discover"), /"stateful"/);
			assert.equal(states.of(server)?.state, asleep);
			assert.equal(states.rises(server), before);
		});
	}
}

test("items come as their server wrote them, but for tools that are not offered", async () => {
	const client = await openWire("legacy", gateway.address("filtered"));
	await client.call("value");
	await states.reach("filtered", "stopped");
	const text = replyOf(await client.send({ method: "tools/list" })).toString("utf8");
	const item =
		'{"name":"value","description":"Fixture tool value.","inputSchema":{"type":"object"}}';
	assert.ok(text.includes(item), text);
	assert.doesNotMatch(text, /whoami/);
	assert.equal(states.of("filtered")?.state, "stopped");
});

test("a list of many pages is one page, and the server's own cursor goes to the server", async () => {
	await states.reach("paged", "stopped");
	const client = await openWire("legacy", gateway.address("paged"));
	const whole = await client.ask({ method: "tools/list" });
	assert.equal(whole.result.nextCursor, undefined);
	assert.equal(whole.result.tools.length, 7);
	assert.equal(states.of("paged")?.state, "stopped");
	const before = states.rises("paged");
	await client.ask({ method: "tools/list", params: '{"cursor":"{\\"offset\\":3}"}' });
	assert.equal(states.rises("paged"), before + 1);
});

test("a list that does not exist is asked of the server, which says so itself", async () => {
	const client = await openWire("legacy", gateway.address("stopped-legacy"));
	await states.reach("stopped-legacy", "stopped");
	const { error } = await client.ask({ method: "prompts/list" });
	assert.equal(error?.code, -32601);
});

test("a client that can do more is asked for once, and is known from then on", async () => {
	const capabilities = '{"elicitation":{}}';
	const address = gateway.address("stopped-legacy");
	const client = await openWire("legacy", address, capabilities);
	await states.reach("stopped-legacy", "stopped");
	const before = states.rises("stopped-legacy");
	const first = await listed(client, "tools/list");
	assert.equal(states.rises("stopped-legacy"), before + 1);
	await states.reach("stopped-legacy", "stopped");
	assert.equal(await listed(client, "tools/list"), first);
	// Its lists do not depend on what clients can do, as far as anybody has seen.
	const other = await openWire("legacy", address, '{"sampling":{}}');
	assert.equal(await listed(other, "tools/list"), first);
	assert.equal(states.rises("stopped-legacy"), before + 1);
});

test("what has changed while it was awake is known while it sleeps", async () => {
	const client = await openWire("legacy", gateway.address("changing"));
	assert.ok(client instanceof LegacyWire);
	const news = await client.listen();
	await client.call("add_tool", '{"name":"late"}');
	await news.until(({ method }) => method === "notifications/tools/list_changed");
	news.close();
	await states.reach("changing", "frozen");
	assert.match(await listed(client, "tools/list"), /"late"/);
	assert.equal(states.of("changing")?.state, "frozen");
	assert.equal(textOf(await client.call("late")), "I am late");
});

test("a server that is configured so is woken by a list, for the call that follows", async () => {
	for (const endpoint of ["warmed", "mcp"]) {
		const client = await openWire("legacy", gateway.address(endpoint));
		await states.reach("warmed", "frozen");
		const before = states.rises("warmed");
		await listed(client, "tools/list");
		await states.until("warmed", () => states.rises("warmed") === before + 1);
	}
});

describe("after a restart of the gateway", () => {
	test("everything is listed before anything was started", async () => {
		await gateway.stop();
		states = new ServerStates();
		gateway = await startGateway({ servers }, { folder, onProgress: states.onProgress });
		for (const server of ["frozen-legacy", "stopped-modern"]) {
			for (const era of eras) {
				const client = await openWire(era, gateway.address(server));
				assert.match(await listed(client, "tools/list"), /"increment"/);
				assert.match(await listed(client, "resources/list"), /"counter"/);
			}
			const able = await openWire("legacy", gateway.address("stopped-legacy"), '{"roots":{}}');
			assert.match(await listed(able, "tools/list"), /"increment"/);
		}
		for (const name of Object.keys(servers)) assert.equal(states.rises(name), 0, name);
		const client = await openWire("legacy", gateway.address("stopped-legacy"));
		assert.equal(textOf(await client.call("increment")), "1");
	});
});
