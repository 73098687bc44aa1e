import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { succeed } from "../lib/result.ts";
import { KvVault } from "./kv-vault.ts";
import { SecretRedactor } from "./redactor.ts";

/** A vault with AppRole, as its documentation has the answers; tokens are good for a minute. */
async function house(t: TestContext) {
	const clock = new FakeClock();
	const asked: string[] = [];
	const good = new Set<string>();
	const state = { secret_id: "the-secret-id", renews: true, is_up: true, opens: true };
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const path = request.url ?? "";
			asked.push(path);
			const say = (status: number, body: object) => {
				response.writeHead(status, { "content-type": "application/json" });
				response.end(JSON.stringify(body));
			};
			if (!state.is_up) return say(503, { errors: ["Vault is sealed"] });
			const auth = (client_token: string) => ({
				request_id: "1",
				data: null,
				auth: { client_token, accessor: "a", policies: ["p"], lease_duration: 60, renewable: true },
			});
			if (path === "/v1/auth/team/approle/login") {
				const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
				const is_known = body["role_id"] === "us" && body["secret_id"] === state.secret_id;
				if (!is_known) return say(400, { errors: ["invalid role or secret ID"] });
				const token = `hvs.token-${asked.length}-of-moorage`;
				good.add(token);
				return say(200, auth(token));
			}
			const token = String(request.headers["x-vault-token"]);
			if (!good.has(token)) return say(403, { errors: ["permission denied"] });
			if (path !== "/v1/auth/token/renew-self") {
				if (!state.opens) return say(403, { errors: ["permission denied"] });
				return say(200, { data: { data: { token: "the-value" }, metadata: { version: 1 } } });
			}
			return state.renews
				? say(200, auth(token))
				: say(400, { errors: ["lease is not renewable"] });
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const redactor = new SecretRedactor();
	const vault = new KvVault({
		address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		namespace: undefined,
		credentials: () => {
			const body = { role_id: "us", secret_id: "the-secret-id" };
			return Promise.resolve(succeed({ mount: "team/approle", body }));
		},
		clock,
		redactor,
		keep_ms: 0,
	});
	t.after(async () => {
		await vault.close();
		server.closeAllConnections();
		server.close();
	});
	const read = async () => {
		const value = await vault.get("secret/x#token");
		return value.ok ? value.value : value.problem.message;
	};
	/** What it was asked since the last time, without the secrets themselves. */
	const since = () => asked.splice(0).filter((path) => path.includes("/auth/"));
	return { clock, state, good, redactor, read, since };
}

const login = "/v1/auth/team/approle/login";
const renewal = "/v1/auth/token/renew-self";

test("a login is made once for all who ask, and its token is redacted", async (t) => {
	const { read, since, good, redactor } = await house(t);
	assert.deepEqual(await Promise.all([read(), read(), read()]), Array(3).fill("the-value"));
	assert.deepEqual(since(), [login]);
	for (const token of good) assert.ok(!redactor.text(`it is ${token}`).includes(token));
});

test("a token is renewed before its end, once for all who ask", async (t) => {
	const { read, since, clock } = await house(t);
	await read();
	since();
	await clock.advance(39_000);
	await read();
	assert.deepEqual(since(), []);
	await clock.advance(2_000);
	await Promise.all([read(), read()]);
	assert.deepEqual(since(), [renewal]);
	await clock.advance(39_000);
	await read();
	assert.deepEqual(since(), []);
});

test("a token that is not renewed, or was taken back, is followed by another login", async (t) => {
	const { read, since, clock, state, good } = await house(t);
	await read();
	state.renews = false;
	await clock.advance(41_000);
	assert.equal(await read(), "the-value");
	assert.deepEqual(since(), [login, renewal, login]);
	good.clear();
	assert.equal(await read(), "the-value");
	assert.deepEqual(since(), [renewal, login]);
});

test("a place that the token does not open is no reason for another login", async (t) => {
	const { read, since, state } = await house(t);
	await read();
	state.opens = false;
	since();
	for (let look = 0; look < 3; look += 1)
		assert.match(await read(), /does not let this token read/);
	assert.deepEqual(since(), [renewal, renewal, renewal]);
	state.renews = false;
	await read();
	assert.deepEqual(since(), [renewal]);
	state.opens = true;
	assert.equal(await read(), "the-value");
});

test("a vault that lets nobody in, or is out of order, gives nothing out and says why", async (t) => {
	const { read, since, clock, state, good } = await house(t);
	state.secret_id = "another";
	assert.match(await read(), /did not let Moorage log in at `auth\/team\/approle` \(HTTP 400\)/);
	state.secret_id = "the-secret-id";
	assert.equal(await read(), "the-value");
	since();
	// It is asked again and again while it is out of order, with the token that is still good.
	state.is_up = false;
	await clock.advance(41_000);
	assert.match(await read(), /sealed or in maintenance/);
	state.is_up = true;
	assert.equal(await read(), "the-value");
	state.is_up = false;
	good.clear();
	await clock.advance(61_000);
	assert.match(await read(), /did not let Moorage log in/);
});
