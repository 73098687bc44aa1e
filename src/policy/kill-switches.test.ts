import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedCall, toolFacts } from "../../test/support/checked-call.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { principalOf } from "../identity/principal.ts";
import type { KillSwitchRepository } from "../store/kill-switch-repository.ts";
import type { CheckedCall, Listed } from "./check.ts";
import { type KillChange, KillSwitches, kill_switches_max } from "./kill-switches.ts";
import { type KillKind, kill_name_chars_max } from "./kill-target.ts";

const ana = principalOf("acme", "ana", { client: "key:laptop" });
const reason = "It deletes what it should keep.";

async function setUp(repository?: KillSwitchRepository) {
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	const troubles: unknown[] = [];
	const onTrouble = (error: unknown) => void troubles.push(error);
	const make = () =>
		new KillSwitches({
			clock,
			repository: repository ?? store.repositories.kill_switches,
			onTrouble,
		});
	return { clock, store, switches: make(), make, troubles };
}

const request = (kind: KillKind, name: string | undefined, ends_at_ms?: number) => ({
	kind,
	name,
	reason,
	set_by: "admin",
	ends_at_ms,
});

const bob = principalOf("other", "bob");
const read = { name: "read", tool: toolFacts("read", "read") };

/** Which calls each kind of switch stops, and which it does not. */
const table: readonly [KillKind, string | undefined, Partial<CheckedCall>, boolean][] = [
	["all", undefined, {}, true],
	["all", undefined, { ...read, principal: bob }, true],
	["tool", "files__delete", {}, true],
	["tool", "files__delete", read, false],
	["tool", "files__delete", { server: "other" }, false],
	["tool", "files__delete", { method: "prompts/get" }, false],
	["server", "files", read, true],
	["server", "files", { method: "resources/read", name: "file:///a", tool: undefined }, true],
	["server", "files", { method: "tasks/get", tool: undefined }, true],
	["server", "other", {}, false],
	["client", "key:laptop", {}, true],
	["client", "key:phone", {}, false],
	["client", "tester", {}, false],
	["user", "acme/ana", {}, true],
	["user", "ana", {}, true],
	["user", "other/ana", {}, false],
	["user", "acme/ana", { principal: bob }, false],
	["user", "acme/ana", { principal: bob, made_by: ana }, true],
	["tenant", "acme", { principal: bob, made_by: ana }, true],
	["tenant", "acme", {}, true],
	["tenant", "acme", { principal: bob }, false],
	["writes", undefined, {}, true],
	["writes", undefined, read, false],
	["writes", undefined, { name: "new", tool: undefined }, true],
	["writes", undefined, { tool: toolFacts("delete", "reversible") }, true],
	["writes", undefined, { method: "resources/read", tool: undefined }, false],
	["writes", undefined, { method: "tasks/update", tool: undefined }, true],
	["writes", undefined, { method: "tasks/get", tool: undefined }, false],
	["writes", "files", {}, true],
	["writes", "other", {}, false],
];

for (const [kind, name, change, stops] of table) {
	const what = `${kind}${name === undefined ? "" : ` ${name}`}`;
	test(`${what} ${stops ? "stops" : "leaves alone"} ${JSON.stringify(change)}`, async () => {
		const { switches } = await setUp();
		const call = checkedCall(change);
		assert.equal(switches.check(call).kind, "allow");
		await switches.kill(request(kind, name));
		const verdict = switches.check(call);
		assert.equal(verdict.kind, stops ? "deny" : "allow");
		if (verdict.kind !== "deny") return;
		assert.equal(verdict.code, "switched_off");
		assert.equal(verdict.rule, `kill:${kind}${name === undefined ? "" : `:${name}`}`);
		assert.ok(verdict.message.includes(reason), verdict.message);
	});
}

const of_copies: readonly [KillKind, string | undefined, boolean][] = [
	["server", "files", true],
	["tool", "files__delete", true],
	["writes", "files", true],
	["server", "copy", true],
	["tool", "copy__delete", true],
	["server", "other", false],
	["tool", "copy__read", false],
];

for (const [kind, name, stops] of of_copies) {
	test(`${kind} ${name} ${stops ? "is off" : "is on"} for the copy of "files", too`, async () => {
		const { clock, store } = await setUp();
		const switches = new KillSwitches({
			clock,
			repository: store.repositories.kill_switches,
			onTrouble: (error) => assert.fail(String(error)),
			originOf: (server) => (server === "copy" ? "files" : server),
		});
		await switches.kill(request(kind, name));
		const tool = toolFacts("delete", "destructive");
		const call = checkedCall({ server: "copy", name: "delete", tool });
		assert.equal(switches.check(call).kind, stops ? "deny" : "allow");
		const listed = { endpoint: "mcp", server: "copy", kind: "tool", name: "delete", tool } as const;
		assert.equal(switches.mayList?.(ana, listed), !stops);
		const of_server = stops && kind === "server";
		assert.equal(switches.isServerOff("copy"), of_server);
		assert.equal(switches.mayUse(ana, listed), !of_server);
		// A switch for the copy alone is none for its original.
		assert.equal(switches.isServerOff("files"), kind === "server" && name === "files");
	});
}

