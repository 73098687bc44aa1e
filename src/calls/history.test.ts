import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { sampleAnswered } from "../../test/support/answered-request.ts";
import { as_it_is, lineText } from "../../test/support/call-line.ts";
import { sampleRecord } from "../../test/support/call-record.ts";
import { answeredLine } from "../telemetry/answered-line.ts";
import type { CallLine } from "../telemetry/call-line.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import { History } from "./history.ts";
import { stretch_calls } from "./postings.ts";
import type { CallQuery } from "./query.ts";

const start_ms = Date.UTC(2026, 0, 1);

function open(context: TestContext, monotonic = () => performance.now()) {
	const folder = mkdtempSync(join(tmpdir(), "moorage-history-"));
	const path = join(folder, "history.db");
	const history = new History(path, monotonic);
	context.after(() => {
		history.close();
		rmSync(folder, { recursive: true });
	});
	return { history, path };
}

function idOf(n: number): string {
	return `0198a000-0000-7000-8000-${String(n).padStart(12, "0")}`;
}

function line(n: number, changes: Partial<CallRecord> = {}): CallLine {
	const record = sampleRecord({
		id: idOf(n),
		ts_ms: start_ms + n * 1000,
		duration_ms: 0,
		...changes,
	});
	return JSON.parse(lineText(record)) as CallLine;
}

const numbersOf = (calls: readonly CallLine[]) => calls.map(({ id }) => Number(id.slice(24)));

test("a call comes back as it was logged", (context) => {
	const { history } = open(context);
	const samples = [
		line(1),
		line(2, {
			status: "server_error",
			code: "tool_error",
			error_message: "The server is gone.",
			error_id: "e-1",
			span_id: "00f067aa0ba902b7",
			parent_span_id: "aaf067aa0ba902b7",
			queue_ms: 1.5,
			audit_ms: 0.75,
			wake_ms: 2.25,
			approval_id: idOf(77),
			rule: "no-refunds",
			made_by: "acme/root",
		}),
		line(3, {
			method: "resources/read",
			name: "file:///a/b.txt",
			server: undefined,
			version: undefined,
			instance: undefined,
			client_id: undefined,
			session_id: "no-uuid",
			upstream_revision: undefined,
			upstream_era: undefined,
			decision: undefined,
			risk: undefined,
			request_id: '"abc"',
		}),
	];
	history.add(samples);
	for (const sample of samples) assert.deepEqual(history.get(sample.id), sample);
	assert.equal(history.get(idOf(9)), undefined);
	assert.deepEqual(history.find({ limit: 10 }).calls, samples.toReversed());
});

test("a request that was refused comes back with what is not known of it", (context) => {
	const { history } = open(context);
	const refusals = [
		sampleAnswered({ id: idOf(1) }),
		sampleAnswered({ id: idOf(2), requests: 940, method: "*" }),
		sampleAnswered({ id: idOf(3), tenant: "acme", user: "ana", client_era: "modern" }),
	];
	const samples = refusals.map((one) => JSON.parse(answeredLine(one, as_it_is)) as CallLine);
	history.add(samples);
	for (const sample of samples) assert.deepEqual(history.get(sample.id), sample);
	assert.deepEqual(numbersOf(history.find({ limit: 10, user: "ana" }).calls), [3]);
	assert.deepEqual(numbersOf(history.find({ limit: 10, text: "not known" }).calls), [3, 2, 1]);
});

/** Makes of a history what the first version would have made of the same calls. */
function asOfFirstVersion(path: string): void {
	const db = new DatabaseSync(path);
	db.exec(`
		drop table postings;
		drop table span_postings;
		drop index calls_by_trace;
		create index calls_by_id on calls (id);
		create index calls_by_tenant on calls (tenant);
		create index calls_by_user on calls (user);
		create index calls_by_server on calls (server);
		create index calls_by_name on calls (name);
		create index calls_by_trace on calls (trace);
		create index calls_by_session on calls (session) where session is not null;
		create index failed_calls on calls (status) where status > 0;
		create index failed_calls_by_server on calls (server, status) where status > 0;
		create index failed_calls_by_user on calls (user, status) where status > 0;
		create index failed_calls_by_name on calls (name, status) where status > 0;
		alter table calls drop column requests;
		alter table calls drop column made_by;
		alter table calls drop column audit_us;
		pragma user_version = 1;
	`);
	db.close();
}

