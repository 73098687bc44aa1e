import assert from "node:assert/strict";
import { test } from "node:test";
import { adminOptions } from "../../test/support/admin-options.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { RecordingBackend } from "../../test/support/recording-backend.ts";
import { principalOf } from "../identity/principal.ts";
import { createAdminApi } from "./api.ts";
import { look_ms, stream_rooms } from "./open-streams.ts";

const token = `moorage_admin_${"t".repeat(43)}`;
const json_type = { "content-type": "application/json" };

/** People with a key each, `key-NAME`, whose roles a test changes. */
function createScene() {
	const clock = new FakeClock();
	const people = new Map<string, readonly string[]>();
	const stop = new AbortController();
	const again: boolean[] = [];
	const options = adminOptions(token, {
		clock,
		signal: stop.signal,
		identify(credential, _request, is_again = false) {
			again.push(is_again);
			const user = credential.slice(4);
			const roles = people.get(user);
			return Promise.resolve(roles && principalOf("acme", user, { roles }));
		},
	});
	const backend = new RecordingBackend();
	const app = createAdminApi(backend, options);
	const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
	/** Opens a stream; `ended` says whether it has ended. */
	const open = async (headers: Record<string, string>, path = "/api/events") => {
		const response = await app.request(path, { headers });
		let ended = false;
		const reader = response.body?.getReader();
		const read = async () => {
			for (;;) if ((await reader?.read())?.done !== false) break;
			ended = true;
		};
		if (response.status === 200) void read();
		return {
			status: response.status,
			async ended() {
				await settle();
				return ended;
			},
			cancel: () => reader?.cancel(),
		};
	};
	const signIn = async (credential: string) => {
		const body = JSON.stringify({ credential });
		const response = await app.request("/api/session", {
			method: "POST",
			headers: json_type,
			body,
		});
		const cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
		const { csrf } = (await response.json()) as { csrf: string };
		return { cookie, "x-moorage-csrf": csrf };
	};
	return { app, backend, clock, people, stop, again, options, bearer, open, signIn };
}

test("whoever signs out has no stream any more, and others keep theirs", async () => {
	const { app, people, open, signIn, bearer } = createScene();
	people.set("ana", ["operator"]);
	const [leaves, stays] = [await signIn("key-ana"), await signIn("key-ana")];
	const theirs = await open(leaves);
	const log = await open(leaves, "/api/servers/time/logs?follow=1");
	const other = await open(stays);
	const with_key = await open(bearer("key-ana"));
	await app.request("/api/session", { method: "DELETE", headers: leaves });
	assert.deepEqual([await theirs.ended(), await log.ended()], [true, true]);
	assert.deepEqual([await other.ended(), await with_key.ended()], [false, false]);
});

test("an admin who ends a session ends its streams", async () => {
	const { app, people, open, signIn, options, bearer } = createScene();
	people.set("ana", []);
	const stream = await open(await signIn("key-ana"));
	const [session] = options.sessions.list();
	const path = `/api/sessions/${session?.id}`;
	await app.request(path, { method: "DELETE", headers: bearer(token) });
	assert.equal(await stream.ended(), true);
});

for (const [what, roles] of [
	["is gone", undefined],
	["has lost a role", ["approver"]],
	["has another role", ["operator", "approver"]],
] as const) {
	test(`whoever ${what} by a change made here loses their streams at once`, async () => {
		const { app, people, open, signIn, bearer } = createScene();
		people.set("ana", ["operator"]);
		people.set("bob", ["operator"]);
		const streams = [await open(bearer("key-ana")), await open(await signIn("key-ana"))];
		const other = await open(bearer("key-bob"));
		if (roles === undefined) people.delete("ana");
		else people.set("ana", roles);
		await app.request("/api/users/acme/ana", { method: "DELETE", headers: bearer(token) });
		for (const stream of streams) assert.equal(await stream.ended(), true);
		assert.equal(await other.ended(), false);
	});

	test(`whoever ${what} in any other way loses their streams within seconds`, async () => {
		const { people, open, bearer, clock, again } = createScene();
		people.set("ana", ["operator"]);
		const stream = await open(bearer("key-ana"));
		await clock.advance(look_ms * 3);
		assert.equal(await stream.ended(), false);
		if (roles === undefined) people.delete("ana");
		else people.set("ana", roles);
		await clock.advance(look_ms - 1);
		assert.equal(await stream.ended(), false);
		await clock.advance(1);
		assert.equal(await stream.ended(), true);
		assert.deepEqual(again.slice(0, 2), [false, true], "what was proved is not asked for again");
		assert.equal(clock.pending, 0, "nobody is looked at any more");
	});
}

