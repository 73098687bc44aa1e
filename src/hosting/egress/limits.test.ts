import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { RawSocket, startEgress, startTcp } from "../../../test/support/egress-scene.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { describeClosing, describeEgress } from "./describe.ts";
import { Egress } from "./egress.ts";
import { judge } from "./judge.ts";
import { EgressLedger } from "./ledger.ts";
import { EgressRecords } from "./records.ts";
import { canonicalHost, parseAbsolute, parseAuthority, type Target } from "./target.ts";

const host = (at: number): Target => ({ host: `h${at}.example`, port: 443 });

function ledgerOf(count: number): EgressLedger {
	const ledger = new EgressLedger();
	for (let at = 0; at < count; at += 1) ledger.note("used", host(at), at);
	return ledger;
}

test("as many hosts as may be are remembered, and of one more the oldest is forgotten", () => {
	// records_max
	for (const count of [255, 256]) {
		const report = ledgerOf(count).report();
		assert.equal(report.used.length, count);
		assert.equal(report.forgotten, 0);
		assert.match(describeClosing(report) ?? "", /h0\.example.*h99\.example/);
	}
	const ledger = ledgerOf(257);
	const report = ledger.report();
	assert.equal(report.used.length, 256);
	assert.equal(report.used.at(-1)?.host, "h1.example");
	assert.equal(report.forgotten_used, 1);
	assert.equal(describeClosing(report), undefined, "a line that leaves a host out is not proposed");
	// What is known already is no further host.
	ledger.note("used", host(1), 1_000);
	assert.equal(ledger.report().forgotten, 1);
	assert.equal(ledger.report().used[0]?.count, 2);
});

test("as many changes as may be are written one by one, and more of them as all there is", () => {
	// changes_max: 256 of each outcome, and one that goes for one that comes.
	const changesOf = (count: number) => {
		const ledger = new EgressLedger();
		for (let at = 0; at < count; at += 1) ledger.note("refused", host(at), at);
		return ledger.takeChanges();
	};
	for (const count of [1_023, 1_024]) {
		const changes = changesOf(count);
		assert.equal(changes.whole, false);
		assert.equal(changes.saved.length, 256);
		assert.equal(changes.removed.length, count - 256);
		assert.equal(changes.forgotten.refused, count - 256);
	}
	const changes = changesOf(1_025);
	assert.ok(changes.whole);
	assert.deepEqual([changes.saved.length, changes.removed.length], [256, 0]);
	assert.equal(changes.forgotten.refused, 1_025 - 256);
});

test("records are kept of as many servers as may be, and then the oldest goes", () => {
	// servers_max
	const records = new EgressRecords();
	for (let at = 0; at < 4_096; at += 1) records.note(`s${at}`, "used", host(at), at);
	for (const at of [0, 1, 4_095]) assert.equal(records.report(`s${at}`).used.length, 1);
	records.note("one more", "used", host(0), 5_000);
	assert.equal(records.report("s0").used.length, 0);
	for (const name of ["s1", "s4095", "one more"]) {
		assert.equal(records.report(name).used.length, 1, name);
	}
});

test("as many hosts as people read are written out, and the rest is counted", () => {
	// hosts_shown_max
	assert.equal(describeEgress(ledgerOf(9).report()).length, 9);
	assert.equal(describeEgress(ledgerOf(10).report()).at(-1), "allowed: h0.example:443 (once)");
	assert.equal(describeEgress(ledgerOf(11).report()).at(-1), "allowed: 1 more hosts");
	assert.equal(describeEgress(ledgerOf(11).report()).length, 11);
});

test("of a name with very many addresses the first are tried, and every one is judged", async () => {
	// addresses_max
	const addresses = (count: number) => Array.from({ length: count }, (_, at) => `8.8.8.${at}`);
	const judged = (found: readonly string[]) =>
		judge({ kind: "public" }, host(0), () => Promise.resolve(found));
	for (const [count, tried] of [
		[15, 15],
		[16, 16],
		[17, 16],
	] as const) {
		assert.deepEqual(await judged(addresses(count)), {
			kind: "allowed",
			addresses: addresses(tried),
		});
	}
	const verdict = await judged([...addresses(16), "127.0.0.1"]);
	assert.equal(verdict.kind, "not-public", "also those that would not be tried");
});

test("a host's name is as long as names are, and its port a port", () => {
	// name_length_max and port_max
	const named = (length: number) => `${"a.".repeat(126)}aa`.slice(0, length);
	for (const length of [252, 253]) {
		const name = named(length).replace(/\.$/, "a");
		assert.equal(canonicalHost(name), name);
		assert.deepEqual(parseAuthority(`${name}:1`), { host: name, port: 1 });
		assert.deepEqual(parseAuthority(`${name}.:1`), { host: name, port: 1 }, "a last dot is none");
	}
	assert.equal(canonicalHost("a".repeat(254)), undefined);
	assert.equal(parseAuthority(`${"a".repeat(254)}:1`), undefined);
	for (const port of [1, 2, 65_534, 65_535]) {
		assert.equal(parseAuthority(`a.example:${port}`)?.port, port);
		assert.equal(parseAbsolute(`http://a.example:${port}/`)?.port, port);
	}
	for (const port of [0, 65_536, 99_999, 100_000]) {
		assert.equal(parseAuthority(`a.example:${port}`), undefined, String(port));
		assert.equal(parseAbsolute(`http://a.example:${port}/`), undefined, String(port));
	}
});

test("a socket's path may be longer than a socket's name may", {
	skip: process.platform !== "linux" && "this is Linux's way",
}, async (t) => {
	// socket_path_bytes_max
	const base = await tempFolder(t);
	for (const bytes of [99, 100, 101, 108, 109, 200]) {
		const rest = bytes - Buffer.byteLength(join(base, "x", "1.sock")) + 1;
		const folder = join(base, "f".repeat(rest));
		const egress = new Egress({
			folder,
			clock: new FakeClock(0),
			resolve: () => Promise.resolve(["8.8.8.8"]),
			onRefused: () => undefined,
		});
		t.after(() => egress.close());
		const plan = { kind: "hosts", hosts: [] } as const;
		const gate = await egress.open({ server: "a", plan, untrusted: false });
		assert.equal(Buffer.byteLength(gate?.socket_path ?? ""), bytes);
		assert.ok((await stat(gate?.socket_path ?? "")).isSocket());
		// A client needs a shorter name for the others; a sandbox gives it one.
		if (bytes > 107) continue;
		const client = new RawSocket(t, gate?.socket_path ?? "");
		client.write("CONNECT a.example:443 HTTP/1.1", "", "");
		assert.match(await client.end(), /^HTTP\/1\.1 403 /, `${bytes} bytes`);
	}
});

test("a client that never ends its headers is ended, and one that ends them in time is not", async (t) => {
	const origin_port = await startTcp(t, (socket) => {
		socket.pipe(socket);
	});
	const names = { "api.example.com": [["8.8.8.8"]] };
	const scene = await startEgress(t, { names, origin_port, limits: { header_ms_max: 300 } });
	const good = new RawSocket(t, scene.socket_path);
	good.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
	await good.until("\r\n\r\n");
	const slow = new RawSocket(t, scene.socket_path);
	slow.write("CONNECT api.example.com:443 HTTP/1.1", "X: and more to come");
	assert.match(await slow.end(), /^HTTP\/1\.1 408 /);
	good.write("still there");
	assert.match(await good.until("still there"), /still there$/);
});