test("a history of the first version is taken over as it is", (context) => {
	const { history, path } = open(context);
	history.add([line(1), line(2)]);
	asOfFirstVersion(path);
	const upgraded = new History(path, () => performance.now());
	context.after(() => upgraded.close());
	upgraded.add([line(3)]);
	assert.deepEqual(upgraded.find({ limit: 10 }).calls, [line(3), line(2), line(1)]);
	assert.deepEqual(upgraded.get(idOf(2)), line(2));
});

/** Some stretches of calls; of one in three the client has a trace, and one in fifty fails. */
function manyCalls(count: number): CallLine[] {
	return Array.from({ length: count }, (_, n) =>
		line(n, {
			user: `user-${Math.floor(40 * ((n * 0.618_034) % 1) ** 3)}`,
			server: `server-${n % 5}`,
			name: n === 4_321 ? "once" : `tool-${n % 7}`,
			session_id: n % 2 === 0 ? undefined : idOf(n % 300),
			trace_id:
				n % 3 === 0 ? (n % 100).toString(16).padStart(32, "4") : idOf(n).replaceAll("-", ""),
			...(n % 50 === 7
				? { status: "timeout", code: "call_timeout", error_message: `Éost call ${n}.` }
				: {}),
		} as const),
	);
}

const wanted_of_many: readonly CallQuery[] = [
	{ user: "user-39", limit: 30 },
	{ user: "user-1", server: "server-3", limit: 1_000 },
	{ user: "user-2", server: "server-4", status: "error", limit: 30 },
	{ status: "timeout", limit: 2_000 },
	{ status: "client_error", limit: 10 },
	{ name: "once", limit: 10 },
	{ name: "never", limit: 10 },
	{ session: idOf(17), limit: 1_000 },
	{ text: "call eost", limit: 30 },
	{ text: "éos 9", limit: 2_000 },
	{ text: "1", limit: 2_000 },
	{ text: "TIMEOUT 4", before: 9_000, server: "server-2", limit: 30 },
	{ text: "call", user: "user-39", limit: 30 },
	{ text: "call", user: "user-0", status: "timeout", limit: 2_000 },
	{ text: "call nothing", limit: 30 },
	{ text: "call", user: "nobody", limit: 30 },
	{ trace: "4".padStart(32, "4"), limit: 10 },
	{ trace: idOf(4_322).replaceAll("-", ""), limit: 10 },
	{ user: "user-0", since_ms: start_ms + 3_000_000, until_ms: start_ms + 3_100_000, limit: 100 },
	{ tenant: "acme", decision: "allow", method: "tools/call", before: 9_000, limit: 5 },
];

/** Whether each of these is the beginning of a word of an error, however it is written. */
function hasWords(call: CallLine, text: string): boolean {
	const plain = (one: string) => one.toLowerCase().replaceAll("é", "e");
	const words = plain(`${call.error} ${call.code} ${call.tool}`).split(/[^a-z0-9]+/);
	const wanted = text === "" ? [] : plain(text).split(" ");
	return (
		text === "" ||
		(call.status !== "ok" && wanted.every((one) => words.some((word) => word.startsWith(one))))
	);
}

function expectedOf(calls: readonly CallLine[], query: CallQuery): number[] {
	const newest = calls.slice(0, (query.before ?? calls.length + 1) - 1).toReversed();
	const found = newest.filter((call) => {
		const at_ms = Date.parse(call.ts);
		const named: readonly (readonly [unknown, unknown])[] = [
			[query.user, call.user],
			[query.server, call.server],
			[query.name, call.tool],
			[query.session, call.session_id],
			[query.trace, call.trace_id],
			[query.status === "error" ? undefined : query.status, call.status],
		];
		return (
			named.every(([wanted, is]) => wanted === undefined || wanted === is) &&
			hasWords(call, query.text ?? "") &&
			(query.status !== "error" || call.status !== "ok") &&
			at_ms >= (query.since_ms ?? 0) &&
			at_ms < (query.until_ms ?? Number.POSITIVE_INFINITY)
		);
	});
	return numbersOf(found.slice(0, query.limit));
}

