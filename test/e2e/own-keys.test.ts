import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { password } from "../support/login-scene.ts";
import { signInAt } from "../support/sign-in.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** People make keys for themselves, which may what they may and nothing else. */

let gateway: TestGateway;
let admin: string;

before(async () => {
	gateway = await startGateway({
		identity: { login: {} },
		servers: { echo: stdioFixture("echo") },
	});
	const token = await readAdminToken(gateway.daemon.plan.data);
	assert.ok(token.ok);
	admin = token.value;
	for (const user of ["ana", "bob"]) {
		await asAdmin("POST", "/api/users", { tenant: "acme", user, password, roles: ["operator"] });
	}
});

after(() => gateway?.stop());

interface Answer {
	readonly status: number;
	readonly body: {
		readonly key: string;
		readonly keys: { readonly name: string }[];
		readonly why_not?: string;
		readonly roles: string[];
		readonly detail: string;
		readonly csrf: string;
	};
}

async function ask(
	method: string,
	path: string,
	headers: Readonly<Record<string, string>>,
	body?: object,
): Promise<Answer> {
	const response = await fetch(`${gateway.url}${path}`, {
		method,
		headers: { ...headers, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const asAdmin = (method: string, path: string, body?: object) =>
	ask(method, path, { authorization: `Bearer ${admin}` }, body);
const withKey = (key: string) => ({ authorization: `Bearer ${key}` });

/** The headers of somebody who has signed in with their name. */
async function signedIn(user: string): Promise<Record<string, string>> {
	const { cookie } = await signInAt(gateway.url, { name: `acme/${user}`, password });
	const { body } = await ask("GET", "/api/session", { cookie });
	return { cookie, "x-moorage-csrf": body.csrf };
}

test("a key that somebody makes calls in their name, with the roles they have then", async () => {
	const ana = await signedIn("ana");
	const made = await ask("POST", "/api/me/keys", ana, { name: "ana-laptop" });
	assert.equal(made.status, 201, JSON.stringify(made.body));
	const { key } = made.body;
	const client = new ModernWire(gateway.address("echo"));
	const params = '{"name":"echo","arguments":{"text":"mine"}}';
	const reply = await client.ask({ method: "tools/call", params, headers: withKey(key) });
	assert.match(JSON.stringify(reply.result), /mine/);
	const listed = await ask("GET", "/api/me/keys", ana);
	assert.deepEqual(
		listed.body.keys.map(({ name }) => name),
		["ana-laptop"],
	);
	assert.ok(!JSON.stringify(listed.body).includes(key), "a key is shown once");
	await asAdmin("POST", "/api/users/acme/ana", { roles: ["approver"] });
	const { body } = await ask("GET", "/api/session", withKey(key));
	assert.deepEqual(body.roles, ["approver", "member"]);
	assert.equal((await ask("DELETE", "/api/me/keys/ana-laptop", ana)).status, 200);
	assert.equal((await ask("GET", "/api/session", withKey(key))).status, 401);
});

test("nobody makes a key for somebody else, or with other roles than their own", async () => {
	const ana = await signedIn("ana");
	for (const more of [{ user: "bob" }, { tenant: "globex" }, { roles: ["admin"] }]) {
		const refused = await ask("POST", "/api/me/keys", ana, { name: "x", ...more });
		assert.equal(refused.status, 400);
	}
	assert.deepEqual((await ask("GET", "/api/me/keys", ana)).body.keys, []);
});

test("a key cannot make another, nor can the admin token: only somebody with a name", async () => {
	const ana = await signedIn("ana");
	const { key } = (await ask("POST", "/api/me/keys", ana, { name: "ana-script" })).body;
	const refused = await ask("POST", "/api/me/keys", withKey(key), { name: "another" });
	assert.equal(refused.status, 403);
	assert.match(refused.body.detail, /Sign in with your name/);
	assert.match((await ask("GET", "/api/me/keys", withKey(key))).body.why_not ?? "", /Sign in/);
	const as_admin = await asAdmin("POST", "/api/me/keys", { name: "admins" });
	assert.equal(as_admin.status, 403);
	// It can be given up with itself, though.
	assert.equal((await ask("DELETE", "/api/me/keys/ana-script", withKey(key))).status, 200);
});

test("somebody else's key is not there to be seen or removed", async () => {
	const [ana, bob] = [await signedIn("ana"), await signedIn("bob")];
	await ask("POST", "/api/me/keys", bob, { name: "bob-laptop" });
	assert.deepEqual((await ask("GET", "/api/me/keys", ana)).body.keys, []);
	assert.equal((await ask("DELETE", "/api/me/keys/bob-laptop", ana)).status, 404);
	assert.equal((await ask("DELETE", "/api/me/keys/bob-laptop", bob)).status, 200);
});

test("there is a limit to how many somebody has", async () => {
	const ana = await signedIn("ana");
	for (let count = 0; count < 20; count += 1) {
		const made = await ask("POST", "/api/me/keys", ana, { name: `ana-${count}` });
		assert.equal(made.status, 201);
	}
	const refused = await ask("POST", "/api/me/keys", ana, { name: "ana-20" });
	assert.equal(refused.status, 409);
	assert.match(refused.body.detail, /20 keys already/);
});
