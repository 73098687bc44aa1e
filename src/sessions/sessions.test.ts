import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import {
	client_bytes_max,
	type Session,
	type SessionParts,
	Sessions,
	type SessionsOptions,
	subscription_chars_max,
	subscriptions_max,
} from "./sessions.ts";

const hour_ms = 60 * 60 * 1000;

let clock: FakeClock;
let store: TestStore;
beforeEach(async () => {
	clock = new FakeClock();
	store = await openTestStore(clock);
});
afterEach(async () => {
	assert.deepEqual(store.troubles, []);
	await store.database.close();
});

let seed = 0;
function makeSessions(options: Partial<SessionsOptions> = {}): Sessions {
	seed += 1;
	return new Sessions({
		clock,
		random: new SeededRandom(seed),
		writer: store.writer,
		repository: store.repositories.sessions,
		sessions_max: 10,
		...options,
	});
}

function parts(change: Partial<SessionParts> = {}): SessionParts {
	return {
		endpoint: "time",
		principal: "local",
		revision: "2025-11-25",
		client_capabilities: '{"roots":{"listChanged":true},"x":1.0}',
		client_info: '{"name":"tester","version":"1"}',
		...change,
	};
}

function open(sessions: Sessions, change: Partial<SessionParts> = {}): Session {
	const session = sessions.create(parts(change));
	assert.ok(session !== undefined);
	return session;
}

function find(sessions: Sessions, session: Session): Session | undefined {
	return sessions.get(session.id, session.endpoint, session.principal);
}

/** What the store would give to the next gateway. */
async function restarted(sessions: Sessions, options: Partial<SessionsOptions> = {}) {
	await sessions.flush();
	const again = makeSessions(options);
	await again.restore();
	return again;
}

describe("a session", () => {
	it("has an id of 256 random bits in visible ASCII and what it was opened with", () => {
		const sessions = makeSessions();
		const session = open(sessions);
		assert.match(session.id, /^[A-Za-z0-9_-]{43}$/);
		assert.notEqual(open(sessions).id, session.id);
		const { endpoint, principal, revision, client_capabilities, client_info } = session;
		assert.deepEqual({ endpoint, principal, revision, client_capabilities, client_info }, parts());
		assert.equal(session.created_at_ms, clock.now());
		assert.equal(session.log_level, undefined);
		assert.equal(session.subscriptions.size, 0);
	});

	it("is found at once, by its id, endpoint and principal together only", () => {
		const sessions = makeSessions();
		const session = open(sessions);
		assert.equal(sessions.get(session.id, "time", "local"), session);
		assert.equal(sessions.get(session.id, "files", "local"), undefined);
		assert.equal(sessions.get(session.id, "time", "mallory"), undefined);
		assert.equal(sessions.get("x".repeat(43), "time", "local"), undefined);
		assert.equal(sessions.get("", "time", "local"), undefined);
		assert.equal(sessions.get("__proto__", "time", "local"), undefined);
	});

	it("is gone after it ended, and ends once", () => {
		const sessions = makeSessions();
		const session = open(sessions);
		const ended: string[] = [];
		sessions.onEnd((one) => ended.push(one.id));
		assert.equal(sessions.end(session.id), true);
		assert.equal(sessions.end(session.id), false);
		assert.equal(find(sessions, session), undefined);
		assert.deepEqual(ended, [session.id]);
		assert.equal(sessions.count, 0);
	});

	it("takes no change after it ended", async () => {
		const sessions = makeSessions();
		const session = open(sessions);
		const release = sessions.hold(session.id);
		sessions.end(session.id);
		sessions.touch(session.id);
		sessions.setLogLevel(session.id, "debug");
		release();
		assert.equal(sessions.subscribe(session.id, "a:1"), false);
		assert.equal(sessions.unsubscribe(session.id, "a:1"), false);
		sessions.hold(session.id)();
		await sessions.createdDurably(session);
		assert.equal((await restarted(sessions)).count, 0);
	});

	it("is refused when the client says too much of itself", () => {
		const sessions = makeSessions();
		const client_info = JSON.stringify({ name: "é".repeat(client_bytes_max / 2) });
		assert.equal(sessions.create(parts({ client_info })), undefined);
		assert.equal(sessions.count, 0);
	});

	it("is told of to listeners until they leave", () => {
		const sessions = makeSessions();
		const ended: string[] = [];
		const leave = sessions.onEnd((one) => ended.push(one.id));
		const first = open(sessions);
		const second = open(sessions);
		sessions.end(first.id);
		leave();
		sessions.end(second.id);
		assert.deepEqual(ended, [first.id]);
	});
});