test("what is in many stretches is found, when they are full, reopened or of an older version", (context) => {
	// A clock that stands still: searches end when all is found.
	const still = () => 0;
	const { history, path } = open(context, still);
	const calls = manyCalls(2 * stretch_calls + 700);
	for (let n = 0; n < calls.length; n += 1_000) history.add(calls.slice(n, n + 1_000));
	const look = (one: History) => {
		for (const query of wanted_of_many) {
			const { calls: found } = one.find(query);
			assert.deepEqual(numbersOf(found), expectedOf(calls, query), JSON.stringify(query));
		}
		for (const n of [0, 4_321, stretch_calls, calls.length - 1]) {
			assert.deepEqual(one.get(idOf(n)), calls[n]);
		}
		assert.equal(one.get(idOf(999_999)), undefined);
	};
	const reopen = () => {
		const again = new History(path, still);
		context.after(() => again.close());
		return again;
	};
	look(history);
	look(reopen());
	asOfFirstVersion(path);
	const upgraded = reopen();
	look(upgraded);
	assert.equal(upgraded.modernize(), true);
	look(upgraded);
	while (upgraded.modernize());
	look(upgraded);
	const db = new DatabaseSync(path);
	const indexes = db.prepare("select name from sqlite_schema where name like '%calls%by%'").all();
	db.close();
	assert.deepEqual(indexes.map(({ name }) => name).join(), "calls_by_trace");
	assert.equal(upgraded.trim({ oldest_ms: 0, calls_max: 5_000 }, 100_000), calls.length - 5_000);
	assert.deepEqual(numbersOf(upgraded.find({ name: "once", limit: 1 }).calls), []);
	assert.deepEqual(upgraded.get(idOf(calls.length - 1)), calls.at(-1));
});

test("pages follow each other without gaps and doubles", (context) => {
	const { history } = open(context);
	history.add(Array.from({ length: 25 }, (_, n) => line(n)));
	const seen: number[] = [];
	let before: number | undefined;
	do {
		const page = history.find({ limit: 10, before });
		assert.equal(page.complete, true);
		seen.push(...numbersOf(page.calls));
		before = page.next;
	} while (before !== undefined);
	assert.deepEqual(
		seen,
		Array.from({ length: 25 }, (_, n) => 24 - n),
	);
});

test("calls of a trace are found, also where it is named after its only call", (context) => {
	const { history } = open(context);
	const own = (n: number) => idOf(n).replaceAll("-", "");
	const theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
	history.add([
		line(1, { trace_id: own(1) }),
		line(2, { trace_id: theirs }),
		line(3, { trace_id: own(3) }),
		line(4, { trace_id: theirs }),
		// Its client goes on with what it was told of another call.
		line(5, { trace_id: own(3) }),
	]);
	const find = (trace: string) => numbersOf(history.find({ trace, limit: 10 }).calls);
	assert.deepEqual(find(theirs), [4, 2]);
	assert.deepEqual(find(own(1)), [1]);
	assert.deepEqual(find(own(3)), [5, 3]);
	assert.deepEqual(find(own(2)), []);
	assert.equal(history.get(idOf(1))?.trace_id, own(1));
});

test("errors are found by words of their text, their code and their tool", (context) => {
	const { history } = open(context);
	history.add([
		line(1, { status: "timeout", code: "call_timeout", error_message: "No answer in time." }),
		line(2, { status: "server_error", code: "tool_error", name: "send_mail" }),
		line(3),
	]);
	const find = (text: string) => numbersOf(history.find({ text, limit: 10 }).calls);
	assert.deepEqual(find("answer"), [1]);
	assert.deepEqual(find("call_timeout"), [1]);
	assert.deepEqual(find("NO ans"), [1]);
	assert.deepEqual(find("mail"), [2]);
	assert.deepEqual(find('"; drop table calls --'), []);
	assert.deepEqual(find("***"), []);
	assert.deepEqual(find("error OR answer"), []);
});

