import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { adminDone, adminRequest } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { initializeAs, keyHolder, openLegacyAs, openWireAs } from "../support/keyed-clients.ts";
import type { Parsed } from "../support/raw-client.ts";

/** Nothing that anybody asks starts or wakes the program of a server that is off. */

const nobody = { headers: {} };
const cold = { ...stdioFixture("watched"), start: "on-demand" };
const uri = "counter://value";
const reason = "A compromised package.";

const kill = (at: TestGateway, name: string) =>
	adminDone<{ id: string }>(at, "POST", "/api/kill-switches", { kind: "server", name, reason });
const unkill = (at: TestGateway, id: string) =>
	adminDone(at, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);

const never_ran = /^(declared|resolving|stopped)$/;

/** What a server is doing. */
async function stateOf(gateway: TestGateway, server: string): Promise<string> {
	const { servers } = await adminDone<{ servers: { name: string; state: string }[] }>(
		gateway,
		"GET",
		"/api/servers",
	);
	return servers.find(({ name }) => name === server)?.state ?? "gone";
}

/** Everything that a client may ask before it has called anything, at an address. */
async function askAround(gateway: TestGateway, endpoint: string | undefined): Promise<string> {
	const address = gateway.address(endpoint);
	const hello = await initializeAs(nobody, address);
	const modern = await openWireAs("modern", nobody, address);
	const notifications = JSON.stringify({ resourceSubscriptions: [uri], toolsListChanged: true });
	const said: unknown[] = [hello.body.toString("utf8")];
	for (const method of ["server/discover", "tools/list", "resources/list", "skills/list"]) {
		said.push(await modern.ask({ method }));
	}
	const name = endpoint === undefined ? "cold__touch" : "touch";
	said.push(await modern.call(name));
	const params = `{"notifications":${notifications}}`;
	const stream = await modern.open({ method: "subscriptions/listen", params });
	said.push(await stream.until(() => true));
	stream.close();
	return JSON.stringify(said);
}

test("a server that was never met is not started while it is off, and is afterwards", async (t) => {
	const gateway = await startGateway({ servers: { cold } });
	t.after(() => gateway.stop());
	const { id } = await kill(gateway, "cold");
	assert.match(await askAround(gateway, "cold"), /switched off: A compromised package/);
	assert.doesNotMatch(await askAround(gateway, undefined), /A fixture/);
	await adminRequest(gateway, "POST", "/api/servers/cold/wake", {});
	assert.match(await stateOf(gateway, "cold"), never_ran);
	await unkill(gateway, id);
	assert.match(await askAround(gateway, "cold"), /A fixture/);
	assert.equal(await stateOf(gateway, "cold"), "ready");
});

for (const era of ["legacy", "modern"] as const) {
	test(`a ${era} server that sleeps is not woken while it is off, nor does it introduce itself`, async (t) => {
		const server = { ...stdioFixture("watched", "--era", era), start: "on-demand" };
		const gateway = await startGateway({ servers: { cold: server } });
		t.after(() => gateway.stop());
		assert.match(await askAround(gateway, "cold"), /A fixture/);
		const { id } = await kill(gateway, "cold");
		const frozen = async () => {
			await adminRequest(gateway, "POST", "/api/servers/cold/freeze", {});
			return (await stateOf(gateway, "cold")) === "frozen";
		};
		// The stream that has just been closed keeps it awake for a moment.
		for (let asleep = await frozen(); !asleep; asleep = await frozen());
		const own = await askAround(gateway, "cold");
		assert.match(own, /switched off/);
		const common = await askAround(gateway, undefined);
		for (const said of [own, common]) assert.doesNotMatch(said, /A fixture/);
		assert.equal(await stateOf(gateway, "cold"), "frozen");
		await unkill(gateway, id);
		assert.match(await askAround(gateway, undefined), /A fixture/);
	});
}

