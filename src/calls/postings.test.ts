import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { prepareHistory } from "./history-schema.ts";
import {
	type PostedColumn,
	type PostedWord,
	Postings,
	posted_columns,
	span_calls,
} from "./postings.ts";

const calls = 2 * span_calls + 9_000;

/** The words of a call, by column; null where it has none. */
function wordsOf(seq: number): (PostedWord | null)[] {
	const of: Partial<Record<PostedColumn, PostedWord | null>> = {
		tenant: 1,
		user: 2 + (seq % 90),
		server: 200 + (seq % 12),
		session: seq % 2 === 0 ? `session-${Math.floor(seq / 400)}` : null,
		name: seq === 70_123 ? "=once" : 300 + (seq % 70),
		status: seq % 50 === 7 ? 1 : null,
	};
	return posted_columns.map((column) => of[column] ?? null);
}

function idOf(seq: number): Uint8Array {
	return Buffer.from(seq.toString(16).padStart(32, "0"), "hex");
}

function found(postings: Postings, wanted: readonly (readonly [PostedColumn, PostedWord])[]) {
	return [...postings.partsFrom(calls)].flatMap((part) => [...postings.find(part, wanted)]);
}

function expected(wanted: readonly (readonly [PostedColumn, PostedWord])[]): number[] {
	const all = Array.from({ length: calls }, (_, n) => n + 1).reverse();
	return all.filter((seq) => {
		const words = wordsOf(seq);
		return wanted.every(([column, word]) => words[posted_columns.indexOf(column)] === word);
	});
}

const questions: readonly (readonly (readonly [PostedColumn, PostedWord])[])[] = [
	[["name", "=once"]],
	[["name", "=never"]],
	[
		["tenant", 1],
		["name", "=once"],
	],
	[
		["user", 91],
		["server", 211],
		["name", 369],
	],
	[["session", "session-300"]],
	[
		["status", 1],
		["server", 203],
	],
];

function check(postings: Postings): void {
	for (const wanted of questions) {
		assert.deepEqual(found(postings, wanted), expected(wanted), JSON.stringify(wanted));
	}
	assert.equal(found(postings, [["tenant", 1]]).length, calls);
	for (const seq of [1, 65_535, 65_536, 70_123, 2 * span_calls, calls]) {
		const candidates = [...postings.partsFrom(calls)].flatMap((part) => [
			...postings.ofId(part, idOf(seq)),
		]);
		assert.ok(candidates.includes(seq), `${seq}`);
		assert.ok(candidates.length < 4, `${candidates.length} candidates`);
	}
}

const kindsOf = (postings: Postings) =>
	[...postings.partsFrom(calls)].map(({ kind }) => kind).join();

function filled(): { db: DatabaseSync; postings: Postings } {
	const db = new DatabaseSync(":memory:");
	prepareHistory(db);
	const postings = new Postings(db);
	postings.open(0);
	db.exec("begin");
	for (let seq = 1; seq <= calls; seq += 1) postings.add(seq, wordsOf(seq), idOf(seq));
	db.exec("commit");
	return { db, postings };
}

test("eight stretches become a span, and everything is found in it", (context) => {
	const { db, postings } = filled();
	context.after(() => db.close());
	assert.equal(kindsOf(postings), "open,stretch,span,span");
	check(postings);
	const again = new Postings(db);
	again.open(2 * span_calls - 1);
	assert.equal(again.first, 0);
	assert.deepEqual([...again.partsFrom(span_calls)].length, 2);
	const left = db.prepare("select distinct stretch from postings").all();
	assert.deepEqual(
		left.map(({ stretch }) => stretch),
		[16],
	);
});

test("stretches of an older version become spans bit by bit, the newest first", (context) => {
	const { db } = filled();
	context.after(() => db.close());
	// An older version has made stretches of the same calls.
	db.exec("delete from span_postings; delete from postings; begin");
	const names = ["seq", "id", "at_ms", "status", "input_bytes", "output_bytes"];
	const columns = ["tenant", "user", "server", "session", "name"] as const;
	const insert = db.prepare(
		`insert into calls (${[...names, ...columns].join(", ")})
		values (?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?)`,
	);
	for (let seq = 1; seq <= calls; seq += 1) {
		const words = wordsOf(seq);
		const of = (column: PostedColumn) => words[posted_columns.indexOf(column)] ?? null;
		insert.run(seq, idOf(seq), of("status") ?? 0, ...columns.map(of));
	}
	db.exec("commit");
	const postings = new Postings(db);
	postings.open(calls);
	while (postings.first > 0) postings.addOlder();
	check(postings);
	assert.equal(postings.joinOlder(), true);
	assert.match(kindsOf(postings), /^open,stretch,span(,stretch){8}$/);
	check(postings);
	assert.equal(postings.joinOlder(), true);
	assert.equal(postings.joinOlder(), false);
	assert.equal(kindsOf(postings), "open,stretch,span,span");
	check(postings);
});

test("spans leave with their calls", (context) => {
	const { db, postings } = filled();
	context.after(() => db.close());
	postings.trim(span_calls - 1);
	assert.equal(kindsOf(postings), "open,stretch,span,span");
	postings.trim(span_calls + 66_000);
	assert.equal(kindsOf(postings), "open,stretch");
	assert.deepEqual(db.prepare("select distinct span from span_postings").all(), []);
});
