import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { RawSocket, startTcp } from "../../../test/support/egress-scene.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import type { EgressPlan } from "../../config/plan.ts";
import { systemRandom } from "../../lib/random.ts";
import { Egress } from "./egress.ts";

const closed: EgressPlan = { kind: "hosts", hosts: [] };

async function startEgress(
	t: TestContext,
	folder?: string,
	addresses: readonly string[] = ["8.8.8.8"],
	clock = new FakeClock(0),
) {
	const told: string[] = [];
	const egress = new Egress({
		folder: folder ?? join(await tempFolder(t), "egress"),
		clock,
		resolve: () => Promise.resolve(addresses),
		onRefused: (server, text) => told.push(`${server} ${text}`),
	});
	t.after(() => egress.close());
	return { egress, told };
}

async function ask(t: TestContext, socket_path: string | undefined, target: string) {
	assert.ok(socket_path !== undefined);
	const client = new RawSocket(t, socket_path);
	client.write(`CONNECT ${target} HTTP/1.1`, "", "");
	return client.end();
}

test("each instance has a way out of its own, and their server one record of both", async (t) => {
	const { egress, told } = await startEgress(t);
	const port = await startTcp(t, (socket) => socket.end("reached"));
	const plan: EgressPlan = { kind: "hosts", hosts: [`127.0.0.1:${port}`] };
	const one = await egress.open({ server: "one", plan, untrusted: false });
	const two = await egress.open({ server: "one", plan, untrusted: false });
	const other = await egress.open({ server: "other", plan: closed, untrusted: false });
	assert.notEqual(one?.socket_path, two?.socket_path);
	assert.match(await ask(t, one?.socket_path, `127.0.0.1:${port}`), /reached$/);
	assert.match(await ask(t, two?.socket_path, `127.0.0.1:${port}`), /reached$/);
	for (let index = 0; index < 3; index += 1) {
		assert.match(await ask(t, other?.socket_path, `127.0.0.1:${port}`), /403 Forbidden/);
	}
	assert.equal(egress.report("one").used[0]?.count, 2);
	assert.equal(egress.report("other").refused[0]?.count, 3);
	const nothing = { used: [], refused: [], unproxied: [], forgotten: 0, forgotten_used: 0 };
	assert.deepEqual(egress.report("third"), nothing);
	assert.deepEqual(told, [
		`other was refused a connection to 127.0.0.1:${port}: the host is not listed. ` +
			`To allow it, add it to the server's sandbox in moorage.yaml: egress: [127.0.0.1:${port}]`,
	]);
});

test("a listed name that leads to a private address is explained, and so is a list for public", async (t) => {
	const { egress, told } = await startEgress(t, undefined, ["10.0.0.5"]);
	const listed: EgressPlan = { kind: "hosts", hosts: ["db.example.com"] };
	for (const plan of [listed, { kind: "public" } as const]) {
		const server = plan.kind;
		const gate = await egress.open({ server, plan, untrusted: false });
		assert.match(await ask(t, gate?.socket_path, "db.example.com:443"), /403 Forbidden/);
	}
	const why =
		"was refused a connection to db.example.com:443: it leads to 10.0.0.5, a private address, " +
		"and those have to be listed themselves. " +
		"To allow it, add it to the server's sandbox in moorage.yaml";
	assert.deepEqual(told, [
		`hosts ${why}: egress: [10.0.0.5]`,
		`public ${why}, with the other hosts it needs: egress: [10.0.0.5]`,
	]);
});

test("a host that cannot be reached is a line of the log, once in ten minutes", async (t) => {
	const clock = new FakeClock(0);
	const { egress, told } = await startEgress(t, undefined, [], clock);
	const plan: EgressPlan = { kind: "public" };
	const gate = await egress.open({ server: "a", plan, untrusted: false });
	const fails = async () =>
		assert.match(await ask(t, gate?.socket_path, "no.example:443"), /502 Bad Gateway/);
	await fails();
	await clock.advance(9 * 60_000);
	await fails();
	assert.deepEqual(told, [
		"a found no way to no.example:443: its name leads to no address. " +
			"Check how it is spelled, and this machine's DNS.",
	]);
	await clock.advance(60_000);
	await fails();
	assert.equal(told.length, 2);
	// Nor does it count as a host that was used or refused.
	assert.deepEqual(egress.report("a").used, []);
	assert.deepEqual(egress.report("a").refused, []);
});

