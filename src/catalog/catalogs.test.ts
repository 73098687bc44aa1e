import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { serverPlan } from "../../test/support/fake-house.ts";
import {
	type Asked,
	type ListReply,
	ListUpstream,
	listsOf,
} from "../../test/support/list-upstream.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { CatalogRepository, StoredCatalog } from "../store/catalog-repository.ts";
import { type CatalogChange, Catalogs, readings_waiting_max } from "./catalogs.ts";
import { type Audience, base_audience } from "./readings.ts";

/** A store in memory that can be told to fail. */
class MemoryRepository implements CatalogRepository {
	readonly rows = new Map<string, StoredCatalog>();
	saves = 0;
	broken = false;

	async load(): Promise<StoredCatalog[]> {
		this.#fail();
		return [...this.rows.values()];
	}

	async save(catalog: StoredCatalog): Promise<void> {
		this.#fail();
		this.saves += 1;
		this.rows.set(catalog.server, catalog);
	}

	async remove(server: string): Promise<void> {
		this.#fail();
		this.rows.delete(server);
	}

	#fail(): void {
		if (this.broken) throw new Error("the disk is full");
	}
}

function build(repository = new MemoryRepository()) {
	const clock = new FakeClock(1_000);
	const log = new QuietLog();
	const notes: string[] = [];
	const changes: CatalogChange[] = [];
	const catalogs = new Catalogs({
		clock,
		random: new SeededRandom(1),
		log,
		repository,
		note: (server, text) => notes.push(`${server}: ${text}`),
	});
	const unlisten = catalogs.onChange((change) => changes.push(change));
	return { catalogs, clock, log, notes, changes, repository, unlisten };
}

const never = new AbortController().signal;
const plan = serverPlan("s");
const names = (items: readonly { name: string }[] | undefined) => items?.map(({ name }) => name);

function toolsOf(...tools: string[]): ListUpstream {
	return new ListUpstream(listsOf({ tools: tools.map((name) => ({ name })) }));
}

test("a refresh is kept, stored and told, and an equal one is none of that", async () => {
	const { catalogs, changes, repository, clock } = build();
	assert.equal(catalogs.get("s"), undefined);
	const first = await catalogs.refresh(plan, toolsOf("a", "b"), never);
	assert.ok(first.ok);
	assert.equal(catalogs.get("s"), first.value);
	assert.deepEqual(changes, [{ server: "s", kinds: ["tools"] }]);
	assert.equal(repository.saves, 1);
	await clock.advance(500);
	const second = await catalogs.refresh(plan, toolsOf("b", "a"), never);
	assert.ok(second.ok);
	assert.equal(second.value.fetched_at_ms, 1_500);
	assert.deepEqual(names(second.value.tools), ["a", "b"], "the order stays as it was");
	assert.equal(changes.length, 1);
	assert.equal(repository.saves, 1);
	await catalogs.refresh(plan, toolsOf("a", "c"), never);
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a", "c"]);
	assert.equal(changes.length, 2);
	assert.equal(repository.saves, 2);
});

test("a listener that has left hears nothing", async () => {
	const { catalogs, changes, unlisten } = build();
	unlisten();
	await catalogs.refresh(plan, toolsOf("a"), never);
	assert.deepEqual(changes, []);
});

test("a failed refresh leaves what was known", async () => {
	const { catalogs, changes } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	const broken = new ListUpstream(() => ({ fault: "server_exited" }));
	const outcome = await catalogs.refresh(plan, broken, never);
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.code, "server_exited");
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a"]);
	assert.equal(changes.length, 1);
});

/** An upstream that answers when it is told to. */
function slowUpstream() {
	const waiting: PromiseWithResolvers<void>[] = [];
	let tools = ["a"];
	const upstream = new ListUpstream(
		async (asked: Asked): Promise<ListReply> => {
			const gate = Promise.withResolvers<void>();
			waiting.push(gate);
			const answer = listsOf({ tools: tools.map((name) => ({ name })) })(asked);
			await gate.promise;
			return answer;
		},
		{ capabilities: '{"tools":{}}' },
	);
	return {
		upstream,
		change: (...next: string[]) => {
			tools = next;
		},
		answer: () => waiting.shift()?.resolve(),
	};
}