test("lists leave out what nothing could be done with", async () => {
	const { switches } = await setUp();
	const item = (name: string, risk: "read" | "destructive"): Listed => ({
		endpoint: "mcp",
		server: "files",
		kind: "tool",
		name,
		tool: toolFacts(name, risk),
	});
	const prompt: Listed = { ...item("delete", "read"), kind: "prompt", tool: undefined };
	const shown = () =>
		[item("delete", "destructive"), item("read", "read"), prompt].map(
			(one) => switches.mayList?.(ana, one) ?? true,
		);
	assert.deepEqual(shown(), [true, true, true]);
	await switches.kill(request("tool", "files__delete"));
	assert.deepEqual(shown(), [false, true, true]);
	await switches.unkill("tool:files__delete");
	await switches.kill(request("writes", undefined));
	assert.deepEqual(shown(), [false, true, true]);
	await switches.kill(request("server", "files"));
	assert.deepEqual(shown(), [false, false, false]);
	await switches.unkill("server:files");
	await switches.unkill("writes");
	await switches.kill(request("tenant", "acme"));
	assert.deepEqual(shown(), [false, false, false]);
	assert.equal(switches.mayList?.(bob, prompt), true);
});

test("whoever is switched off is nobody here, and a server's word is not passed on", async () => {
	const { switches } = await setUp();
	await switches.kill(request("user", "acme/ana"));
	assert.match(switches.callerRefusal(ana)?.message ?? "", /The user "acme\/ana" is switched off/);
	assert.equal(switches.callerRefusal(bob), undefined);
	assert.equal(switches.isServerOff("files"), false);
	await switches.kill(request("server", "files"));
	assert.equal(switches.isServerOff("files"), true);
	assert.equal(switches.isServerOff("other"), false);
});

test("switches are there after a restart, and what ended meanwhile is not", async () => {
	const { clock, switches, make } = await setUp();
	await switches.kill(request("server", "files", clock.now() + 1_000));
	await switches.kill(request("user", "acme/ana"));
	const before = switches.list();
	const second = make();
	await second.restore();
	assert.deepEqual(second.list(), before);
	await clock.advance(1_000);
	const third = make();
	await third.restore();
	assert.deepEqual(
		third.list().map(({ id }) => id),
		["user:acme/ana"],
	);
});

test("a switch with an end lifts itself at that moment, and tells", async () => {
	const { clock, switches, store } = await setUp();
	const changes: string[] = [];
	const end = switches.onChange(({ kind, kill_switch }: KillChange) => {
		changes.push(`${kind} ${kill_switch.id}`);
	});
	await switches.kill(request("server", "files", clock.now() + 1_000));
	await clock.advance(999);
	assert.equal(switches.check(checkedCall()).kind, "deny");
	assert.match(switches.list()[0]?.id ?? "", /server:files/);
	await clock.advance(1);
	assert.equal(switches.check(checkedCall()).kind, "allow");
	assert.deepEqual(changes, ["killed server:files", "lifted server:files"]);
	assert.deepEqual(await store.repositories.kill_switches.load(), []);
	assert.equal(clock.pending, 0);
	end();
	await switches.kill(request("writes", undefined));
	assert.equal(changes.length, 2);
	switches.close();
});

test("setting a switch again gives it another reason and end", async () => {
	const { clock, switches } = await setUp();
	await switches.kill(request("server", "files", clock.now() + 1_000));
	await switches.kill(request("server", "files"));
	await clock.advance(2_000);
	assert.equal(switches.list().length, 1);
	assert.equal(switches.check(checkedCall()).kind, "deny");
});

test("what cannot be switched off is refused with what is wrong", async () => {
	const { clock, switches } = await setUp();
	const refused: [Parameters<KillSwitches["kill"]>[0], RegExp][] = [
		[request("all", "x"), /no name/],
		[request("server", undefined), /Say which server/],
		[request("tool", "delete"), /SERVER__TOOL/],
		[request("user", "a".repeat(kill_name_chars_max + 1)), /as long/],
		[{ ...request("all", undefined), reason: " " }, /reason/],
		[{ ...request("all", undefined), reason: "a".repeat(1_001) }, /reason/],
		[request("all", undefined, clock.now()), /past/],
	];
	for (const [what, why] of refused) {
		const outcome = await switches.kill(what);
		assert.equal(outcome.ok, false);
		if (!outcome.ok) assert.match(outcome.problem.message, why);
	}
	assert.deepEqual(switches.list(), []);
	const unknown = await switches.unkill("server:files");
	assert.equal(unknown.ok ? "" : unknown.problem.code, "unknown");
});

test("there are at most so many switches", async () => {
	const { switches } = await setUp();
	for (let at = 0; at < kill_switches_max; at += 1) {
		assert.equal((await switches.kill(request("user", `u${at}`))).ok, true);
	}
	const more = await switches.kill(request("user", "one more"));
	assert.equal(more.ok ? "" : more.problem.code, "too_many");
	assert.equal((await switches.kill(request("user", "u0"))).ok, true);
});

test("a switch that cannot be stored holds, and whoever set it is told", async () => {
	const broken: KillSwitchRepository = {
		load: async () => [],
		save: async () => Promise.reject(new Error("disk full")),
		remove: async () => Promise.reject(new Error("disk full")),
	};
	const { switches, troubles } = await setUp(broken);
	const killed = await switches.kill(request("server", "files"));
	assert.equal(killed.ok ? "" : killed.problem.code, "not_stored");
	assert.equal(switches.check(checkedCall()).kind, "deny");
	// On again only once that is stored: it would come back with a restart otherwise.
	const lifted = await switches.unkill("server:files");
	assert.equal(lifted.ok ? "" : lifted.problem.code, "not_stored");
	assert.equal(switches.check(checkedCall()).kind, "deny");
	assert.equal(troubles.length, 2);
});
