import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { until } from "../../../../test/support/until.ts";
import { authAgain, authRig } from "../../../../test/support/upstream-auth-rig.ts";
import { MemoryTokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

/** A store that does something once, when it is asked a certain thing. */
class InterruptedStore extends MemoryTokenStore {
	readonly #at: "grants" | "register";
	readonly #interrupt: () => void;
	/** Grants are read as it is loaded, and once more when the server has been looked at. */
	#left: number;

	constructor(at: "grants" | "register", interrupt: () => void) {
		super();
		this.#at = at;
		this.#interrupt = interrupt;
		this.#left = at === "grants" ? 2 : 1;
	}

	#asked(what: "grants" | "register"): void {
		if (what !== this.#at) return;
		this.#left -= 1;
		if (this.#left === 0) this.#interrupt();
	}

	override grants(...wanted: Parameters<MemoryTokenStore["grants"]>) {
		this.#asked("grants");
		return super.grants(...wanted);
	}

	override register(...registered: Parameters<MemoryTokenStore["register"]>) {
		this.#asked("register");
		return super.register(...registered);
	}
}

for (const [what, at] of [
	["its server is looked at", "grants"],
	["Moorage registers there", "register"],
] as const) {
	for (const end of ["forget", "withdraw"] as const) {
		test(`what is ended (${end}) while ${what} opens no page, and the next call has one of its own`, async (t) => {
			const { server, options } = await authRig(t);
			const pages: URL[] = [];
			const auth: UpstreamAuth = new UpstreamAuth({
				...options,
				store: new InterruptedStore(at, () => auth[end]()),
				authorize(page) {
					pages.push(page);
					return server.authorize(page);
				},
			});
			const refused = { status: 401, headers: {}, token: undefined, rounds: 0 };
			const outcome = await auth.onRefused(refused);
			assert.ok(!outcome.ok);
			assert.match(outcome.problem.advice, /ended before it was given/);
			assert.deepEqual(pages, []);
			assert.equal(auth.token, undefined);
			assert.deepEqual(await auth.onRefused(refused), { ok: true, value: "retry" });
			assert.equal(pages.length, 1);
		});
	}
}

/** Somebody with a token, who is asked for more scopes, and has the page open. */
async function steppingUp(t: TestContext) {
	const clock = new FakeClock();
	const { server, options } = await authRig(t, {}, { scopes: ["read"] }, clock);
	const pages: URL[] = [];
	const opened = Promise.withResolvers<void>();
	const url = "https://gateway.example/connect/server";
	const auth = new UpstreamAuth({
		...options,
		pageFor: () => ({ url, at_once: true }),
		async authorize(page) {
			pages.push(page);
			if (pages.length > 1) await opened.promise;
			return server.authorize(page);
		},
	});
	const refuse = (status: number, challenge: string) => {
		const headers = { "www-authenticate": challenge };
		return auth.onRefused({ status, headers, token: auth.token, rounds: 0 });
	};
	await auth.connect();
	const wants_more = await refuse(403, 'Bearer error="insufficient_scope", scope="write"');
	assert.ok(!wants_more.ok && wants_more.problem.advice.includes(url));
	assert.equal(pages.length, 2);
	const kept = async () => (await options.store.grants({ ...options.key, about: auth.about }))[0];
	return { clock, server, auth, refuse, pages, url, kept, open: opened.resolve };
}

test("while a step up waits for a person, tokens are renewed as ever, and it comes to its end", async (t) => {
	const { clock, server, auth, refuse, pages, kept, open } = await steppingUp(t);
	await t.test("when they are refused", async () => {
		assert.deepEqual(await refuse(401, "Bearer"), { ok: true, value: "retry" });
		assert.equal(auth.token, "access-2");
		assert.deepEqual((await kept())?.scopes, ["read"]);
	});
	await t.test("and ahead of their end", async () => {
		await clock.advance(3_540_000);
		auth.headers();
		await until(() => auth.token === "access-3");
	});
	await t.test("and another call that needs more waits for the same page", async () => {
		const again = await refuse(403, 'Bearer error="insufficient_scope", scope="write"');
		assert.ok(!again.ok && again.problem.code === "authorization_required");
	});
	assert.equal(pages.length, 2);
	open();
	await until(() => auth.token === "access-4");
	assert.deepEqual((await kept())?.scopes, ["read", "write"]);
	assert.equal(auth.is_under_way, false);
	assert.deepEqual(
		server.requests("/token").map(({ parameters }) => parameters["grant_type"]),
		["authorization_code", "refresh_token", "refresh_token", "authorization_code"],
	);
});

test("where nothing is left to renew a token with, the page of the step up is the one that is told", async (t) => {
	const { server, auth, refuse, pages, url, open } = await steppingUp(t);
	server.refresh_tokens.clear();
	const outcome = await refuse(401, "Bearer");
	assert.ok(!outcome.ok && outcome.problem.code === "authorization_required");
	assert.ok(outcome.problem.advice.includes(url));
	assert.equal(pages.length, 2, "one page is enough");
	open();
	await until(() => auth.token !== undefined);
	await until(() => !auth.is_under_way);
	assert.equal(pages.length, 2);
});

test("an end reaches the step up, and whoever waits for its page", async (t) => {
	const { server, auth, refuse, open, kept } = await steppingUp(t);
	server.refresh_tokens.clear();
	await refuse(401, "Bearer");
	assert.equal(auth.forget(), true);
	open();
	await until(() => !auth.is_under_way);
	assert.equal(auth.token, undefined);
	assert.equal(await kept(), undefined);
});

for (const names of [true, false]) {
	test(`whoever calls is ${names ? "" : "not "}told the page, where they ${names ? "may" : "must not"} be`, async (t) => {
		const clock = new FakeClock();
		const first = await authRig(t, {}, {}, clock);
		const asked = Promise.withResolvers<URL>();
		const { refuse } = await authAgain(first, {
			pageFor: (page) => (names ? { url: page.href, at_once: false } : undefined),
			authorize(page) {
				asked.resolve(page);
				return new Promise<never>(() => undefined);
			},
		});
		const pending = refuse();
		const page = await asked.promise;
		await clock.advance(5_000);
		const outcome = await pending;
		assert.ok(!outcome.ok);
		assert.equal(outcome.problem.advice.includes(page.href), names);
		assert.equal(outcome.problem.advice.includes("Moorage's log"), !names);
	});
}

test("what is ended while a person is asked is not given by an answer that comes later", async (t) => {
	const { options, server } = await authRig(t);
	const asked = Promise.withResolvers<{ page: URL; signal: AbortSignal }>();
	const answered = Promise.withResolvers<URL>();
	const auth = new UpstreamAuth({
		...options,
		authorize(page, _state, signal) {
			asked.resolve({ page, signal });
			return answered.promise;
		},
	});
	const refused = { status: 401, headers: {}, token: undefined, rounds: 0 };
	const pending = auth.onRefused(refused);
	const { page, signal } = await asked.promise;
	assert.equal(auth.forget(), true);
	assert.ok(signal.aborted, "the page is withdrawn");
	answered.resolve(await server.authorize(page));
	const outcome = await pending;
	assert.ok(!outcome.ok);
	assert.match(outcome.problem.advice, /ended before it was given/);
	assert.equal(auth.token, undefined);
	assert.deepEqual(await options.store.grants({ ...options.key, about: auth.about }), []);
	assert.equal(auth.forget(), false, "there is nothing left to end");
});

test("after an end the next call is asked anew, though the page before it still waits", async (t) => {
	const { options, server } = await authRig(t);
	const pages: URL[] = [];
	const auth = new UpstreamAuth({
		...options,
		authorize(page) {
			pages.push(page);
			return pages.length === 1 ? new Promise<never>(() => undefined) : server.authorize(page);
		},
	});
	const refused = { status: 401, headers: {}, token: undefined, rounds: 0 };
	void auth.onRefused(refused);
	await until(() => pages.length === 1);
	auth.forget();
	assert.deepEqual(await auth.onRefused(refused), { ok: true, value: "retry" });
	assert.equal(auth.token, "access-1");
});

test("where there is a page of ours for the person, a call is answered with it at once", async (t) => {
	const first = await authRig(t, {}, {}, new FakeClock());
	const url = "https://gateway.example/connect/server";
	const { auth, refuse } = await authAgain(first, {
		pageFor: () => ({ url, at_once: true }),
		authorize: () => new Promise<never>(() => undefined),
	});
	for (const call of ["the first", "one that finds the page open"]) {
		const outcome = await refuse();
		assert.ok(!outcome.ok && outcome.problem.code === "authorization_required", call);
		assert.ok(outcome.problem.advice.includes(url), call);
	}
	assert.ok(auth.is_under_way);
});

test("a person may agree before they call anything, and whoever waits for that is told", async (t) => {
	const first = await authRig(t);
	let granted = 0;
	const { auth } = await authAgain(first, {
		onGranted: () => {
			granted += 1;
		},
	});
	assert.deepEqual(await auth.connect(), { ok: true, value: "retry" });
	assert.equal(auth.token, "access-1");
	assert.equal(granted, 1);
});

test("a token that comes when nobody wants it any more is told of, and not kept", async (t) => {
	const { server, options } = await authRig(t);
	const late: string[] = [];
	const auth = new UpstreamAuth({
		...options,
		inTurn(work) {
			// It was ended while the token was on its way.
			if (server.requests("/token").length > 0) auth.forget();
			return work();
		},
		onLate: ({ access_token, refresh_token }) => late.push(access_token, refresh_token ?? ""),
	});
	const headers = { "www-authenticate": "Bearer" };
	const outcome = await auth.onRefused({ status: 401, headers, token: undefined, rounds: 0 });
	assert.equal(outcome.ok, false);
	assert.deepEqual(late, ["access-1", "refresh-1"]);
	assert.equal(auth.token, undefined);
	assert.deepEqual(await options.store.grants({ ...options.key, about: auth.about }), []);
});
