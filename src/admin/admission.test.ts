import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { adminOptions, memoryStore } from "../../test/support/admin-options.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingBackend } from "../../test/support/recording-backend.ts";
import { createAdminApi } from "./api.ts";
import { admin_roles } from "./caller.ts";
import { problem_schema } from "./contract.ts";
import { session_schema } from "./contracts/session.ts";
import { link_ms } from "./dashboard-sessions.ts";
import type { AdminApiOptions } from "./options.ts";

const token = `moorage_admin_${"t".repeat(43)}`;
const json_type = { "content-type": "application/json" };

function createScene(changes: Partial<AdminApiOptions> = {}) {
	const clock = new FakeClock();
	const backend = new RecordingBackend();
	const store = memoryStore();
	const people = new Set<string>(admin_roles);
	const options = adminOptions(token, { clock, ...changes }, store);
	const known = options.identify;
	const identify: typeof known = (credential, request) =>
		people.has(credential.slice(4)) ? known(credential, request) : Promise.resolve(undefined);
	const app = createAdminApi(backend, { ...options, identify });
	const signIn = async (body: object, more: Readonly<Record<string, string>> = {}) => {
		const headers = { ...json_type, ...more };
		const init = { method: "POST", headers, body: JSON.stringify(body) };
		const response = await app.request("/api/session", init);
		const set = response.headers.get("set-cookie") ?? "";
		return { response, set, cookie: set.split(";")[0] ?? "" };
	};
	const open = async (body: object) => {
		const { response, set, cookie } = await signIn(body);
		assert.equal(response.status, 201);
		const session: z.infer<typeof session_schema> = session_schema.parse(await response.json());
		return { cookie, set, session, csrf: session.csrf ?? "" };
	};
	const problem = async (response: Response) => problem_schema.parse(await response.json()).code;
	return {
		clock,
		backend,
		options,
		app,
		signIn,
		open,
		problem,
		people,
		stored: () => JSON.stringify([...store.kept.values()]),
	};
}

test("a session opened with a key has the roles of its person, and reads with its cookie", async () => {
	const { app, backend, open } = createScene();
	const { cookie, session } = await open({ credential: "key-operator" });
	assert.deepEqual(
		[session.principal, session.roles, session.version],
		["acme/operator", ["operator", "member"], "1.2.3"],
	);
	const read = await app.request("/api/status", { headers: { cookie } });
	assert.equal(read.status, 200);
	assert.deepEqual(backend.calls, ["status()"]);
});

test("no script sees the cookie, and no other site sends it along with more than a link", async () => {
	const { signIn } = createScene();
	const { response } = await signIn({ credential: token });
	const [pair, ...attributes] = (response.headers.get("set-cookie") ?? "").split("; ");
	assert.match(pair ?? "", /^moorage_session=/);
	assert.deepEqual(attributes, ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=604800"]);
});

test("over TLS no neighbour of the same domain can plant a cookie in place of ours", async () => {
	const { app, open } = createScene({ isSecure: () => true });
	const { cookie, set } = await open({ credential: token });
	assert.match(set, /^__Host-moorage_session=[\w-]{43}; Path=\/; .*; Secure$/);
	assert.equal((await app.request("/api/session", { headers: { cookie } })).status, 200);
	const planted = cookie.replace("__Host-", "");
	assert.equal((await app.request("/api/session", { headers: { cookie: planted } })).status, 401);
});

test("a session opened with a name is its person's, and is nobody's once they are gone", async () => {
	const { app, open, options } = createScene();
	const { cookie, session } = await open({ name: "acme/ana", password: "right" });
	assert.deepEqual([session.principal, session.roles], ["acme/ana", ["approver", "member"]]);
	const read = () => app.request("/api/session", { headers: { cookie } });
	assert.equal((await read()).status, 200);
	assert.equal(await options.sessions.endAllOf("acme/bo"), 0);
	assert.equal(await options.sessions.endAllOf("acme/ana"), 1);
	assert.equal((await read()).status, 401);
});

test("the links of somebody end with their sessions, and nobody makes room with another's", async () => {
	const { options } = createScene();
	const { sessions } = options;
	const holder = { kind: "credential", credential: token } as const;
	const of_bo = sessions.makeLink(holder, "acme/bo");
	const of_ana = Array.from({ length: 17 }, () => sessions.makeLink(holder, "acme/ana"));
	assert.equal(sessions.takeLink(of_ana[0] ?? ""), undefined);
	assert.deepEqual(sessions.takeLink(of_ana[1] ?? ""), holder);
	await sessions.endAllOf("acme/ana");
	assert.equal(sessions.takeLink(of_ana[2] ?? ""), undefined);
	assert.deepEqual(sessions.takeLink(of_bo), holder);
});

test("whoever guesses a password is told how long to wait, and nothing else", async () => {
	const { signIn, problem } = createScene();
	const wrong = await signIn({ name: "acme/ana", password: "wrong" });
	assert.deepEqual([wrong.response.status, wrong.cookie], [401, ""]);
	assert.equal(await problem(wrong.response), "login_failed");
	const { response, cookie } = await signIn({ name: "guesser", password: "right" });
	assert.deepEqual(
		[response.status, response.headers.get("retry-after"), cookie],
		[429, "900", ""],
	);
	assert.equal(await problem(response), "too_many_attempts");
});

test("a page of another origin signs nobody in", async () => {
	const { app, options } = createScene();
	const body = JSON.stringify({ name: "acme/ana", password: "right" });
	for (const site of ["cross-site", "same-site"]) {
		const headers = { ...json_type, "sec-fetch-site": site };
		const answer = await app.request("/api/session", { method: "POST", headers, body });
		assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [403, null]);
	}
	const headers = { "content-type": "text/plain" };
	const form = await app.request("/api/session", { method: "POST", headers, body });
	assert.equal(form.status, 415);
	assert.deepEqual(options.sessions.list(), []);
});

