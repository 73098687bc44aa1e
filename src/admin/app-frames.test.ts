import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { AppFrames, allowedDomains, framePolicy } from "./app-frames.ts";

const nothing = { connect: [], resource: [], frame: [] };

test("a frame may run scripts, in an origin of its own, and reach nothing it did not declare", () => {
	const policy = framePolicy(nothing).split("; ");
	assert.ok(policy.includes("sandbox allow-scripts"));
	assert.ok(policy.includes("default-src 'none'"));
	assert.ok(policy.includes("connect-src 'none'"));
	assert.ok(policy.includes("frame-src 'none'"));
	assert.ok(policy.includes("form-action 'none'"));
	assert.ok(policy.includes("frame-ancestors 'self'"));
	assert.ok(!framePolicy(nothing).includes("allow-same-origin"));
});

test("public names over TLS are kept; whatever reaches inside or ends the policy is told", () => {
	const good = ["https://api.example.com", "https://*.example.com", "wss://live.example.com:8443"];
	const bad = [
		"http://example.com",
		"https://127.0.0.1",
		"https://[::1]",
		"https://localhost",
		"https://printer.local",
		"https://db.internal",
		"https://moorage.example.com",
		"*",
		"https:",
		"'unsafe-eval'",
		"data:",
		"https://example.com; script-src *",
		"https://example.com/path",
		"https://user@example.com",
	];
	const wanted = { ...nothing, connect: [...good, ...bad] };
	const { domains, notes } = allowedDomains(wanted, "moorage.example.com", () => true);
	assert.deepEqual(domains.connect, good);
	assert.equal(notes.length, bad.length);
});

test("an app reaches nothing that its server may not reach either", () => {
	const wanted = { ...nothing, connect: ["https://a.example.com", "https://b.example.com"] };
	const only_a = (origin: string) => origin === "https://a.example.com";
	const { domains, notes } = allowedDomains(wanted, "x", only_a);
	assert.deepEqual(domains.connect, ["https://a.example.com"]);
	assert.deepEqual(notes, [
		"It may not reach https://b.example.com: its server may not either (`egress`).",
	]);
});

test("a frame is served at its own address only, with its policy, for ten minutes", async (t) => {
	const clock = new FakeClock();
	const frames = new AppFrames(clock, new SeededRandom(1));
	const server = createServer((request, response) => frames.serve(request, response));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const path = frames.add("<p>hello</p>", nothing);
	assert.match(path, /^\/apps\/[A-Za-z0-9_-]{32}$/);
	const found = await fetch(url + path);
	assert.equal(await found.text(), "<p>hello</p>");
	assert.match(found.headers.get("content-security-policy") ?? "", /^sandbox allow-scripts; /);
	assert.equal(found.headers.get("cache-control"), "no-store");
	for (const other of ["/apps/", `${path}x`, `/apps/${"a".repeat(32)}`, "/apps/../api/status"]) {
		assert.equal((await fetch(url + other)).status, 404, other);
	}
	assert.equal((await fetch(url + path, { method: "POST" })).status, 404);
	await clock.advance(600_000);
	assert.equal((await fetch(url + path)).status, 404);
});

test("no more than 32 frames are kept", () => {
	const frames = new AppFrames(new FakeClock(), new SeededRandom(1));
	const paths = new Set(Array.from({ length: 100 }, () => frames.add("x", nothing)));
	assert.equal(paths.size, 100);
});
