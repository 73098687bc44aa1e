import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { serverPlan } from "../../test/support/fake-house.ts";
import {
	type Asked,
	type ListReply,
	ListUpstream,
	listsOf,
} from "../../test/support/list-upstream.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { nodeSpec, openUpstream } from "../../test/support/upstream-harness.ts";
import type { Hello } from "../upstreams/driver.ts";
import { stdioDriver } from "../upstreams/stdio/driver.ts";
import { type CatalogFetch, fetchCatalog, page_ms_max } from "./fetch-catalog.ts";
import { type FetchBudget, name_chars_max } from "./fetch-list.ts";

function fetching(
	answer: (asked: Asked) => ListReply | Promise<ListReply>,
	change: {
		hello?: Partial<Hello>;
		budget?: Partial<FetchBudget>;
		before?: CatalogFetch["before"];
		call_ms?: number;
	} = {},
) {
	const { timeouts } = serverPlan("lists");
	const { call_ms = timeouts.call_ms } = change;
	const upstream = new ListUpstream(answer, change.hello);
	const notes: string[] = [];
	const outcome = fetchCatalog({
		server: serverPlan("lists", { timeouts: { ...timeouts, call_ms } }),
		upstream,
		signal: new AbortController().signal,
		clock: new FakeClock(1_000),
		random: new SeededRandom(1),
		budget: { pages_max: 10, items: 100, bytes: 10_000, ...change.budget },
		before: change.before,
		note: (text) => notes.push(text),
	});
	return { upstream, notes, outcome };
}

async function fetched(...args: Parameters<typeof fetching>) {
	const { upstream, notes, outcome } = fetching(...args);
	const result = await outcome;
	assert.ok(result.ok, result.ok ? "" : result.problem.message);
	return { upstream, notes, catalog: result.value };
}

const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);
const tools_only = { hello: { capabilities: '{"tools":{}}' } };

test("all lists are read that the server's capabilities name, and no others", async () => {
	const lists = {
		tools: [{ name: "t" }],
		resources: [{ uri: "file:///r", name: "r" }],
		resourceTemplates: [{ uriTemplate: "file:///{x}", name: "x" }],
		prompts: [{ name: "p" }],
	};
	const { catalog, upstream } = await fetched(listsOf(lists));
	assert.deepEqual(names(catalog.tools), ["t"]);
	assert.deepEqual(names(catalog.resources), ["file:///r"]);
	assert.deepEqual(names(catalog.templates), ["file:///{x}"]);
	assert.deepEqual(names(catalog.prompts), ["p"]);
	assert.equal(catalog.fetched_at_ms, 1_000);
	assert.equal(upstream.asked.length, 4);
	const some = await fetched(listsOf(lists), tools_only);
	assert.deepEqual(some.upstream.asked, [{ method: "tools/list", params: undefined }]);
	assert.deepEqual(names(some.catalog.prompts), []);
	const none = await fetched(listsOf(lists), { hello: { capabilities: "{}" } });
	assert.equal(none.upstream.asked.length, 0);
	assert.deepEqual(none.catalog.incomplete, []);
});

test("items keep every byte", async () => {
	const text = '{ "name" :"t\\u0041", "big": 12345678901234567890, "one":1.0,\n"x":{"y":[]}}';
	const { catalog } = await fetched(
		() => ({ result: `{"tools":[ ${text} ,{"name":"u"}]}` }),
		tools_only,
	);
	assert.deepEqual(names(catalog.tools), ["tA", "u"]);
	assert.equal(catalog.tools[0]?.bytes.toString(), text);
});

test("all pages are read, whatever their cursors look like", async () => {
	const cursors = ["", "a\\u0062\\n", "12"];
	let page = 0;
	const { catalog, upstream } = await fetched(() => {
		const next = cursors[page] === undefined ? "" : `,"nextCursor":"${cursors[page]}"`;
		page += 1;
		return { result: `{"tools":[{"name":"t${page}"}]${next}}` };
	}, tools_only);
	assert.deepEqual(names(catalog.tools), ["t1", "t2", "t3", "t4"]);
	assert.deepEqual(
		upstream.asked.map(({ params }) => params),
		[undefined, { cursor: "" }, { cursor: "ab\n" }, { cursor: "12" }],
	);
});

test("a null cursor is the end, as some servers write it", async () => {
	const { catalog, notes } = await fetched(
		() => ({ result: '{"tools":[{"name":"t"}],"nextCursor":null}' }),
		tools_only,
	);
	assert.deepEqual(names(catalog.tools), ["t"]);
	assert.deepEqual(notes, []);
});

