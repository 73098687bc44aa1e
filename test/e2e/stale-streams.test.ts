import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { look_ms } from "../../src/gateway/gateway.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** A clock on which streams are looked through all the time. */
const watchful: Clock = {
	...systemClock,
	afterIdle: (delay_ms, fn) => systemClock.afterIdle(delay_ms === look_ms ? 5 : delay_ms, fn),
};

const ana_key = newApiKey(systemRandom);
const servers = { changing: stdioFixture("list-changing"), slow: stdioFixture("slow") };
const configured = { name: "ana", hash: `sha256:${hashApiKey(ana_key)}`, user: "ana" };
const config = { identity: { keys: [configured] }, servers };

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** A stream of each era that lasts until one of both sides ends it; resolves when it has ended. */
async function streams(gateway: TestGateway, key: string) {
	const headers = bearer(key);
	const params = '{"notifications":{"toolsListChanged":true}}';
	const wire = new ModernWire(gateway.address("changing"));
	const modern = await wire.open({ method: "subscriptions/listen", params, headers });
	await modern.until(({ method }) => method !== undefined);
	const legacy = await legacyStream(gateway.address("changing"), headers);
	return { modern, ended: [modern.ended, assert.rejects(legacy.text())] };
}

/** The stream of a legacy session, open for pushes. */
async function legacyStream(address: URL, credential: Record<string, string>) {
	const headers = { ...credential, accept: "application/json, text/event-stream" };
	const clientInfo = { name: "t", version: "1" };
	const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
	const opened = await fetch(address, {
		method: "POST",
		headers: { ...headers, "content-type": "application/json" },
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
	});
	await opened.text();
	const session = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
	const stream = await fetch(address, {
		headers: { ...credential, ...session, accept: "text/event-stream" },
	});
	assert.equal(stream.status, 200);
	return stream;
}

async function start(t: TestContext, clock: Clock): Promise<TestGateway> {
	const gateway = await startGateway(config, { clock });
	t.after(() => gateway.stop());
	return gateway;
}

test("whose key is removed hears nothing more, and others do", async (t) => {
	const gateway = await start(t, watchful);
	const made = await adminDone<{ key: string }>(gateway, "POST", "/api/keys", { name: "bob" });
	const theirs = await streams(gateway, made.key);
	const other = await streams(gateway, ana_key);
	await adminDone(gateway, "DELETE", "/api/keys/bob");
	await Promise.all(theirs.ended);
	const path = "/api/servers/changing/tools/add_tool/call";
	await adminDone(gateway, "POST", path, { name: "late" });
	await other.modern.until(({ method }) => method === "notifications/tools/list_changed");
	const ended = Promise.all(other.ended);
	await adminDone(gateway, "POST", "/api/kill-switches", { kind: "all", reason: "The end." });
	await ended;
});

test("another configuration without somebody's key ends their streams, and no call in flight", async (t) => {
	const gateway = await start(t, systemClock);
	const theirs = await streams(gateway, ana_key);
	const call = await new ModernWire(gateway.address("slow")).open({
		method: "tools/call",
		params: '{"name":"hold","arguments":{"key":"k"}}',
		meta: '"progressToken":1',
		headers: bearer(ana_key),
	});
	await call.until(({ method }) => method === "notifications/progress");
	const bob = { ...configured, name: "bob", user: "bob", hash: `sha256:${"0".repeat(64)}` };
	assert.ok((await gateway.reconfigure({ ...config, identity: { keys: [bob] } })).ok);
	await Promise.all(theirs.ended);
	const off = { kind: "tool", name: "slow__hold", reason: "It was running until now." };
	await adminDone(gateway, "POST", "/api/kill-switches", off);
	const { result } = await call.until(({ id }) => id !== undefined);
	assert.match(JSON.stringify(result), /It was running until now/);
});
