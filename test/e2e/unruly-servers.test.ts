import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { ServerDetails } from "../../src/admin/contract.ts";
import { at_once_max } from "../../src/gateway/rereading.ts";
import { detailsOf, untilDetails } from "../support/admin-status.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { openWire } from "../support/wire-clients.ts";

/**
 * Servers that do what none should: `moorage status NAME` says so, they cost no more than others,
 * and whoever calls them reads what happened.
 */

let gateway: TestGateway;

before(async () => {
	const unruly = { ...stdioFixture("unruly"), start: "on-demand" } as const;
	const unready = ["-e", 'console.error("no keys here"); setTimeout(() => process.exit(7), 10)'];
	gateway = await startGateway(
		{
			servers: {
				announcing: unruly,
				renewing: { ...stdioFixture("unruly", "--renewing"), start: "on-demand" },
				endless: { ...unruly, timeouts: { call: "10s" } },
				wailing: unruly,
				stubborn: { ...stdioFixture("stubborn"), timeouts: { stop: "200ms" } },
				unready: { command: [process.execPath, ...unready], start: "on-demand" },
			},
			limits: { reply: "64KiB" },
		},
		{
			wrong: [
				{
					hop: "pipes",
					direction: "to-client",
					complaint: /^/u,
					why: "These servers get the protocol wrong; their clients must not see any of it.",
				},
			],
		},
	);
});

after(() => gateway.stop());

const isOdd = (text: RegExp) => (details: ServerDetails) =>
	details.oddities.some((oddity) => text.test(oddity.text));

test("a server that announces changes without end is read again one time after the other", async () => {
	const client = await openWire("modern", gateway.address("announcing"));
	assert.equal(textOf(await client.call("announce", '{"times":2000}')), "announced");
	const lists = Number(textOf(await client.call("lists")));
	assert.ok(lists <= at_once_max + 1, `read ${lists} times`);
	const { status } = await detailsOf(gateway, "announcing");
	const leases = status.instances.map((instance) => instance.leases);
	assert.ok(
		leases.every((count) => count <= 1),
		`leases: ${leases.join()}`,
	);
});

test("a server whose tools change with every list is not read for ever, and its status says so", async () => {
	const client = await openWire("modern", gateway.address("renewing"));
	assert.equal(textOf(await client.call("echo", '{"text":"on"}')), "on");
	await untilDetails(
		gateway,
		"renewing",
		isOdd(/^says again and again that its lists have changed/),
	);
	// Its own readings, the one when it became ready, and none of ours: a call looks at no list.
	const lists = Number(textOf(await client.call("lists")));
	assert.ok(lists <= at_once_max + 2, `read ${lists} times`);
});

test("a line without an end is told of while it is written", async () => {
	const client = await openWire("modern", gateway.address("endless"));
	const reply = client.call("endless_line", '{"bytes":200000}');
	// While the call is under way: a server that hears too early that it was given up writes nothing.
	await untilDetails(gateway, "endless", isOdd(/^is writing a line of more than 65536 bytes/));
	assert.match(JSON.stringify(await reply), /did not answer tools\/call within 10 s/);
});

test("a server that ended in a call and runs again still says why it ended, and what it wrote", async () => {
	const client = await openWire("modern", gateway.address("wailing"));
	assert.match(JSON.stringify(await client.call("wail")), /exited with code 4/);
	assert.equal(textOf(await client.call("echo", '{"text":"again"}')), "again");
	const { status, stdout, stderr } = await detailsOf(gateway, "wailing");
	assert.equal(status.state, "ready");
	assert.equal(status.reason, undefined);
	assert.equal(status.last_failure?.reason, 'The server "wailing" exited with code 4.');
	assert.equal(status.last_failure.exit_code, 4);
	assert.deepEqual(stdout, ["Traceback: it hurts"]);
	assert.deepEqual(stderr, ["one.py:1"]);
});

test("a server that had to be killed is told from one that ended when it was asked to", async () => {
	const client = await openWire("modern", gateway.address("stubborn"));
	assert.equal(textOf(await client.call("echo", '{"text":"on"}')), "on");
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const restarted = await fetch(new URL("/api/servers/stubborn/restart", gateway.url), {
		method: "POST",
		headers: { authorization: `Bearer ${token}` },
	});
	assert.equal(restarted.status, 200);
	await untilDetails(gateway, "stubborn", isOdd(/^did not end .* nor on SIGTERM: it was killed$/));
});

test("a server that ends before it is ready is told of with its exit code and its words", async () => {
	const client = await openWire("modern", gateway.address("unready"));
	assert.match(JSON.stringify(await client.call("anything")), /exited with code 7|still starting/);
	const { status, stderr } = await untilDetails(
		gateway,
		"unready",
		({ status }) => status.reason !== undefined,
	);
	assert.match(status.reason ?? "", /exited with code 7 before it was ready/);
	assert.equal(status.exit_code, 7);
	assert.deepEqual(stderr, ["no keys here"]);
	assert.match(status.instances[0]?.volume ?? "", /unready/, "it may be what is in there");
});
