import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, textOf } from "../support/raw-client.ts";
import { LegacyWire, ModernWire, openLegacy } from "../support/wire-clients.ts";

/** Changing the configuration while calls are running: only what changed is touched. */

const base = {
	same: stdioFixture("stateful"),
	changing: stdioFixture("stateful"),
	slow: stdioFixture("slow"),
	leaving: stdioFixture("echo"),
};

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers: base });
});

after(() => gateway.stop());

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

const at = (endpoint: string) => new ModernWire(gateway.address(endpoint));
const instanceOf = async (endpoint: string) => textOf(await at(endpoint).call("instance"));

async function toolsAt(endpoint: string): Promise<string[]> {
	const { result } = await at(endpoint).ask({ method: "tools/list" });
	return result.tools.map(({ name }) => name);
}

async function apply(servers: object): Promise<unknown> {
	const outcome = await gateway.reconfigure({ servers });
	assert.ok(outcome.ok, JSON.stringify(outcome));
	const { added, removed, changed } = outcome.value;
	return { added, removed, changed };
}

test("a reload without a change changes nothing", async () => {
	const instances = [await instanceOf("same"), await instanceOf("changing")];
	assert.deepEqual(await apply(base), { added: [], removed: [], changed: [] });
	assert.deepEqual([await instanceOf("same"), await instanceOf("changing")], instances);
});

test("only what changed is started anew, and calls in flight finish on what they began with", async () => {
	const same = await instanceOf("same");
	const changing = await instanceOf("changing");
	const session = await openLegacy(gateway.address("same"));
	assert.equal(textOf(await session.call("increment")), "1");
	const on_changing = await openLegacy(gateway.address("changing"));
	const held = await at("slow").open({
		method: "tools/call",
		params: '{"name":"wait","arguments":{"ms":300}}',
	});
	const changed = {
		...base,
		changing: { ...base.changing, env: { CHANGED: "yes" } },
		slow: { ...base.slow, env: { CHANGED: "yes" } },
	};
	assert.deepEqual(await apply(changed), {
		added: [],
		removed: [],
		changed: ["changing", "slow"],
	});
	assert.equal(textOf(await held.reply()), "waited 300 ms");
	assert.equal(await instanceOf("same"), same);
	assert.notEqual(await instanceOf("changing"), changing);
	// Sessions go on, at the server that stayed and at the one that was started anew.
	assert.equal(textOf(await session.call("value")), "1");
	assert.equal(textOf(await on_changing.call("value")), "0");
	assert.equal(textOf(await at("slow").call("wait", '{"ms":1}')), "waited 1 ms");
	await apply(base);
});

test("a server that is added is there, one that is removed is gone, and clients are told", async () => {
	const listening = await at("mcp").open({
		method: "subscriptions/listen",
		params: '{"notifications":{"toolsListChanged":true}}',
	});
	const legacy = await openLegacy(gateway.address());
	const push = await legacy.listen();
	await listening.until(({ method }) => method === "notifications/subscriptions/acknowledged");
	const told = async () => {
		const fits = ({ method }: { method?: string }) => method === "notifications/tools/list_changed";
		await Promise.all([listening.until(fits), push.until(fits)]);
	};
	const same = await instanceOf("same");
	assert.deepEqual(await apply({ ...base, coming: stdioFixture("echo") }), {
		added: ["coming"],
		removed: [],
		changed: [],
	});
	await told();
	assert.ok((await toolsAt("mcp")).includes("coming__echo"));
	assert.equal(textOf(await at("coming").call("echo", '{"text":"new"}')), "new");

	for (const stream of [listening, push]) stream.forget();
	const { leaving: _leaving, ...without } = base;
	assert.deepEqual(await apply(without), {
		added: [],
		removed: ["leaving", "coming"],
		changed: [],
	});
	await told();
	const names = await toolsAt("mcp");
	assert.ok(names.includes("same__whoami"));
	assert.ok(!names.some((name) => /^(coming|leaving)__/.test(name)), names.join());
	const gone = await exchange(gateway.address("leaving"), { body: ping });
	assert.equal(gone.status, 404);
	assert.equal(await instanceOf("same"), same);
	listening.close();
	push.close();
	await apply(base);
});

test("a session at a server that was removed is not found, and is back with the server", async () => {
	const client = await openLegacy(gateway.address("leaving"));
	const { leaving, ...without } = base;
	await apply(without);
	assert.equal((await client.send({ method: "ping" })).status, 404);
	await apply({ ...without, leaving });
	const again = new LegacyWire(gateway.address("leaving"), client.session_id, client.hello);
	assert.equal((await again.send({ method: "ping" })).status, 200);
});