describe("sessions in the store", () => {
	it("are there once createdDurably resolves, and not before", async () => {
		const sessions = makeSessions();
		const session = open(sessions);
		let durable = false;
		const waiting = sessions.createdDurably(session).then(() => {
			durable = true;
		});
		await settle();
		assert.equal(durable, false);
		assert.deepEqual(await store.repositories.sessions.load(), []);
		await clock.advance(10);
		await waiting;
		assert.equal((await store.repositories.sessions.load())[0]?.id, session.id);
		await sessions.createdDurably(session);
	});

	it("come back after a restart as they were", async () => {
		const sessions = makeSessions();
		const session = open(sessions, { endpoint: "" });
		sessions.setLogLevel(session.id, "debug");
		sessions.subscribe(session.id, "file:///ä");
		sessions.subscribe(session.id, "file:///b");
		sessions.unsubscribe(session.id, "file:///b");
		const plain = open(sessions, { principal: "other" });
		const again = await restarted(sessions);
		assert.equal(again.count, 2);
		const back = find(again, session);
		assert.equal(back?.log_level, "debug");
		assert.deepEqual([...(back?.subscriptions ?? [])], ["file:///ä"]);
		assert.equal(back?.revision, "2025-11-25");
		assert.equal(back?.client_capabilities, session.client_capabilities);
		assert.equal(back?.client_info, session.client_info);
		assert.equal(back?.created_at_ms, session.created_at_ms);
		assert.equal(find(again, plain)?.subscriptions.size, 0);
		assert.equal(again.get(session.id, "", "other"), undefined);
	});

	it("are gone after a restart when they ended, even at once", async () => {
		const sessions = makeSessions();
		sessions.end(open(sessions).id);
		assert.equal((await restarted(sessions)).count, 0);
	});

	it("are written once for a burst of changes and never for reads", async () => {
		const sessions = makeSessions();
		const session = open(sessions);
		await sessions.flush();
		for (let n = 0; n < 100; n += 1) {
			sessions.subscribe(session.id, `a:${n}`);
			sessions.setLogLevel(session.id, n % 2 === 0 ? "info" : "debug");
			sessions.touch(session.id);
			find(sessions, session);
		}
		assert.equal(store.writer.waiting, 1);
		const back = find(await restarted(sessions), session);
		assert.equal(back?.subscriptions.size, 100);
		assert.equal(back?.log_level, "debug");
	});

	it("learn of use at most once a minute", async () => {
		const sessions = makeSessions();
		const session = open(sessions);
		await sessions.flush();
		let writes = 0;
		for (let second = 0; second < 300; second += 1) {
			await clock.advance(1000);
			sessions.touch(session.id);
			writes += store.writer.waiting;
			await sessions.flush();
		}
		assert.equal(writes, 5);
		assert.equal(session.used_at_ms, clock.now());
		assert.equal(find(await restarted(sessions), session)?.used_at_ms, clock.now());
	});

	it("live on in memory when the store refuses them", async () => {
		const full = {
			add: () => false,
			addDurably: async () => false,
			flush: async () => undefined,
		};
		const sessions = makeSessions({ writer: full });
		const session = open(sessions);
		await sessions.createdDurably(session);
		sessions.setLogLevel(session.id, "debug");
		sessions.subscribe(session.id, "a:1");
		await clock.advance(hour_ms);
		sessions.touch(session.id);
		assert.equal(find(sessions, session)?.log_level, "debug");
		assert.equal(find(sessions, session)?.subscriptions.has("a:1"), true);
	});

	it("are only restored as many as fit, the most recently used ones", async () => {
		const sessions = makeSessions();
		const made: Session[] = [];
		for (let n = 0; n < 5; n += 1) {
			made.push(open(sessions));
			await clock.advance(1000);
		}
		const again = await restarted(sessions, { sessions_max: 2 });
		assert.deepEqual(
			made.map((session) => find(again, session) !== undefined),
			[false, false, false, true, true],
		);
		await again.flush();
		assert.equal((await store.repositories.sessions.load()).length, 2);
	});
});

