import assert from "node:assert/strict";
import { test } from "node:test";
import { startAuthorizationServer } from "../../../../test/support/authorization-server.ts";
import { systemClock } from "../../../lib/clock.ts";
import { addressKind } from "./addresses.ts";
import { guardedFetch, RefusedAddress } from "./guarded-fetch.ts";

test("addresses of smaller networks are known in every spelling", () => {
	const kinds = {
		"8.8.8.8": "public",
		"127.9.9.9": "loopback",
		"::1": "loopback",
		"::ffff:127.0.0.1": "loopback",
		"169.254.169.254": "link-local",
		"fe80::1": "link-local",
		"10.1.2.3": "private",
		"fd00::1": "private",
		"100.64.0.1": "private",
		"0.0.0.0": "private",
	};
	for (const [address, kind] of Object.entries(kinds)) assert.equal(addressKind(address), kind);
});

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