/** A client of the HTTP+SSE transport that has shaken hands. */
async function openOldStream(path: string): Promise<{ ended(): Promise<void> }> {
	const { body } = await fetch(new URL(path, gateway.url));
	assert.ok(body !== null);
	const reader = body.getReader();
	const { value } = await reader.read();
	const address = /^data: (.*)$/m.exec(Buffer.from(value ?? []).toString())?.[1] ?? "";
	const params = {
		protocolVersion: "2024-11-05",
		capabilities: {},
		clientInfo: { name: "old", version: "1" },
	};
	const hello = { jsonrpc: "2.0", id: 1, method: "initialize", params };
	const headers = { "content-type": "application/json" };
	await exchange(new URL(address, gateway.url), { headers, body: JSON.stringify(hello) });
	await reader.read();
	return {
		async ended() {
			while (!(await reader.read()).done);
		},
	};
}

test("streams at the address of a server that was removed end, all others go on", async () => {
	const session = await openLegacy(gateway.address("leaving"));
	const push = await session.listen();
	const params = '{"notifications":{"toolsListChanged":true}}';
	const listen = (endpoint: string) =>
		at(endpoint).open({ method: "subscriptions/listen", id: '"mine"', params });
	const [listening, staying] = await Promise.all([listen("leaving"), listen("same")]);
	const old = await openOldStream("/leaving/sse");
	const { leaving, ...without } = base;
	await apply(without);
	const { id, result } = await listening.reply();
	assert.equal(id, "mine");
	assert.equal(result.resultType, "complete");
	assert.equal(result._meta["io.modelcontextprotocol/subscriptionId"], "mine");
	await listening.ended;
	await push.ended;
	await old.ended();
	assert.equal(
		await Promise.race([staying.ended.then(() => "over"), Promise.resolve("open")]),
		"open",
	);
	// With the server the session is back, and may listen again.
	await apply({ ...without, leaving });
	const again = await session.listen();
	assert.equal(again.status, 200);
	again.close();
	staying.close();
});

test("a broken file is refused with its place, and everything runs on", async () => {
	const instances = [await instanceOf("same"), await instanceOf("changing")];
	const broken = [
		["servers:\n  same: [unclosed\n", 2],
		["version: 1\nservers:\n  same:\n    comand: echo\n", 4],
		["servers:\n  a__b: { command: echo }\n", 2],
		["servers:\n  mcp: { command: echo }\n", 2],
		["listen: 0.0.0.0:80\n", 1],
		["servers:\n  same: {}\n", 2],
	] as const;
	for (const [text, line] of broken) {
		await writeFile(gateway.config_path, text);
		const outcome = await gateway.daemon.reload();
		assert.ok(!outcome.ok, text);
		const [problem] = outcome.problem;
		assert.equal(basename(problem?.file ?? ""), "moorage.yaml");
		assert.ok(Math.abs((problem?.line ?? 0) - line) <= 1, `${text}: line ${problem?.line}`);
		assert.ok((problem?.column ?? 0) >= 1);
		assert.match(problem?.message ?? "", /\w/);
		assert.deepEqual([await instanceOf("same"), await instanceOf("changing")], instances);
	}
	assert.ok((await toolsAt("mcp")).includes("leaving__echo"));
	assert.deepEqual(await apply(base), { added: [], removed: [], changed: [] });
});

test("two reloads at once end with the later file", async () => {
	const one = gateway.reconfigure({ servers: { ...base, one: stdioFixture("echo") } });
	const two = one.then(() =>
		gateway.reconfigure({ servers: { ...base, two: stdioFixture("echo") } }),
	);
	const three = gateway.daemon.reload();
	await Promise.all([one, two, three]);
	const names = gateway.daemon.overview().servers.map(({ name }) => name);
	assert.ok(names.includes("two") && !names.includes("one"), names.join());
	await apply(base);
});

test("a file that changes is noticed, also when an editor replaces it", async () => {
	let notice: () => void = () => undefined;
	const noticed = () =>
		new Promise<void>((resolve) => {
			notice = resolve;
		});
	const kinds: string[] = [];
	const watched = await startGateway(
		{ servers: { same: base.same } },
		{
			watch: true,
			onProgress: (progress) => {
				if (progress.kind !== "reloaded" && progress.kind !== "refused") return;
				kinds.push(progress.kind);
				notice();
			},
		},
	);
	try {
		const instance = textOf(await new ModernWire(watched.address("same")).call("instance"));
		const write = (servers: object) =>
			JSON.stringify({ version: 1, listen: "127.0.0.1:0", servers });
		const first = noticed();
		await writeFile(watched.config_path, write({ same: base.same, more: base.leaving }));
		await first;
		const more = new ModernWire(watched.address("more"));
		assert.equal(textOf(await more.call("echo", '{"text":"x"}')), "x");

		const second = noticed();
		await writeFile(`${watched.config_path}.new`, write({ same: base.same }));
		await rename(`${watched.config_path}.new`, watched.config_path);
		await second;
		assert.equal((await exchange(watched.address("more"), { body: ping })).status, 404);

		const third = noticed();
		await writeFile(watched.config_path, "servers: [");
		await third;
		assert.equal(kinds.at(-1), "refused");
		assert.equal(textOf(await new ModernWire(watched.address("same")).call("instance")), instance);
	} finally {
		await watched.stop();
	}
});
