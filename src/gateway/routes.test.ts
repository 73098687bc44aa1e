import assert from "node:assert/strict";
import { test } from "node:test";
import { routeOf } from "./routes.ts";

test("the address of all servers and the address of each lead to endpoints", () => {
	const mcp = { kind: "endpoint", part: "mcp" };
	assert.deepEqual(routeOf("/mcp"), { ...mcp, name: "mcp" });
	assert.deepEqual(routeOf("/mcp/"), { ...mcp, name: "mcp" });
	assert.deepEqual(routeOf("/mcp?session=1"), { ...mcp, name: "mcp" });
	assert.deepEqual(routeOf("/time/mcp"), { ...mcp, name: "time" });
	assert.deepEqual(routeOf("/a.b-c_d/mcp/?x=/y"), { ...mcp, name: "a.b-c_d" });
	assert.deepEqual(routeOf(`/${"a".repeat(64)}/mcp`), { ...mcp, name: "a".repeat(64) });
});

test("an address leads to the same place again, and however many there were before", () => {
	const found = { kind: "endpoint", part: "mcp" };
	for (const name of ["again", ...Array.from({ length: 3_000 }, (_, at) => `n${at}`), "again"]) {
		assert.deepEqual(routeOf(`/${name}/mcp`), { ...found, name });
		assert.deepEqual(routeOf(`/${name}/mcp`), { ...found, name });
	}
	assert.deepEqual(routeOf("/again/mcp?x"), { ...found, name: "again" });
	assert.deepEqual(routeOf("/again/sse"), { kind: "endpoint", name: "again", part: "sse" });
});

test("the older transport has two addresses beside each", () => {
	assert.deepEqual(routeOf("/sse"), { kind: "endpoint", name: "mcp", part: "sse" });
	assert.deepEqual(routeOf("/time/sse"), { kind: "endpoint", name: "time", part: "sse" });
	const message = { kind: "endpoint", name: "time", part: "message" };
	assert.deepEqual(routeOf("/time/message?session_id=x"), message);
});

test("health and the admin API are where they are said to be, and nowhere else", () => {
	assert.deepEqual(routeOf("/healthz"), { kind: "health", name: "healthz" });
	assert.deepEqual(routeOf("/readyz?verbose"), { kind: "health", name: "readyz" });
	for (const path of ["/api", "/api/status", "/api/servers/x?y"]) {
		assert.deepEqual(routeOf(path), { kind: "admin" }, path);
	}
	for (const path of ["/healthz/", "/readyzz", "/apix", "/API/status"]) {
		assert.deepEqual(routeOf(path), { kind: "none" }, path);
	}
});

test("the dashboard has the root, its files and its frames, and takes no server's address", () => {
	for (const path of ["/", "/?x", "/assets/app-1.js", "/apps/abc"]) {
		assert.deepEqual(routeOf(path), { kind: "dashboard" }, path);
	}
	for (const name of ["assets", "apps"]) {
		assert.deepEqual(routeOf(`/${name}/mcp`), { kind: "endpoint", name, part: "mcp" });
	}
});

test("paths that try to be something else lead nowhere", () => {
	const paths = [
		"",
		"/assets",
		"/apps",
		"/appsx",
		"mcp",
		"//mcp",
		"/mcp//",
		"/mcp/x",
		"/x/y/mcp",
		"/../mcp",
		"/.hidden/mcp",
		"/%2e%2e/mcp",
		"/a%2fb/mcp",
		"/a b/mcp",
		"/é/mcp",
		`/${"a".repeat(65)}/mcp`,
		"/MCP",
		"http://127.0.0.1/mcp",
		"*",
		"/mcp\n",
	];
	for (const path of paths) assert.deepEqual(routeOf(path), { kind: "none" }, path);
});