test("while one reading runs, all who ask share the next one, which sees later changes", async () => {
	const { catalogs } = build();
	const { upstream, change, answer } = slowUpstream();
	const first = catalogs.refresh(plan, upstream, never);
	await settle();
	change("a", "b");
	const later = [1, 2, 3].map(() => catalogs.refresh(plan, upstream, never));
	await settle();
	assert.equal(upstream.asked.length, 1);
	answer();
	const old = await first;
	assert.ok(old.ok);
	assert.deepEqual(names(old.value.tools), ["a"]);
	await settle();
	assert.equal(upstream.asked.length, 2);
	answer();
	for (const outcome of await Promise.all(later)) {
		assert.ok(outcome.ok);
		assert.deepEqual(names(outcome.value.tools), ["a", "b"]);
	}
	assert.equal(upstream.asked.length, 2);
	await catalogs.idle();
});

test("one server's reading does not wait for another's", async () => {
	const { catalogs } = build();
	const { upstream, answer } = slowUpstream();
	const slow = catalogs.refresh(serverPlan("slow"), upstream, never);
	const quick = await catalogs.refresh(plan, toolsOf("q"), never);
	assert.ok(quick.ok);
	let idle = false;
	void catalogs.idle().then(() => {
		idle = true;
	});
	await settle();
	assert.equal(idle, false);
	answer();
	await slow;
	await settle();
	assert.equal(idle, true);
});

test("a caller that gives up is answered at once; the reading goes on for the others", async () => {
	const { catalogs } = build();
	const { upstream, answer } = slowUpstream();
	const abort = new AbortController();
	const impatient = catalogs.refresh(plan, upstream, abort.signal);
	const running = catalogs.refreshing("s");
	abort.abort();
	const given_up = await impatient;
	assert.ok(!given_up.ok);
	assert.equal(given_up.problem.code, "call_cancelled");
	answer();
	assert.ok((await running)?.ok);
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a"]);
	assert.equal(catalogs.refreshing("s"), undefined);
});

test("a forgotten server is gone from the store too, and a reading under way is given up", async () => {
	const { catalogs, changes, repository } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	const { upstream } = slowUpstream();
	const running = catalogs.refresh(plan, upstream, never);
	const queued = catalogs.refresh(plan, upstream, never);
	await catalogs.forget("s");
	for (const outcome of await Promise.all([running, queued])) {
		assert.ok(!outcome.ok);
		assert.equal(outcome.problem.code, "call_cancelled");
	}
	assert.equal(catalogs.get("s"), undefined);
	assert.equal(repository.rows.size, 0);
	assert.deepEqual(changes.at(-1), { server: "s", kinds: ["tools"] });
	assert.equal(changes.length, 2);
	await catalogs.forget("nobody");
	assert.equal(changes.length, 2);
});

test("after a restart everything is known again without asking anybody", async () => {
	const { catalogs, repository } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	await catalogs.refresh(serverPlan("changed"), toolsOf("b"), never);
	await catalogs.refresh(serverPlan("gone"), toolsOf("c"), never);
	const next = build(repository);
	await next.catalogs.restore([plan, serverPlan("changed", {}, 2), serverPlan("new")]);
	assert.deepEqual(next.catalogs.get("s"), catalogs.get("s"));
	assert.equal(next.catalogs.get("changed"), undefined);
	assert.equal(next.catalogs.get("new"), undefined);
	assert.deepEqual([...repository.rows.keys()].sort(), ["changed", "s"]);
	assert.deepEqual(next.changes, []);
	await next.catalogs.refresh(plan, toolsOf("a"), never);
	assert.deepEqual(next.changes, []);
});

test("a stored catalog that cannot be read is fetched anew", async () => {
	const { catalogs, repository } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	const stored = repository.rows.get("s") as StoredCatalog;
	repository.rows.set("s", { ...stored, body: stored.body.slice(1) });
	const next = build(repository);
	await next.catalogs.restore([plan]);
	assert.equal(next.catalogs.get("s"), undefined);
	assert.match(next.notes[0] ?? "", /s: the stored catalog is not readable/);
});

test("a store that fails costs nothing but what it would have kept", async () => {
	const { catalogs, repository, log } = build();
	repository.broken = true;
	await catalogs.restore([plan]);
	assert.ok((await catalogs.refresh(plan, toolsOf("a"), never)).ok);
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a"]);
	await catalogs.forget("s");
	assert.equal(catalogs.get("s"), undefined);
	assert.equal(log.lines.filter(({ level }) => level === "warn").length, 3);
});

test("what is left out stands in the server's own lines", async () => {
	const { catalogs, notes } = build();
	await catalogs.refresh(plan, new ListUpstream(listsOf({ tools: [{ title: "x" }] })), never);
	assert.deepEqual(notes, ['s: an item of tools/list without a string "name" is left out']);
});