test("a list ends where its cursor repeats or is not a string, and that is noted", async () => {
	for (const [cursor, note] of [
		['"again"', /same cursor twice/],
		["7", /not a string/],
	] as const) {
		let page = 0;
		const { catalog, notes } = await fetched(() => {
			page += 1;
			return { result: `{"tools":[{"name":"t${page}"}],"nextCursor":${cursor}}` };
		}, tools_only);
		assert.ok(catalog.tools.length >= 1 && catalog.tools.length <= 2);
		assert.equal(notes.length, 1);
		assert.match(notes[0] ?? "", note);
	}
});

test("endless pages, items and bytes are cut off at their limits, and that is noted", async () => {
	const endless = () => {
		let page = 0;
		return () => {
			page += 1;
			return { result: `{"tools":[{"name":"t${page}"}],"nextCursor":"${page}"}` };
		};
	};
	const pages = await fetched(endless(), { ...tools_only, budget: { pages_max: 3 } });
	assert.deepEqual(names(pages.catalog.tools), ["t1", "t2", "t3"]);
	assert.match(pages.notes[0] ?? "", /more than 3 pages/);
	const items = await fetched(endless(), { ...tools_only, budget: { items: 2 } });
	assert.deepEqual(names(items.catalog.tools), ["t1", "t2"]);
	assert.match(items.notes[0] ?? "", /"t3" and what follows is left out/);
	const bytes = await fetched(endless(), { ...tools_only, budget: { bytes: 14 * 5 } });
	assert.equal(bytes.catalog.tools.length, 5);
	assert.equal(bytes.notes.length, 1);
});

test("what has no name is dropped, of two with one name the first counts", async () => {
	const items = ['{"name":7}', '{"title":"x"}', "7", '"t"', "null", "[]"];
	const { catalog, notes } = await fetched(() => {
		const all = [...items, '{"name":"t","first":true}', '{"name":"t"}'];
		return { result: `{"tools":[${all.join(",")},{"name":"${"n".repeat(5000)}"}]}` };
	}, tools_only);
	assert.deepEqual(names(catalog.tools), ["t"]);
	assert.match(catalog.tools[0]?.bytes.toString() ?? "", /first/);
	assert.equal(notes.length, items.length + 2);
	assert.match(notes[0] ?? "", /without a string "name"/);
	assert.match(notes.at(-2) ?? "", /"t" more than once/);
	assert.match(notes.at(-1) ?? "", /too long/);
});

test("a list the server does not have is empty, and no cause for a note", async () => {
	const { catalog, notes } = await fetched(({ method }) =>
		method === "tools/list"
			? { result: '{"tools":[{"name":"t"}]}' }
			: { error: '{"code":-32601,"message":"Method not found"}' },
	);
	assert.deepEqual(names(catalog.tools), ["t"]);
	assert.deepEqual(catalog.incomplete, []);
	assert.deepEqual(notes, []);
});

test("one list that fails does not cost the others; what was known of it stays", async () => {
	const broken: [ListReply, RegExp][] = [
		[{ error: '{"code":-32603,"message":"no database"}' }, /error -32603/],
		[{ result: '{"prompts":{}}' }, /without a list of prompts/],
		[{ result: "{}" }, /without a list of prompts/],
		[{ fault: "call_timeout" }, /did not answer prompts\/list in time/],
	];
	const whole = listsOf({ tools: [{ name: "t" }], prompts: [{ name: "old" }] });
	const { catalog: before } = await fetched(whole);
	for (const [reply, note] of broken) {
		const answer = (asked: Asked) => (asked.method === "prompts/list" ? reply : whole(asked));
		const fresh = await fetched(answer);
		assert.deepEqual(names(fresh.catalog.tools), ["t"]);
		assert.deepEqual(fresh.catalog.prompts, []);
		assert.deepEqual(fresh.catalog.incomplete, ["prompts/list"]);
		assert.match(fresh.notes.join(), note);
		assert.doesNotMatch(fresh.notes.join(), /database/);
		const kept = await fetched(answer, { before });
		assert.deepEqual(names(kept.catalog.prompts), ["old"]);
		const other = { ...before, fingerprint: "another configuration" };
		assert.deepEqual((await fetched(answer, { before: other })).catalog.prompts, []);
	}
});

test("a server that can give none of its lists is a fault that says so", async () => {
	const { outcome } = fetching(() => ({ error: '{"code":-32603,"message":"secret"}' }), tools_only);
	const result = await outcome;
	assert.ok(!result.ok);
	assert.equal(result.problem.code, "server_protocol");
	assert.match(result.problem.message, /"lists" answered tools\/list with the error -32603/);
	assert.match(result.problem.message, /moorage logs lists/);
	assert.doesNotMatch(result.problem.message, /secret/);
	assert.equal(result.problem.detail, "secret");
});

