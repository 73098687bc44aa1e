import assert from "node:assert/strict";
import { test } from "node:test";
import { startAuthorizationServer } from "../../../../test/support/authorization-server.ts";
import { systemClock } from "../../../lib/clock.ts";
import { guardedFetch, RefusedAddress } from "./guarded-fetch.ts";

test("a server elsewhere cannot make Moorage ask this machine or its network", async () => {
	const fetch = guardedFetch("https://8.8.8.8/mcp", systemClock);
	for (const url of [
		"http://127.0.0.1:1/",
		"https://localhost:1/",
		"https://169.254.169.254/latest",
		"https://[::ffff:10.0.0.1]/",
		"https://2130706433/",
		"http://8.8.8.8/",
		"file:///etc/passwd",
		"https://a:b@8.8.8.8/",
	]) {
		await assert.rejects(fetch(url), RefusedAddress, url);
	}
});

test("a redirect to another origin is not followed", async (t) => {
	const server = await startAuthorizationServer();
	t.after(() => server.close());
	const fetch = guardedFetch(`${server.issuer}/mcp`, systemClock);
	const elsewhere = encodeURIComponent("http://127.0.0.1:1/");
	const url = `${server.issuer}/authorize?redirect_uri=${elsewhere}`;
	await assert.rejects(fetch(url), /another origin/);
	assert.equal((await fetch(`${server.issuer}/none`)).status, 404);
});