test("a restart neither starts what is off nor waits for it, and the end of the switch does", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-killed-"));
	const running: TestGateway[] = [];
	t.after(async () => {
		for (const one of running) await one.stop();
		await rm(folder, { recursive: true, force: true });
	});
	const first = await startGateway({ servers: { cold } }, { folder });
	const client = await openLegacyAs(nobody, first.address("cold"));
	const params = `{"uri":"${uri}"}`;
	assert.equal((await client.ask({ method: "resources/subscribe", params })).error, undefined);
	const off = [await kill(first, "cold"), await kill(first, "eager")];
	await first.stop();
	const port = Number(new URL(first.url).port);
	// One that was never met would be started with the gateway, to know what it offers.
	const servers = { cold, eager: stdioFixture("echo") };
	const second = await startGateway({ servers }, { folder, port });
	running.push(second);
	const states = async () => [await stateOf(second, "cold"), await stateOf(second, "eager")];
	assert.equal((await fetch(new URL("/readyz", second.url))).status, 200);
	for (const state of await states()) assert.match(state, never_ran);
	for (const { id } of off) await unkill(second, id);
	// What the session of before the restart watches is watched again.
	const boss = await openLegacyAs(nobody, second.address("cold"));
	await boss.call("watchers", '{"count":1}');
	const pushes = await client.listen();
	await boss.call("touch");
	await pushes.until(({ method }: Parsed) => method === "notifications/resources/updated");
	pushes.close();
	await second.daemon.settled(30_000);
	assert.equal(await stateOf(second, "eager"), "ready");
});

test("what is off is off in its copies, too", async (t) => {
	const gateway = await startGateway({ servers: { slow: stdioFixture("slow") } });
	t.after(() => gateway.stop());
	await adminDone(gateway, "POST", "/api/servers/slow/fork", { name: "copy" });
	const call = async (server: string) => {
		const client = await openWireAs("modern", nobody, gateway.address(server));
		return JSON.stringify(await client.call("wait", '{"ms":0}'));
	};
	const off = /switched off/;
	assert.doesNotMatch(await call("copy"), off);
	for (const target of [
		{ kind: "server", name: "slow" },
		{ kind: "tool", name: "slow__wait" },
		{ kind: "writes", name: "slow" },
	]) {
		const { id } = await adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", {
			...target,
			reason,
		});
		assert.match(await call("slow"), off, id);
		assert.match(await call("copy"), off, id);
		await unkill(gateway, id);
	}
	const { id } = await kill(gateway, "copy");
	assert.match(await call("copy"), off);
	assert.doesNotMatch(await call("slow"), off);
	await unkill(gateway, id);
});

test("who may use nothing of a server starts nothing of it, and hears none of its words", async (t) => {
	const bob = keyHolder("bob", "acme");
	const ana = keyHolder("ana", "acme");
	const gateway = await startGateway({
		identity: { keys: [bob.entry, ana.entry] },
		servers: { cold: { ...cold, warm: { on_list: true } } },
		policy: { rules: [{ name: "not bob", when: "principal.user == 'bob'", then: "deny" }] },
	});
	t.after(() => gateway.stop());
	const ask = async (endpoint?: string) => {
		const hello = await initializeAs(bob, gateway.address(endpoint));
		const modern = await openWireAs("modern", bob, gateway.address(endpoint));
		const said: unknown[] = [hello.body.toString("utf8")];
		for (const method of ["server/discover", "tools/list", "prompts/list", "skills/list"]) {
			said.push(await modern.ask({ method }));
		}
		said.push(await modern.call(endpoint === undefined ? "cold__touch" : "touch"));
		return JSON.stringify(said);
	};
	for (const endpoint of ["cold", undefined]) {
		assert.doesNotMatch(await ask(endpoint), /A fixture|touch/);
		assert.match(await stateOf(gateway, "cold"), never_ran);
	}
	const hers = await initializeAs(ana, gateway.address("cold"));
	assert.match(hers.body.toString("utf8"), /A fixture/);
	// It is known now, and still says nothing to him.
	for (const endpoint of ["cold", undefined]) {
		assert.doesNotMatch(await ask(endpoint), /A fixture|touch/);
	}
});