test("halves of characters and NUL cost no call, also once the history is opened again", (context) => {
	const { history, path } = open(context);
	const odd = { client_name: "half \ud800\u0000end", name: "tool\udfff", session_id: "s\ud800" };
	history.add([line(1, { ...odd, status: "client_error", error_message: "no \ud800 tool" })]);
	const again = new History(path, () => performance.now());
	context.after(() => again.close());
	again.add([line(2, odd), line(3, { client_name: "half \ud801\u0000end" }), line(4)]);
	const found = again.find({ limit: 10 }).calls;
	assert.deepEqual(numbersOf(found), [4, 3, 2, 1]);
	assert.deepEqual(
		found.slice(1).map(({ client_name }) => client_name),
		Array(3).fill("half \ufffd\u0000end"),
	);
	assert.deepEqual(numbersOf(again.find({ name: "tool\udfff", limit: 10 }).calls), [2, 1]);
	assert.deepEqual(numbersOf(again.find({ text: "tool", limit: 10 }).calls), [1]);
});

test("accents divide no word, whether they are characters of their own or not", (context) => {
	const { history } = open(context);
	for (const [n, name] of ["résumé", "r\u{65}\u{301}sume\u{301}", "सेवा बंद"].entries()) {
		history.add([line(n, { status: "client_error", code: "not_offered", name })]);
	}
	const find = (text: string) => numbersOf(history.find({ text, limit: 10 }).calls);
	for (const text of ["résumé", "re\u{301}sume\u{301}", "resume", "RÉS"]) {
		assert.deepEqual(find(text), [1, 0], text);
	}
	assert.deepEqual(find("सेवा"), [2]);
	assert.deepEqual(find("r sume"), []);
});

test("scripts without spaces are found by any part of what was written", (context) => {
	const { history } = open(context);
	const errors = [
		"データベースに接続できませんでした",
		"无法连接到数据库：权限不足",
		"파일을 열 수 없습니다",
		"HTTPエラー503が発生",
	];
	for (const [n, error_message] of errors.entries()) {
		history.add([line(n, { status: "server_error", error_message, name: "道具" })]);
	}
	const find = (text: string) => numbersOf(history.find({ text, limit: 10 }).calls);
	assert.deepEqual(find("接続"), [0]);
	assert.deepEqual(find("データベース"), [0]);
	assert.deepEqual(find("ベース た"), [0]);
	assert.deepEqual(find("数据库"), [1]);
	assert.deepEqual(find("权限不足 连接"), [1]);
	assert.deepEqual(find("足"), [1]);
	assert.deepEqual(find("열"), [2]);
	assert.deepEqual(find("エラー503"), [3]);
	assert.deepEqual(find("503"), [3]);
	assert.deepEqual(find("発生"), [3]);
	assert.deepEqual(find("道具"), [3, 2, 1, 0]);
	assert.deepEqual(find("接続数据"), []);
	assert.deepEqual(find("続接"), []);
});

test("any character may stand in what is searched for", (context) => {
	const { history } = open(context);
	history.add([line(1, { status: "client_error", code: "not_offered" })]);
	const words: string[] = [];
	for (let code = 0; code <= 0x10_ffff; code += code < 0x2000 ? 1 : 31) {
		words.push(`a${String.fromCodePoint(code)}b`);
		if (words.length < 256) continue;
		history.find({ text: words.splice(0).join(" "), limit: 1 });
	}
});

test("any filters give what looking through all calls gives, also when clocks jump", (context) => {
	const users = ["ana", "bob", "eve"];
	const servers = ["github", undefined];
	const states = ["ok", "client_error", "server_error", "timeout"] as const;
	const call = fc.record({
		user: fc.constantFrom(...users),
		server: fc.constantFrom(...servers),
		status: fc.constantFrom(...states),
		jump_s: fc.constantFrom(0, 0, 0, 1, 5, 100, -50, -2000),
	});
	const query = fc.record(
		{
			user: fc.constantFrom(...users, "nobody"),
			server: fc.constantFrom("github", "none"),
			status: fc.constantFrom(...states, "error" as const),
			since_s: fc.integer({ min: -3000, max: 3000 }),
			until_s: fc.integer({ min: -3000, max: 3000 }),
		},
		{ requiredKeys: [] },
	);
	const property = fc.property(fc.array(call, { maxLength: 40 }), query, (calls, wanted) => {
		const history = new History(":memory:", () => performance.now());
		let now_ms = start_ms;
		const lines = calls.map(({ user, server, status, jump_s }, n) => {
			now_ms += jump_s * 1000 + 10;
			return line(n, { user, server, status, ts_ms: now_ms });
		});
		history.add(lines);
		const { since_s, until_s, ...rest } = wanted;
		const since_ms = since_s === undefined ? undefined : start_ms + since_s * 1000;
		const until_ms = until_s === undefined ? undefined : start_ms + until_s * 1000;
		const found = history.find({ ...rest, since_ms, until_ms, limit: 100 });
		const expected = lines.filter((one) => {
			const at_ms = Date.parse(one.ts);
			const failed = rest.status === "error" ? one.status !== "ok" : one.status === rest.status;
			return (
				(rest.user === undefined || one.user === rest.user) &&
				(rest.server === undefined || one.server === rest.server) &&
				(rest.status === undefined || failed) &&
				(since_ms === undefined || at_ms >= since_ms) &&
				(until_ms === undefined || at_ms < until_ms)
			);
		});
		history.close();
		assert.deepEqual(numbersOf(found.calls), numbersOf(expected.toReversed()));
		assert.equal(found.complete, true);
	});
	fc.assert(property, { numRuns: 150 });
	assert.ok(context);
});