test("a session whose time is over has no stream", async () => {
	const { people, open, signIn, options, clock } = createScene();
	people.set("ana", ["operator"]);
	const stream = await open(await signIn("key-ana"));
	const [session] = options.sessions.list();
	await clock.advance((session?.expires_at_ms ?? 0) - clock.now() - look_ms);
	assert.equal(await stream.ended(), false);
	await clock.advance(2 * look_ms);
	assert.equal(await stream.ended(), true);
});

test("whoever cannot be identified any more, because that fails, has no stream", async () => {
	const { people, open, bearer, options, clock } = createScene();
	people.set("ana", ["operator"]);
	const stream = await open(bearer("key-ana"));
	options.identify = () => Promise.reject(new Error("the issuer is gone"));
	await clock.advance(look_ms);
	assert.equal(await stream.ended(), true);
});

test("a call by hand ends with the right to make it", async () => {
	const { app, backend, people, bearer, clock } = createScene();
	people.set("ana", ["operator"]);
	const params = { name: "hang" };
	const body = JSON.stringify({ server: "time", method: "tools/call", params });
	const headers = { ...json_type, ...bearer("key-ana") };
	const response = await app.request("/api/playground", { method: "POST", headers, body });
	const text = response.text();
	people.delete("ana");
	await clock.advance(look_ms);
	assert.match(await text, /event: started/);
	assert.equal(backend.calls.at(-1), "cancelled");
});

test("one person has only so many streams, and leaves room for everybody else", async () => {
	const { people, open, bearer } = createScene();
	for (const user of ["ana", "bob"]) people.set(user, []);
	const { each } = stream_rooms.news;
	const streams = [];
	for (let at = 0; at < each; at += 1) streams.push(await open(bearer("key-ana")));
	assert.ok(streams.every(({ status }) => status === 200));
	assert.equal((await open(bearer("key-ana"))).status, 503);
	assert.equal((await open(bearer("key-bob"))).status, 200);
	await streams[0]?.cancel();
	assert.equal((await open(bearer("key-ana"))).status, 200, "one that is closed makes room");
});

test("however many members look, operators and admins still can, up to the limit of all", async () => {
	const { people, open, bearer } = createScene();
	const { all, kept } = stream_rooms.news;
	const statusOf = async (user: string, roles: readonly string[]) => {
		people.set(user, roles);
		return (await open(bearer(`key-${user}`))).status;
	};
	for (let at = 0; at < all - kept; at += 1) assert.equal(await statusOf(`m${at}`, []), 200);
	for (const role of ["member", "approver", "auditor"]) {
		assert.equal(await statusOf(`late-${role}`, [role]), 503, role);
	}
	for (let at = 0; at < kept; at += 1) {
		assert.equal(await statusOf(`o${at}`, [at % 2 === 0 ? "operator" : "admin"]), 200);
	}
	assert.equal(await statusOf("one-more", ["admin"]), 503);
});

test("every stream ends when the gateway stops", async () => {
	const { people, open, bearer, stop, clock } = createScene();
	people.set("ana", []);
	const stream = await open(bearer("key-ana"));
	stop.abort();
	assert.equal(await stream.ended(), true);
	assert.equal(clock.pending, 0);
});