describe("the bound on sessions", () => {
	it("refuses one more while all are in use", async () => {
		const sessions = makeSessions({ sessions_max: 2 });
		open(sessions);
		open(sessions);
		await clock.advance(hour_ms - 1);
		assert.equal(sessions.create(parts()), undefined);
		assert.equal(sessions.count, 2);
	});

	it("makes room by ending the longest unused one that is unused for an hour", async () => {
		const sessions = makeSessions({ sessions_max: 2 });
		const first = open(sessions);
		const second = open(sessions);
		await clock.advance(1000);
		sessions.touch(first.id);
		await clock.advance(hour_ms - 1000);
		const ended: Session[] = [];
		sessions.onEnd((one) => ended.push(one));
		const third = open(sessions);
		assert.deepEqual(ended, [second]);
		assert.equal(find(sessions, first), first);
		assert.equal(find(sessions, third), third);
		assert.equal(sessions.create(parts()), undefined);
	});

	it("is shared among tenants, also after a restart", async () => {
		const make = (sessions: Sessions, tenant: string) =>
			sessions.create(parts({ principal: `${tenant}/ana` }), true);
		let sessions = makeSessions({ sessions_max: 8 });
		for (let at = 0; at < 4; at += 1) assert.ok(make(sessions, "acme"), String(at));
		assert.equal(make(sessions, "acme"), undefined);
		sessions = await restarted(sessions, { sessions_max: 8 });
		assert.equal(make(sessions, "acme"), undefined);
		const [one, two] = [make(sessions, "other"), make(sessions, "other")];
		assert.ok(one && two);
		assert.equal(make(sessions, "other"), undefined);
		assert.deepEqual([sessions.heldBy("acme"), sessions.heldBy("other")], [4, 2]);
		// Who has its share makes way for itself, and for nobody else.
		await clock.advance(hour_ms);
		const ended: string[] = [];
		sessions.onEnd(({ principal }) => ended.push(principal));
		assert.ok(make(sessions, "acme"));
		assert.deepEqual(ended, ["acme/ana"]);
		for (const { id, principal } of [...sessions.all()]) {
			if (principal === "other/ana") sessions.end(id);
		}
		assert.deepEqual([sessions.heldBy("acme"), sessions.heldBy("other")], [4, 0]);
	});

	it("does not end one with an open connection to make room", async () => {
		const sessions = makeSessions({ sessions_max: 2 });
		const held = open(sessions);
		const release = sessions.hold(held.id);
		const other = open(sessions);
		await clock.advance(2 * hour_ms);
		open(sessions);
		assert.equal(find(sessions, held), held);
		assert.equal(find(sessions, other), undefined);
		release();
		await clock.advance(2 * hour_ms);
		open(sessions);
		assert.equal(find(sessions, held), held);
		open(sessions);
		assert.equal(find(sessions, held), undefined);
	});

	it("refuses subscriptions beyond their number and length", () => {
		const sessions = makeSessions();
		const session = open(sessions);
		for (let n = 0; n < subscriptions_max; n += 1) {
			assert.equal(sessions.subscribe(session.id, `a:${n}`), true);
		}
		assert.equal(sessions.subscribe(session.id, "a:one-more"), false);
		assert.equal(sessions.subscribe(session.id, "a:0"), true);
		assert.equal(sessions.unsubscribe(session.id, "a:0"), true);
		assert.equal(sessions.unsubscribe(session.id, "a:0"), false);
		assert.equal(sessions.subscribe(session.id, "x".repeat(subscription_chars_max + 1)), false);
		assert.equal(sessions.subscribe(session.id, "x".repeat(subscription_chars_max)), true);
	});

	it("does not share subscriptions between sessions", () => {
		const sessions = makeSessions();
		const one = open(sessions);
		const two = open(sessions);
		sessions.subscribe(one.id, "a:1");
		assert.equal(two.subscriptions.size, 0);
		sessions.unsubscribe(one.id, "a:1");
		sessions.subscribe(two.id, "a:2");
		assert.equal(one.subscriptions.size, 0);
	});
});

describe("idle sessions", () => {
	it("end after a day without use, at the sweep or when they are asked for", async () => {
		const sessions = makeSessions();
		const used = open(sessions);
		const swept = open(sessions);
		const asked = open(sessions);
		await clock.advance(12 * hour_ms);
		sessions.touch(used.id);
		sessions.touch(asked.id);
		await clock.advance(12 * hour_ms);
		sessions.sweep();
		assert.equal(find(sessions, swept), undefined);
		assert.equal(sessions.count, 2);
		await clock.advance(12 * hour_ms - 1);
		sessions.touch(used.id);
		await clock.advance(1);
		assert.equal(find(sessions, asked), undefined);
		assert.equal(find(sessions, used), used);
		assert.equal(sessions.count, 1);
	});

	it("do not end while a connection is open, and count from its close", async () => {
		const sessions = makeSessions();
		const session = open(sessions);
		const first = sessions.hold(session.id);
		const second = sessions.hold(session.id);
		await clock.advance(30 * hour_ms);
		sessions.sweep();
		first();
		first();
		await clock.advance(30 * hour_ms);
		sessions.sweep();
		assert.equal(find(sessions, session), session);
		second();
		await clock.advance(23 * hour_ms);
		sessions.sweep();
		assert.equal(sessions.count, 1);
		await clock.advance(hour_ms);
		sessions.sweep();
		assert.equal(sessions.count, 0);
	});

	it("are not restored, and are removed from the store", async () => {
		const sessions = makeSessions();
		open(sessions);
		await sessions.flush();
		await clock.advance(24 * hour_ms);
		const again = await restarted(sessions);
		assert.equal(again.count, 0);
		await again.flush();
		assert.deepEqual(await store.repositories.sessions.load(), []);
	});
});