test("looking ends when it takes too long, and goes on from there", (context) => {
	const folder = mkdtempSync(join(tmpdir(), "moorage-history-"));
	context.after(() => rmSync(folder, { recursive: true }));
	let now_ms = 0;
	// Every look at the clock costs a second.
	const history = new History(join(folder, "history.db"), () => {
		now_ms += 1_000;
		return now_ms;
	});
	context.after(() => history.close());
	for (let n = 0; n < 45_000; n += 5_000) {
		history.add(Array.from({ length: 5_000 }, (_, k) => line(n + k)));
	}
	const page = history.find({ limit: 10, user: "nobody" });
	assert.deepEqual([page.calls.length, page.complete], [0, false]);
	let next = page.next;
	let pages = 1;
	while (next !== undefined) {
		next = history.find({ limit: 10, user: "nobody", before: next }).next;
		pages += 1;
	}
	assert.equal(pages, Math.ceil(45_000 / stretch_calls));
});

test("the oldest calls leave, by age and by number, with their errors", (context) => {
	const { history } = open(context);
	const failed = { status: "server_error", error_message: "gone away" } as const;
	history.add(Array.from({ length: 100 }, (_, n) => line(n, failed)));
	assert.equal(history.trim({ oldest_ms: start_ms + 20_500, calls_max: 1000 }, 1000), 20);
	assert.equal(history.trim({ oldest_ms: 0, calls_max: 50 }, 10), 10);
	assert.equal(history.trim({ oldest_ms: 0, calls_max: 50 }, 1000), 20);
	assert.equal(history.trim({ oldest_ms: 0, calls_max: 50 }, 1000), 0);
	assert.equal(history.count, 50);
	const { calls } = history.find({ text: "gone", limit: 100 });
	assert.equal(calls.length, 50);
	assert.equal(Math.min(...numbersOf(calls)), 50);
});

test("what cannot be written leaves nothing behind, and the next is written", (context) => {
	const { history } = open(context);
	const broken = { ...line(2, { user: "new-one" }), trace_id: undefined as unknown as string };
	assert.throws(() => history.add([line(1), broken]));
	history.add([line(3, { user: "other-one" })]);
	const { calls } = history.find({ limit: 10 });
	assert.deepEqual(numbersOf(calls), [3]);
	assert.equal(calls[0]?.user, "other-one");
});

test("a call takes at most 400 bytes", (context) => {
	const { history, path } = open(context);
	const calls = 20_000;
	for (let n = 0; n < calls; n += 2_000) {
		const lines = Array.from({ length: 2_000 }, (_, k) => {
			const i = n + k;
			const failed = i % 50 === 0;
			return line(i, {
				trace_id: `4bf92f3577b34da6a3ce929d${String(i).padStart(8, "0")}`,
				session_id: `f0b7c0de-0000-4000-8000-${String(i % 40).padStart(12, "0")}`,
				user: `user-${i % 90}`,
				name: `tool-${i % 70}`,
				server: `server-${i % 12}`,
				duration_ms: 3.217,
				upstream_ms: 2.918,
				policy_ms: 0.031,
				...(failed ? { status: "server_error", code: "tool_error" } : {}),
			});
		});
		history.add(lines);
	}
	const bytes = statSync(path).size;
	assert.ok(bytes / calls <= 400, `${bytes / calls} bytes a call`);
});
