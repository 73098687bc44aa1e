import assert from "node:assert/strict";
import { test } from "node:test";
import { describeClosing, describeEgress } from "./describe.ts";
import { closingLine, EgressLedger, egressLine } from "./ledger.ts";

const api = { host: "api.example.com", port: 443 };
const database = { host: "db.example.com", port: 5432 };
const evil = { host: "evil.example", port: 443 };

test("hosts are counted by outcome, with the first and last time", () => {
	const ledger = new EgressLedger();
	assert.equal(ledger.note("used", api, 1), true);
	assert.equal(ledger.note("refused", evil, 2), true);
	assert.equal(ledger.note("used", api, 3), false);
	assert.equal(ledger.note("unproxied", evil, 4), true);
	assert.deepEqual(ledger.report(), {
		used: [{ ...api, count: 2, first_at_ms: 1, last_at_ms: 3 }],
		refused: [{ ...evil, count: 1, first_at_ms: 2, last_at_ms: 2 }],
		unproxied: [{ ...evil, count: 1, first_at_ms: 4, last_at_ms: 4 }],
		forgotten: 0,
		forgotten_used: 0,
	});
});

test("the host asked for last stands first", () => {
	const ledger = new EgressLedger();
	ledger.note("used", api, 1);
	ledger.note("used", database, 2);
	ledger.note("used", api, 3);
	const { used } = ledger.report();
	assert.deepEqual(
		used.map(({ host }) => host),
		[api.host, database.host],
	);
});

test("a flood of refused hosts is bounded, counted, and leaves the used ones alone", () => {
	const ledger = new EgressLedger();
	ledger.note("used", api, 0);
	for (let index = 0; index < 1000; index += 1) {
		ledger.note("refused", { host: `h${index}.example`, port: 443 }, index);
	}
	const report = ledger.report();
	assert.equal(report.refused.length, 256);
	assert.equal(report.refused[0]?.host, "h999.example");
	assert.equal(report.used.length, 1);
	assert.equal(report.forgotten, 744);
	assert.equal(closingLine(report), "egress: [api.example.com]", "what was used is all there");
});

test("the closing line names what was used, once and in order", () => {
	const ledger = new EgressLedger();
	assert.equal(closingLine(ledger.report()), "egress: none");
	ledger.note("used", database, 1);
	ledger.note("used", api, 2);
	ledger.note("used", { ...api, port: 80 }, 3);
	ledger.note("refused", evil, 4);
	assert.equal(closingLine(ledger.report()), "egress: [api.example.com, db.example.com:5432]");
});

test("a line is YAML: what would not be a plain text there is quoted", () => {
	assert.equal(egressLine(["*.a.example", "[::1]:80"]), 'egress: ["*.a.example", "[::1]:80"]');
});

test("a person reads what was refused and reached, and how to close it", () => {
	const ledger = new EgressLedger();
	assert.deepEqual(describeEgress(ledger.report()), []);
	assert.equal(describeClosing(ledger.report()), undefined);
	ledger.note("used", api, 1);
	for (let index = 0; index < 3; index += 1) ledger.note("refused", evil, index);
	assert.deepEqual(describeEgress(ledger.report()), [
		"refused: evil.example:443 (3 times)",
		"Its log says why, and what would allow it: moorage logs",
		"allowed: api.example.com:443 (once)",
	]);
	assert.equal(
		describeClosing(ledger.report()),
		"To close its network to what it used: sandbox: { egress: [api.example.com] }",
	);
});

test("many hosts are shortened, and too many give no closing line", () => {
	const ledger = new EgressLedger();
	for (let index = 0; index < 300; index += 1) {
		ledger.note("used", { host: `h${index}.example`, port: 443 }, index);
	}
	const lines = describeEgress(ledger.report());
	assert.equal(lines.length, 11);
	assert.equal(lines.at(-1), "allowed: 246 more hosts");
	assert.equal(describeClosing(ledger.report()), undefined);
});

test("changes name what is new and what is gone, once", () => {
	const ledger = new EgressLedger();
	ledger.note("used", api, 1);
	ledger.note("used", api, 2);
	const none = { used: 0, refused: 0, unproxied: 0 };
	assert.deepEqual(ledger.takeChanges(), {
		whole: false,
		saved: [{ outcome: "used", ...api, count: 2, first_at_ms: 1, last_at_ms: 2 }],
		removed: [],
		forgotten: none,
	});
	assert.deepEqual(ledger.takeChanges(), { whole: false, saved: [], removed: [], forgotten: none });
	for (let port = 1; port <= 256; port += 1) ledger.note("used", { ...database, port }, 3);
	const changes = ledger.takeChanges();
	assert.equal(changes.saved.length, 256);
	assert.deepEqual(changes.removed, [{ outcome: "used", ...api }]);
	assert.deepEqual(changes.forgotten, { ...none, used: 1 });
});

test("a flood between two writes is written as everything there is", () => {
	const ledger = new EgressLedger();
	ledger.note("used", api, 0);
	ledger.takeChanges();
	for (let index = 0; index < 5_000; index += 1) {
		ledger.note("refused", { host: `h${index}.example`, port: 443 }, index);
	}
	const changes = ledger.takeChanges();
	assert.ok(changes.whole);
	assert.equal(changes.saved.length, 257, "the used one as well");
	assert.deepEqual(changes.removed, []);
	assert.equal(ledger.takeChanges().whole, false);
});