const asks: Audience = { ...base_audience, capabilities: '{"elicitation":{}}' };
const samples: Audience = { ...base_audience, capabilities: '{"sampling":{}}' };

test("what some clients are shown beside the others is not made everybody's", async () => {
	const { catalogs, changes, repository } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	await catalogs.refresh(plan, toolsOf("a", "ask"), never, asks);
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a"]);
	assert.deepEqual(names(catalogs.getFor("s", asks)?.tools), ["a", "ask"]);
	assert.equal(catalogs.getFor("s", samples), undefined, "nobody knows what they would be shown");
	assert.equal(catalogs.getFor("s", base_audience), catalogs.get("s"));
	assert.equal(changes.length, 1, "nobody had been shown anything else");
	await catalogs.refresh(plan, toolsOf("a", "ask", "more"), never, asks);
	assert.deepEqual(changes.at(-1), { server: "s", kinds: ["tools"] });
	assert.deepEqual(names(catalogs.getFor("s", asks)?.tools), ["a", "ask", "more"]);
	const next = build(repository);
	await next.catalogs.restore([plan]);
	assert.equal(next.catalogs.getFor("s", asks), undefined, "only what is everybody's is stored");
	assert.ok(next.catalogs.getFor("s", base_audience) !== undefined);
});

test("whoever was shown what everybody is shown tells of changes for everybody", async () => {
	const { catalogs, changes, repository } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	await catalogs.refresh(plan, toolsOf("a"), never, asks);
	assert.equal(catalogs.getFor("s", samples), catalogs.get("s"));
	assert.equal(changes.length, 1);
	const next = build(repository);
	await next.catalogs.restore([plan]);
	await next.catalogs.refresh(plan, toolsOf("a", "new"), never, asks);
	assert.deepEqual(names(next.catalogs.get("s")?.tools), ["a", "new"]);
	assert.deepEqual(next.changes, [{ server: "s", kinds: ["tools"] }]);
	assert.equal(next.catalogs.getFor("s", base_audience), undefined, "not looked at since");
	await next.catalogs.refresh(plan, toolsOf("a", "new"), never);
	assert.equal(next.changes.length, 1);
	assert.ok(next.catalogs.getFor("s", samples) !== undefined);
});

test("who was shown the common list and is shown another one now is told", async () => {
	const { catalogs, changes } = build();
	await catalogs.refresh(plan, toolsOf("a"), never);
	await catalogs.refresh(plan, toolsOf("a"), never, asks);
	await catalogs.refresh(plan, toolsOf("a", "sample"), never, samples);
	assert.deepEqual(names(catalogs.get("s")?.tools), ["a"]);
	assert.equal(changes.length, 2);
});

test("each audience has a reading of its own, one after the other, up to a limit", async () => {
	const { catalogs } = build();
	const { upstream, answer } = slowUpstream();
	const first = catalogs.refresh(plan, upstream, never);
	const others = Array.from({ length: readings_waiting_max }, (_, at) =>
		catalogs.refresh(plan, toolsOf("a"), never, { ...asks, scope_key: `user:${at}` }),
	);
	const joined = catalogs.refresh(plan, toolsOf("a"), never, { ...asks, scope_key: "user:0" });
	const refused = await catalogs.refresh(plan, toolsOf("a"), never, asks);
	assert.equal(refused.ok, false);
	answer();
	for (const outcome of await Promise.all([first, joined, ...others])) assert.ok(outcome.ok);
	await catalogs.idle();
	assert.equal(catalogs.refreshing("s"), undefined);
});

test("what audiences are offered is right, of however many of them it is remembered", async () => {
	// found_max
	const { catalogs } = build();
	assert.ok((await catalogs.refresh(plan, toolsOf("a"), never)).ok);
	assert.ok((await catalogs.refresh(plan, toolsOf("b"), never, asks)).ok);
	const shown = (audience?: Audience) =>
		catalogs.getFor("s", audience ?? base_audience)?.tools.map(({ name }) => name);
	const check = () => {
		assert.deepEqual(shown(), ["a"]);
		assert.deepEqual(shown(asks), ["b"]);
	};
	check();
	for (let at = 2; at <= 1_001; at += 1) {
		const found = shown({ ...base_audience, scope_key: `user:${at}` });
		if (at >= 998) check();
		assert.deepEqual(found, shown({ ...base_audience, scope_key: `user:${at}` }));
	}
	check();
});