test("signing in never takes up a token that was there before, and ends its session", async () => {
	const { app, open, signIn } = createScene();
	const first = await open({ credential: "key-operator" });
	const chosen = `moorage_session=${"a".repeat(43)}`;
	for (const before of [first.cookie, chosen]) {
		const body = { name: "acme/ana", password: "right" };
		const { response, cookie } = await signIn(body, { cookie: before });
		assert.equal(response.status, 201);
		assert.notEqual(cookie, before);
		const read = await app.request("/api/session", { headers: { cookie: before } });
		assert.equal(read.status, 401);
	}
});

test("somebody who signs in again and again ends their own sessions, and nobody else's", async () => {
	const { app, open } = createScene();
	const other = await open({ credential: "key-member" });
	const cookies: string[] = [];
	for (let times = 0; times < 25; times += 1) {
		cookies.push((await open({ credential: "key-operator" })).cookie);
	}
	const good = async (cookie = "") =>
		(await app.request("/api/session", { headers: { cookie } })).status === 200;
	assert.equal(await good(other.cookie), true);
	assert.equal(await good(cookies[4]), false);
	assert.equal(await good(cookies[5]), true);
});

test("a credential that is not known opens nothing", async () => {
	const { signIn, problem } = createScene();
	for (const body of [{ credential: "key" }, { credential: `${token}x` }, { link: "x" }]) {
		const { response, cookie } = await signIn(body);
		assert.equal(response.status, 401);
		assert.equal(cookie, "");
		assert.match(await problem(response), /unauthorized|link_used/);
	}
});

test("a change by a session needs the header that only our own page can know", async () => {
	const { app, backend, open, problem } = createScene();
	const { cookie, csrf } = await open({ credential: token });
	const path = "/api/servers/time/restart";
	const attempts = [{}, { "x-moorage-csrf": "" }, { "x-moorage-csrf": `${csrf}x` }];
	for (const headers of attempts) {
		const refused = await app.request(path, { method: "POST", headers: { cookie, ...headers } });
		assert.equal(refused.status, 403);
		assert.equal(await problem(refused), "forged_request");
	}
	assert.deepEqual(backend.calls, []);
	const headers = { cookie, "x-moorage-csrf": csrf };
	assert.equal((await app.request(path, { method: "POST", headers })).status, 200);
	assert.deepEqual(backend.calls, ["restartServer(time)"]);
});

test("a session counts for nothing that another site or another port started", async () => {
	const { app, backend, open } = createScene();
	const { cookie, csrf } = await open({ credential: token });
	for (const site of ["cross-site", "same-site"]) {
		for (const method of ["GET", "POST"]) {
			const headers = { cookie, "x-moorage-csrf": csrf, "sec-fetch-site": site };
			const path = method === "GET" ? "/api/status" : "/api/reload";
			assert.equal((await app.request(path, { method, headers })).status, 403);
		}
	}
	assert.deepEqual(backend.calls, []);
	const headers = { cookie, "sec-fetch-site": "same-origin" };
	assert.equal((await app.request("/api/status", { headers })).status, 200);
});

