import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import type { ServerPlan } from "../../config/plan.ts";
import type { InstanceKey } from "../../hosting/hosting.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { Upstream, UpstreamRequest } from "../../upstreams/driver.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { readJson } from "../../wire/object.ts";
import type { GatewayContext } from "../context.ts";
import { ResourceSubscriptions } from "./resource-subscriptions.ts";

const server = { name: "s", timeouts: { start_ms: 1000 } } as unknown as ServerPlan;
const key: InstanceKey = { server: "s", scope_key: "", capabilities: "{}" };
const wish = (uri: string) => ({ uri, tenant: "local" });
const never = new AbortController().signal;

function messageOf(text: string): Message {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

/** An instance of either era that keeps what it is told. */
function setUp(era: "legacy" | "modern", refuse: readonly string[] = []) {
	const told: string[] = [];
	const listening: { filter: unknown; request: UpstreamRequest }[] = [];
	const counts = { leases: 0 };
	const upstream = {
		hello: {
			era,
			revision: era === "modern" ? "2026-07-28" : "2025-11-25",
			capabilities:
				'{"resources":{"subscribe":true},"extensions":{"io.modelcontextprotocol/tasks":{}}}',
		},
		request: (request: UpstreamRequest) => {
			const { method, params, bytes } = request.message;
			const said = readJson(bytes, params?.span) as { uri: string; notifications: unknown };
			if (method === "subscriptions/listen") {
				const entry = { filter: said.notifications, request };
				listening.push(entry);
				return new Promise((resolve) => {
					request.signal.addEventListener("abort", () => {
						listening.splice(listening.indexOf(entry), 1);
						resolve({ ok: true, value: messageOf('{"jsonrpc":"2.0","id":1,"result":{}}') });
					});
				});
			}
			told.push(`${method} ${said.uri}`);
			const body = refuse.includes(said.uri)
				? '"error":{"code":-32602,"message":"no"}'
				: '"result":{}';
			return Promise.resolve({
				ok: true,
				value: messageOf(`{"jsonrpc":"2.0","id":1,${body}}`),
			});
		},
	} as unknown as Upstream;
	const lease = () => {
		counts.leases += 1;
		return { upstream, release: () => void (counts.leases -= 1) };
	};
	const random = new SeededRandom(1);
	const context = {
		clock: new FakeClock(),
		product: { name: "moorage" },
		hosting: {
			acquire: () => Promise.resolve({ ok: true, value: lease() }),
			tryAcquire: lease,
			note: () => undefined,
		},
		fault: (parts: Parameters<typeof makeFault>[1]) => makeFault(random, parts),
	} as unknown as GatewayContext;
	const pushed: string[] = [];
	const subscriptions = new ResourceSubscriptions(context, (_key, message) =>
		pushed.push(message.bytes.toString("utf8")),
	);
	const subscribe = (uri: string, tenant = "local") =>
		subscriptions.subscribe(server, key, { uri, tenant }, never);
	return { context, subscriptions, subscribe, upstream, told, listening, counts, pushed };
}

test("a legacy server hears of the first who subscribes and of the last who leaves", async () => {
	const { subscriptions, subscribe, told, counts } = setUp("legacy");
	assert.equal(await subscribe("a"), undefined);
	assert.equal(await subscribe("a"), undefined);
	assert.deepEqual(told, ["resources/subscribe a"]);
	subscriptions.unsubscribe(key, wish("a"));
	assert.equal(told.length, 1);
	assert.equal(counts.leases, 1);
	subscriptions.unsubscribe(key, wish("a"));
	assert.deepEqual(told, ["resources/subscribe a", "resources/unsubscribe a"]);
	assert.equal(counts.leases, 0);
	// Nobody is left who could leave.
	subscriptions.unsubscribe(key, wish("a"));
	subscriptions.unsubscribe(key, wish("never"));
	assert.equal(told.length, 2);
});

test("a subscription that the server refuses is not counted", async () => {
	const { subscribe, told, counts } = setUp("legacy", ["bad"]);
	const refused = await subscribe("bad");
	assert.equal(refused?.kind, "message");
	assert.equal(counts.leases, 0, "nothing keeps the server awake");
	await subscribe("bad");
	assert.deepEqual(told, ["resources/subscribe bad", "resources/subscribe bad"]);
});

test("all who want a refused resource at the same moment are refused, and ask once", async () => {
	const { subscribe, told, counts } = setUp("legacy", ["bad"]);
	const answers = await Promise.all([subscribe("bad"), subscribe("bad"), subscribe("bad")]);
	for (const answer of answers) assert.equal(answer?.kind, "message");
	assert.deepEqual(told, ["resources/subscribe bad"]);
	assert.equal(counts.leases, 0);
	const edits = answers.map((answer) => (answer?.kind === "message" ? answer.edits : undefined));
	assert.notEqual(edits[0], edits[1], "each reply is changed for its own client");
	assert.equal((await subscribe("bad"))?.kind, "message");
	assert.equal(told.length, 2);
});

test("all who want a resource at the same moment have one subscription", async () => {
	const { subscriptions, subscribe, told } = setUp("legacy");
	const answers = await Promise.all([subscribe("a"), subscribe("a")]);
	assert.deepEqual(answers, [undefined, undefined]);
	assert.deepEqual(told, ["resources/subscribe a"]);
	subscriptions.unsubscribe(key, wish("a"));
	assert.equal(told.length, 1);
	subscriptions.unsubscribe(key, wish("a"));
	assert.equal(told.at(-1), "resources/unsubscribe a");
});

test("a client that gives up while it subscribes takes nobody along", async () => {
	const { subscriptions, subscribe, upstream, told } = setUp("legacy");
	const gives_up = new AbortController();
	const answer = upstream.request.bind(upstream);
	let first = true;
	Object.assign(upstream, {
		request: (request: UpstreamRequest) => {
			if (!first) return answer(request);
			first = false;
			return new Promise((resolve) => {
				const problem = makeFault(new SeededRandom(2), {
					code: "call_cancelled",
					message: "The client gave up.",
					level: "info",
					retry_safe: true,
				});
				request.signal.addEventListener("abort", () => resolve({ ok: false, problem }));
			});
		},
	});
	const one = subscriptions.subscribe(server, key, wish("a"), gives_up.signal);
	const two = subscribe("a");
	await settle();
	gives_up.abort();
	assert.equal((await one)?.kind, "fault");
	assert.equal(await two, undefined);
	assert.deepEqual(told, ["resources/subscribe a"]);
});

test("tasks are listened for as long as somebody wants to hear of them", async () => {
	const { subscriptions, subscribe, listening, counts } = setUp("modern");
	const watch = (task_id: string) => subscriptions.watchTask(server, key, task_id, never);
	assert.equal(await watch("t"), true);
	assert.equal(await watch("t"), true);
	await subscribe("a");
	await settle();
	const filters = () => listening.map(({ filter }) => filter);
	assert.deepEqual(filters(), [{ resourceSubscriptions: ["a"], taskIds: ["t"] }]);
	subscriptions.forgetTask(key, "t");
	subscriptions.unsubscribe(key, wish("a"));
	await settle();
	assert.deepEqual(filters(), [{ taskIds: ["t"] }]);
	subscriptions.forgetTask(key, "t");
	subscriptions.forgetTask(key, "t");
	subscriptions.forgetTask(key, "never");
	await settle();
	assert.deepEqual(filters(), []);
	assert.equal(counts.leases, 0, "nothing keeps the server awake");
});

test("a modern server that was started anew is listened to for the tasks again", async () => {
	const { subscriptions, upstream, listening, counts } = setUp("modern");
	await subscriptions.watchTask(server, key, "t", never);
	subscriptions.onRetired(key);
	await settle();
	assert.deepEqual(listening, []);
	subscriptions.onReady(server, key, upstream);
	assert.deepEqual(
		listening.map(({ filter }) => filter),
		[{ taskIds: ["t"] }],
	);
	assert.equal(counts.leases, 1);
	subscriptions.forgetTask(key, "t");
	await settle();
	assert.deepEqual(listening, []);
	assert.equal(counts.leases, 0);
});

test("tasks of a legacy server, and more than are kept, are not listened for", async () => {
	const legacy = setUp("legacy");
	assert.equal(await legacy.subscriptions.watchTask(server, key, "t", never), false);
	assert.equal(legacy.counts.leases, 0);
	const modern = setUp("modern");
	const watch = (task_id: string) => modern.subscriptions.watchTask(server, key, task_id, never);
	for (let at = 0; at < 1000; at += 1) await watch(`t${at}`);
	assert.equal(await watch("one more"), false);
	assert.equal(await watch("t0"), true);
});

test("an instance that was started anew is told again what is wanted", async () => {
	const { subscriptions, subscribe, upstream, told, counts } = setUp("legacy");
	await subscribe("a");
	await subscribe("b");
	subscriptions.onRetired(key);
	assert.equal(counts.leases, 0);
	told.length = 0;
	subscriptions.onReady(server, key, upstream);
	assert.deepEqual(told, ["resources/subscribe a", "resources/subscribe b"]);
	assert.equal(counts.leases, 1);
});

test("what restored sessions want is told once their server runs", () => {
	const { subscriptions, upstream, told } = setUp("legacy");
	subscriptions.remember(server, key, wish("a"));
	subscriptions.remember(server, key, wish("a"));
	assert.deepEqual(told, []);
	subscriptions.onReady(server, key, upstream);
	assert.deepEqual(told, ["resources/subscribe a"]);
});

test("a modern server is listened to once, with all that is wanted at the moment", async () => {
	const { subscriptions, subscribe, listening } = setUp("modern");
	await subscribe("a");
	assert.deepEqual(
		listening.map(({ filter }) => filter),
		[{ resourceSubscriptions: ["a"] }],
	);
	await subscribe("b");
	await subscribe("b");
	await settle();
	assert.deepEqual(
		listening.map(({ filter }) => filter),
		[{ resourceSubscriptions: ["a", "b"] }],
	);
	subscriptions.unsubscribe(key, wish("a"));
	subscriptions.unsubscribe(key, wish("b"));
	await settle();
	assert.deepEqual(
		listening.map(({ filter }) => filter),
		[{ resourceSubscriptions: ["b"] }],
	);
	subscriptions.unsubscribe(key, wish("b"));
	await settle();
	assert.deepEqual(listening, []);
});

test("what a modern server pushes loses the tag of the gateway's own subscription", async () => {
	const { subscribe, listening, pushed } = setUp("modern");
	await subscribe("a");
	const push = (text: string) => listening[0]?.request.onNotification?.(messageOf(text));
	const tag = '"io.modelcontextprotocol/subscriptionId":0';
	const head = '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a"';
	push(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}`);
	push(`${head},"_meta":{${tag}}}}`);
	push(`${head},"_meta":{"x":1.0,${tag}}}}`);
	assert.deepEqual(pushed, [`${head}}}`, `${head},"_meta":{"x":1.0}}}`]);
});

test("more resources than one instance may be watched for are refused", async () => {
	const { subscribe, told } = setUp("legacy");
	for (let at = 0; at < 1000; at += 1) await subscribe(`r${at}`);
	const refused = await subscribe("one more");
	assert.ok(refused?.kind === "fault" && refused.fault.code === "overloaded");
	assert.equal(await subscribe("r0"), undefined);
	assert.equal(told.length, 1000);
});

test("one tenant leaves others room to watch a shared instance", async () => {
	const { subscriptions, subscribe, context } = setUp("legacy");
	Object.assign(context, { has_tenants: true });
	let taken = 0;
	while ((await subscribe(`r${taken}`, "acme")) === undefined) taken += 1;
	assert.equal(taken, 500);
	assert.equal(await subscribe("r0", "acme"), undefined);
	// What is watched already takes no room, and others have theirs.
	for (const uri of ["r0", "o0", "o1"]) assert.equal(await subscribe(uri, "other"), undefined, uri);
	subscriptions.unsubscribe(key, { uri: "r1", tenant: "acme" });
	subscriptions.unsubscribe(key, { uri: "r2", tenant: "acme" });
	subscriptions.unsubscribe(key, { uri: "r3", tenant: "acme" });
	assert.equal(await subscribe("new", "acme"), undefined);
	// An instance of one tenant's own has nobody to keep room for.
	const own = { ...key, scope_key: "tenant:acme" };
	const wishes = Array.from({ length: 1001 }, (_, at) => ({ uri: `r${at}`, tenant: "acme" }));
	const answers = [];
	for (const one of wishes) answers.push(await subscriptions.subscribe(server, own, one, never));
	assert.equal(answers.filter((answer) => answer === undefined).length, 1000);
});
