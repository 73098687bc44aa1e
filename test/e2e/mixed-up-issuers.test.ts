import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Deviations, startAuthorizationServer } from "../support/authorization-server.ts";
import { startGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** One issuer cannot have another answer for it (RFC 9207), whether or not it names itself. */

async function asked(t: TestContext, metadata: Deviations["metadata"] = {}, oauth = {}) {
	const authorization = await startAuthorizationServer({
		metadata,
		mcp: (_request, response) => void response.writeHead(404).end(),
	});
	t.after(() => authorization.close());
	const notes = { url: `${authorization.issuer}/mcp`, auth: "oauth", start: "on-demand", oauth };
	const gateway = await startGateway({ servers: { notes } }, { drain_ms: 100 });
	t.after(() => gateway.stop());
	const pages = () =>
		gateway.log.lines.flatMap(({ fields }) => ("page" in fields ? [String(fields.page)] : []));
	const call = new ModernWire(gateway.address("notes")).call("whoami").catch(() => undefined);
	await until(() => pages().length > 0);
	t.after(() => call);
	const page = new URL(pages()[0] ?? "");
	const redirect = new URL(page.searchParams.get("redirect_uri") ?? "");
	return { authorization, page, redirect };
}

test("an issuer that does not name itself has an address for its answers alone", async (t) => {
	const { authorization, page, redirect } = await asked(t);
	assert.match(redirect.pathname, /^\/oauth\/callback\/[A-Za-z0-9_-]{22}$/);
	const [registered] = authorization.requests("/register");
	assert.deepEqual(registered?.parameters["redirect_uris"], [redirect.href]);
	const good = await authorization.authorize(page);
	for (const path of [
		"/oauth/callback",
		`/oauth/callback/${"A".repeat(22)}`,
		`${redirect.pathname}/`,
	]) {
		const elsewhere = new URL(good);
		elsewhere.pathname = path;
		assert.equal((await fetch(elsewhere)).status, 404, path);
	}
	assert.equal(authorization.requests("/token").length, 0);
	const answered = await fetch(good);
	assert.equal(answered.status, 200);
	assert.match(await answered.text(), /notes is connected/);
	const [token] = authorization.requests("/token");
	assert.equal(token?.parameters["redirect_uri"], redirect.href);
});

test("one that names itself answers at the address that all share, and nowhere else", async (t) => {
	const names = { authorization_response_iss_parameter_supported: true };
	const { authorization, page, redirect } = await asked(t, names);
	assert.equal(redirect.pathname, "/oauth/callback");
	const good = await authorization.authorize(page);
	good.searchParams.set("iss", authorization.issuer);
	const elsewhere = new URL(good);
	elsewhere.pathname = `/oauth/callback/${"A".repeat(22)}`;
	assert.equal((await fetch(elsewhere)).status, 404);
	assert.match(await (await fetch(good)).text(), /notes is connected/);
});

test("where somebody registered us by hand, it is the address that they were told", async (t) => {
	const { authorization, page, redirect } = await asked(t, {}, { client_id: "by-hand" });
	assert.equal(redirect.pathname, "/oauth/callback");
	const good = await authorization.authorize(page);
	assert.match(await (await fetch(good)).text(), /notes is connected/);
});