test("a session ends for good, with its cookie", async () => {
	const { app, open, problem } = createScene();
	const { cookie, csrf } = await open({ credential: token });
	const headers = { cookie, "x-moorage-csrf": csrf };
	const ended = await app.request("/api/session", { method: "DELETE", headers });
	assert.match(ended.headers.get("set-cookie") ?? "", /^moorage_session=; .*Max-Age=0/);
	const after = await app.request("/api/status", { headers });
	assert.equal(after.status, 401);
	assert.equal(await problem(after), "session_over");
});

test("whoever loses a credential loses it in every open page", async () => {
	const { app, open, people } = createScene();
	const { cookie } = await open({ credential: "key-operator" });
	people.clear();
	assert.equal((await app.request("/api/status", { headers: { cookie } })).status, 401);
});

test("a session ends by itself after a week, and survives a restart until then", async () => {
	const { app, clock, open, options } = createScene();
	const { cookie } = await open({ credential: token });
	await options.sessions.restore();
	assert.equal((await app.request("/api/status", { headers: { cookie } })).status, 200);
	await clock.advance(7 * 24 * 3_600_000);
	assert.equal((await app.request("/api/status", { headers: { cookie } })).status, 401);
});

test("a link opens one session, within half an hour, as whoever made it", async () => {
	const { app, clock, open, signIn } = createScene();
	const make = async (credential: string) => {
		const headers = { authorization: `Bearer ${credential}` };
		const made = await app.request("/api/session/links", { method: "POST", headers });
		const { url } = (await made.json()) as { url: string };
		return { link: url.split("/link/")[1] ?? "" };
	};
	const first = await make("key-approver");
	assert.equal((await open(first)).session.principal, "acme/approver");
	assert.equal((await signIn(first)).response.status, 401);
	const late = await make(token);
	await clock.advance(link_ms);
	assert.equal((await signIn(late)).response.status, 401);
});

test("an admin sees every session and ends them; each is named, none is told", async () => {
	const { app, open } = createScene();
	const member = await open({ credential: "key-member" });
	const headers = { authorization: `Bearer ${token}` };
	const text = await (await app.request("/api/sessions", { headers })).text();
	const { sessions } = JSON.parse(text) as { sessions: { id: string; principal: string }[] };
	assert.deepEqual(
		sessions.map(({ principal }) => principal),
		["acme/member"],
	);
	assert.ok(!text.includes(member.cookie.split("=")[1] ?? "-"));
	const path = `/api/sessions/${sessions[0]?.id}`;
	assert.equal((await app.request(path, { method: "DELETE", headers })).status, 200);
	const after = await app.request("/api/session", { headers: { cookie: member.cookie } });
	assert.equal(after.status, 401);
});

test("what is kept of sessions holds neither their tokens nor their credentials", async () => {
	const { open, stored } = createScene();
	const { cookie } = await open({ credential: "key-operator" });
	assert.ok(stored().includes("acme/operator"));
	assert.ok(!stored().includes(cookie.split("=")[1] ?? "-"));
	assert.ok(!stored().includes("key-operator"));
});

test("only an admin calls as somebody else", async () => {
	const { app, backend } = createScene();
	const body = JSON.stringify({
		server: "time",
		method: "tools/call",
		params: { name: "now" },
		as: { tenant: "acme", user: "ana" },
	});
	const send = (credential: string) => {
		const headers = { ...json_type, authorization: `Bearer ${credential}` };
		return app.request("/api/playground", { method: "POST", headers, body });
	};
	assert.equal((await send("key-operator")).status, 403);
	assert.deepEqual(backend.calls, []);
	await (await send("key-admin")).body?.cancel();
	assert.deepEqual(backend.calls, ["play(time, tools/call, acme/ana)"]);
});

test("news reach whoever may know them, and no others", async () => {
	const { app, options } = createScene();
	const follow = async (role: string) => {
		const headers = { authorization: `Bearer key-${role}` };
		const response = await app.request("/api/events", { headers });
		return response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
	};
	const readers = {
		admin: await follow("admin"),
		operator: await follow("operator"),
		member: await follow("member"),
	};
	options.live.publish("state", { name: "time" });
	options.live.publish("approval", { id: 1 }, ["member"]);
	const next = async (reader: ReadableStreamDefaultReader<Uint8Array>, text: string) => {
		let read = "";
		while (!read.includes(text)) read += Buffer.from((await reader.read()).value ?? []).toString();
		return read;
	};
	const all = await next(readers.admin, "approval");
	assert.ok(all.includes('event: state\ndata: {"name":"time"}\n\n'));
	assert.ok(!(await next(readers.member, "approval")).includes("state"));
	assert.ok(!(await next(readers.operator, "state")).includes("approval"));
	for (const reader of Object.values(readers)) await reader.cancel();
	assert.equal(options.live.watched, false);
});