test("of the hosts that cannot be reached, those said longest ago are forgotten", async (t) => {
	const { egress, told } = await startEgress(t, undefined, []);
	const plan: EgressPlan = { kind: "public" };
	const gate = await egress.open({ server: "a", plan, untrusted: false });
	// missed_max
	const miss = (at: number) => ask(t, gate?.socket_path, `h${at}.example:443`);
	for (let at = 0; at < 1024; at += 1) await miss(at);
	await miss(0);
	assert.equal(told.length, 1024);
	await miss(1024);
	await miss(0);
	assert.equal(told.length, 1026);
});

test("a server whose network is open has no proxy, and one that is not trusted has no open network", async (t) => {
	const { egress } = await startEgress(t);
	const open: EgressPlan = { kind: "open" };
	assert.equal(await egress.open({ server: "a", plan: open, untrusted: false }), undefined);
	for (const plan of [open, { kind: "public" } as const]) {
		const gate = await egress.open({ server: "a", plan, untrusted: true });
		assert.match(await ask(t, gate?.socket_path, "a.example:443"), /403 Forbidden/);
	}
});

test("a public plan refuses this machine", async (t) => {
	const { egress } = await startEgress(t);
	const gate = await egress.open({ server: "a", plan: { kind: "public" }, untrusted: false });
	assert.match(await ask(t, gate?.socket_path, "127.0.0.1:80"), /403 Forbidden/);
});

test("the sockets are in a folder for the gateway alone, emptied of what a crash left", async (t) => {
	const folder = join(await tempFolder(t), "egress");
	await mkdir(folder);
	await writeFile(join(folder, "1.sock"), "left");
	const { egress } = await startEgress(t, folder);
	const gate = await egress.open({ server: "a", plan: closed, untrusted: false });
	assert.equal((await stat(folder)).mode & 0o777, 0o700);
	assert.ok((await stat(gate?.socket_path ?? "")).isSocket());
	await gate?.close();
	assert.equal(existsSync(gate?.socket_path ?? ""), false);
	await gate?.close();
});

test("a folder with a long path will do", {
	skip: process.platform !== "linux" && "this is Linux's way",
}, async (t) => {
	const folder = join(await tempFolder(t), "long".repeat(40), "egress");
	const { egress } = await startEgress(t, folder);
	const gate = await egress.open({ server: "a", plan: closed, untrusted: false });
	assert.ok((await stat(gate?.socket_path ?? "")).isSocket());
	await egress.close();
	assert.equal(existsSync(gate?.socket_path ?? ""), false);
});

test("a folder that cannot be used is said, not passed over", async (t) => {
	const folder = await tempFolder(t, { file: "" });
	const { egress } = await startEgress(t, join(folder, "file", "egress"));
	await assert.rejects(egress.open({ server: "a", plan: closed, untrusted: false }));
});

test("a program on the machine's own network has a port that asks for its secret", async (t) => {
	const port = await startTcp(t, (socket) => socket.end("reached"));
	const egress = new Egress({
		folder: join(await tempFolder(t), "egress"),
		clock: new FakeClock(0),
		loopback: systemRandom,
	});
	t.after(() => egress.close());
	const plan: EgressPlan = { kind: "hosts", hosts: [`127.0.0.1:${port}`] };
	const gate = await egress.open({ server: "one", plan, untrusted: false });
	const way = gate?.way?.loopback;
	assert.ok(way !== undefined);
	const url = new URL(way.env["HTTPS_PROXY"] ?? "");
	assert.equal(Number(url.port), way.port);
	assert.ok(url.password.length >= 32);
	const said = async (path: string, ...headers: string[]) => {
		const client = connect(way.port, "127.0.0.1");
		client.write([`${path} HTTP/1.1`, ...headers, "", ""].join("\r\n"));
		return await text(client);
	};
	const credentials = (password: string) =>
		`Proxy-Authorization: Basic ${Buffer.from(`${url.username}:${password}`).toString("base64")}`;
	const tunnel = `CONNECT 127.0.0.1:${port}`;
	assert.match(await said(tunnel, credentials(url.password)), /200 Connection .*reached$/su);
	const plain = `GET http://127.0.0.1:${port}/`;
	for (const path of [tunnel, plain]) {
		for (const headers of [[], [credentials(`${url.password}x`)], [credentials("")]]) {
			const answer = await said(path, ...headers);
			assert.match(answer, /^HTTP\/1\.1 407 .*proxy-authenticate: basic realm=/isu);
			assert.doesNotMatch(answer, /reached/u);
		}
	}
	assert.equal(egress.report("one").used[0]?.count, 1);
	await gate?.close();
	const refused = connect(way.port, "127.0.0.1");
	const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
	assert.equal(error.code, "ECONNREFUSED");
});
