import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { signInAt } from "../support/sign-in.ts";

/* Cookies that are none: whoever brings one is nobody, and is told so as if there were none. */

let gateway: TestGateway;
/** A cookie that somebody is signed in with, as its name and its token. */
let session: readonly [name: string, token: string];

before(async () => {
	gateway = await startGateway({
		identity: { login: { accounts: true } },
		servers: { echo: { ...stdioFixture("echo"), start: "on-demand" } },
	});
	const credential = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const { cookie } = await signInAt(gateway.url, { credential });
	const [name = "", token = ""] = cookie.split("=");
	session = [name, token];
});

after(() => gateway?.stop());

/** What cookies of ours are called without TLS, and one of somebody else. */
const names = () => [
	...[session[0], `__Host-${session[0]}`, "moorage_login", "moorage_login.sig"],
	...["moorage_interaction", "moorage_resume", "__proto__", "other"],
];
const long = "x".repeat(4_000);

/** Values that are no token, or not one that was given to anybody. */
const values = () => {
	const [, token] = session;
	const another = token.startsWith("x") ? "y" : "x";
	const changed = [`${token}x`, `${another}${token.slice(1)}`, token.toUpperCase()];
	const near = [token.slice(1), ...changed];
	return ["", "=", ";", "%00", "%", "a b", '"quoted"', "{}", "a.b.c", "\u00e9", long, ...near];
};

const pages = [
	{ path: "/api/session", status: 401 },
	{ path: "/api/approvals", status: 401 },
	{ path: "/approvals/appr_x", status: 401 },
	{ path: "/oauth/connect/echo", status: 401 },
	{ path: "/oauth/callback?state=x&code=y", status: 404 },
	{ path: "/oauth/interaction/x", status: 400 },
] as const;

for (const { path, status } of pages) {
	test(`${path}: a cookie that is none is answered as if there were none`, async () => {
		const ask = async (cookie: string | string[]) => {
			const headers = { cookie };
			const answer = await exchange(new URL(gateway.url), { method: "GET", path, headers });
			return answer.status;
		};
		assert.equal(await ask("a=b"), status, "without any of ours");
		for (const name of names()) {
			for (const value of values()) {
				assert.equal(await ask(`${name}=${value}`), status, `${name}=${value}`);
			}
			assert.equal(await ask([`${name}=a`, `${name}=b; ${name}=c`]), status, `${name} twice`);
		}
		for (const cookie of ["", ";", "=", "; ; ;", "moorage_session", ";=;=", ",".repeat(500)]) {
			assert.equal(await ask(cookie), status, cookie);
		}
	});
}

test("the cookie itself is good, and none of the others was a defect of ours", async () => {
	const headers = { cookie: session.join("=") };
	const { status } = await exchange(new URL(gateway.url), {
		method: "GET",
		path: "/api/session",
		headers,
	});
	assert.equal(status, 200);
	const worst = gateway.log.lines.filter(({ level }) => level === "error");
	assert.deepEqual(worst, []);
});