test("a connection that breaks ends the reading with its own fault", async () => {
	const { outcome } = fetching(({ method }) =>
		method === "tools/list" ? { result: '{"tools":[]}' } : { fault: "server_exited" },
	);
	const result = await outcome;
	assert.ok(!result.ok);
	assert.equal(result.problem.code, "server_exited");
});

test("the catalog of a real program is read through its driver", async () => {
	const path = new URL("../../test/servers/list-changing.mjs", import.meta.url).pathname;
	const { upstream } = await openUpstream(stdioDriver, nodeSpec(path));
	try {
		const result = await fetchCatalog({
			server: serverPlan("real"),
			upstream,
			signal: new AbortController().signal,
			clock: new FakeClock(),
			random: new SeededRandom(1),
			budget: { pages_max: 10, items: 100, bytes: 100_000 },
			before: undefined,
			note: (text) => assert.fail(text),
		});
		assert.ok(result.ok);
		assert.deepEqual(names(result.value.tools), ["add_tool", "remove_tool"]);
		assert.equal(result.value.revision, upstream.hello.revision);
	} finally {
		await upstream.close();
	}
});

test("a list of which something is left out is known to be another than the server's", async () => {
	const lists = listsOf({ tools: [{ name: "t" }, { title: "no name" }], prompts: [{ name: "p" }] });
	const { catalog } = await fetched(lists);
	assert.deepEqual(catalog.inexact, ["tools/list"]);
	const whole = await fetched(listsOf({ tools: [{ name: "t" }] }));
	assert.equal(whole.catalog.inexact, undefined);
});

test("a list of as many pages, items and bytes as may be is whole, and nothing is noted", async () => {
	// items_max
	const pagesOf = (count: number) => {
		let page = 0;
		return () => {
			page += 1;
			const next = page < count ? `,"nextCursor":"${page}"` : "";
			return { result: `{"tools":[{"name":"t${page}"}]${next}}` };
		};
	};
	const size = '{"name":"t1"}'.length;
	for (const [budget, count, kept] of [
		[{ pages_max: 3 }, 2, 2],
		[{ pages_max: 3 }, 3, 3],
		[{ pages_max: 3 }, 4, 3],
		[{ items: 3 }, 2, 2],
		[{ items: 3 }, 3, 3],
		[{ items: 3 }, 4, 3],
		[{ bytes: 3 * size + 1 }, 3, 3],
		[{ bytes: 3 * size }, 3, 3],
		[{ bytes: 3 * size - 1 }, 3, 2],
	] as const) {
		const { catalog, notes } = await fetched(pagesOf(count), { ...tools_only, budget });
		assert.equal(catalog.tools.length, kept, JSON.stringify(budget));
		assert.equal(notes.length, kept === count ? 0 : 1);
	}
});

test("an item's name may be so long, and one that is longer costs no other", async () => {
	for (const [length, kept] of [
		[name_chars_max - 1, 2],
		[name_chars_max, 2],
		[name_chars_max + 1, 1],
	] as const) {
		const { catalog, notes } = await fetched(
			() => ({ result: `{"tools":[{"name":"${"n".repeat(length)}"},{"name":"after"}]}` }),
			tools_only,
		);
		assert.equal(catalog.tools.length, kept, String(length));
		assert.equal(catalog.tools.at(-1)?.name, "after");
		assert.equal(notes.length, 2 - kept);
	}
});

test("of an error's text as much is kept as a log bears", async () => {
	// detail_chars_max
	for (const [length, kept] of [
		[499, 499],
		[500, 500],
		[501, 500],
	] as const) {
		const details: (string | undefined)[] = [];
		await fetchCatalog({
			server: serverPlan("lists"),
			upstream: new ListUpstream(
				() => ({ error: `{"code":-32603,"message":"${"x".repeat(length)}"}` }),
				tools_only.hello,
			),
			signal: new AbortController().signal,
			clock: new FakeClock(),
			random: new SeededRandom(1),
			budget: { pages_max: 1, items: 1, bytes: 1_000 },
			before: undefined,
			note: (_, detail) => details.push(detail),
		});
		assert.deepEqual(details, ["x".repeat(kept)]);
	}
});

test("a page may take as long as a call, and no longer than pages may", async () => {
	for (const [call_ms, page_ms] of [
		[page_ms_max - 1, page_ms_max - 1],
		[page_ms_max, page_ms_max],
		[page_ms_max + 1, page_ms_max],
	] as const) {
		const { upstream } = await fetched(listsOf({ tools: [] }), { ...tools_only, call_ms });
		assert.deepEqual(upstream.times_ms, [page_ms]);
	}
});
