import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hono } from "hono";
import { adminOptions } from "../../test/support/admin-options.ts";
import { type AdminScenario, dashboard_scenarios } from "../../test/support/admin-scenarios.ts";
import { alerts_scenarios } from "../../test/support/alerts-scenarios.ts";
import { evidence_scenarios } from "../../test/support/evidence-scenarios.ts";
import { grant_scenarios } from "../../test/support/grant-scenarios.ts";
import { own_scenarios } from "../../test/support/own-scenarios.ts";
import { people_scenarios } from "../../test/support/people-scenarios.ts";
import { RecordingBackend } from "../../test/support/recording-backend.ts";
import { policy_scenarios } from "../../test/support/recording-policy.ts";
import { server_page_scenarios } from "../../test/support/recording-server-page.ts";
import { safety_scenarios } from "../../test/support/safety-scenarios.ts";
import { secret_scenarios } from "../../test/support/secret-scenarios.ts";
import { fail } from "../lib/result.ts";
import { createAdminApi } from "./api.ts";
import { admin_roles } from "./caller.ts";
import { problem_schema } from "./contract.ts";
import { type Operation, operations } from "./operations.ts";
import type { AdminApiOptions } from "./options.ts";
import { problemOfFault } from "./problem.ts";

const token = `moorage_admin_${"t".repeat(43)}`;
const call_bytes_max = 1000;

interface Scene {
	readonly backend: RecordingBackend;
	readonly app: Hono;
	readonly defects: [unknown, string][];
	readonly options: AdminApiOptions;
}

function createScene(): Scene {
	const backend = new RecordingBackend();
	const defects: [unknown, string][] = [];
	const options = adminOptions(token, {
		call_bytes_max,
		onDefect: (error, error_id) => defects.push([error, error_id]),
	});
	return { backend, app: createAdminApi(backend, options), defects, options };
}

const add_body = JSON.stringify({ name: "b", entry: { command: "npx", args: ["-y", "b"] } });
const add_secret = JSON.stringify({ ...JSON.parse(add_body), secrets: { token: "abcdef" } });
const add_taken = JSON.stringify({ name: "time", entry: { url: "https://example.com/mcp" } });

const scenarios: readonly AdminScenario[] = [
	...dashboard_scenarios,
	...people_scenarios,
	...secret_scenarios,
	...server_page_scenarios,
	...grant_scenarios,
	...own_scenarios,
	...policy_scenarios,
	...alerts_scenarios,
	...evidence_scenarios,
	...safety_scenarios,
	{ operation: "getOpenApi", path: "/api/openapi.json", status: 200, calls: [] },
	{ operation: "getStatus", path: "/api/status", status: 200, calls: ["status()"] },
	{ operation: "listServers", path: "/api/servers", status: 200, calls: ["servers()"] },
	{ operation: "getServer", path: "/api/servers/time", status: 200, calls: ["server(time)"] },
	{ operation: "getServer", path: "/api/servers/no", status: 404, calls: ["server(no)"] },
	{
		operation: "addServer",
		path: "/api/servers",
		body: add_body,
		status: 201,
		calls: [`addServer(${add_body})`],
	},
	{
		operation: "addServer",
		path: "/api/servers",
		body: add_secret,
		status: 201,
		calls: [`addServer(${add_secret})`],
	},
	{
		operation: "addServer",
		path: "/api/servers",
		body: add_taken,
		status: 409,
		calls: [`addServer(${add_taken})`],
	},
	{
		operation: "removeServer",
		path: "/api/servers/time",
		status: 200,
		calls: ["removeServer(time)"],
	},
	{ operation: "removeServer", path: "/api/servers/no", status: 404, calls: ["removeServer(no)"] },
	{
		operation: "restartServer",
		path: "/api/servers/time/restart",
		status: 200,
		calls: ["restartServer(time)"],
	},
	{
		operation: "getLogs",
		path: "/api/servers/time/logs?tail=5",
		status: 200,
		calls: ["logs(time, 5)"],
	},
	{ operation: "getLogs", path: "/api/servers/no/logs", status: 404, calls: ["logs(no, 100)"] },
	{ operation: "getLogs", path: "/api/servers/time/logs?tail=-1", status: 400, calls: [] },
	{ operation: "getLogs", path: "/api/servers/time/logs?tail=1001", status: 400, calls: [] },
	{
		operation: "listTools",
		path: "/api/servers/time/tools",
		status: 200,
		calls: ["items(time, tools, LOOK)"],
	},
	{
		operation: "listResources",
		path: "/api/servers/time/resources",
		status: 200,
		calls: ["items(time, resources, LOOK)"],
	},
	{
		operation: "listPrompts",
		path: "/api/servers/time/prompts",
		status: 200,
		calls: ["items(time, prompts, LOOK)"],
	},
	{
		operation: "callTool",
		path: "/api/servers/time/tools/now/call",
		body: '{"n":12345678901234567890,"f":1.0}',
		status: 200,
		calls: ['callTool(time, now, {"n":12345678901234567890,"f":1.0})'],
	},
	{
		operation: "callTool",
		path: "/api/servers/time/tools/a%2Fb%20c/call",
		status: 200,
		calls: ["callTool(time, a/b c, {})"],
	},
	{
		operation: "callTool",
		path: "/api/servers/no/tools/now/call",
		body: "{}",
		status: 404,
		calls: ["callTool(no, now, {})"],
	},
	{
		operation: "getServerDetails",
		path: "/api/servers/time/details",
		status: 200,
		calls: ["details(time)"],
	},
	{
		operation: "getServerDetails",
		path: "/api/servers/no/details",
		status: 404,
		calls: ["details(no)"],
	},
	{ operation: "listEndpoints", path: "/api/endpoints", status: 200, calls: ["status()"] },
	{ operation: "reload", path: "/api/reload", status: 200, calls: ["reload()"] },
	{
		operation: "listVersions",
		path: "/api/servers/time/versions",
		status: 200,
		calls: ["versions(time)"],
	},
	{
		operation: "listVersions",
		path: "/api/servers/no/versions",
		status: 404,
		calls: ["versions(no)"],
	},
	{
		operation: "deployServer",
		path: "/api/servers/time/deploy",
		body: '{"hold":true,"percent":10}',
		status: 200,
		calls: ['deploy(time, {"hold":true,"percent":10})'],
	},
	{
		operation: "deployServer",
		path: "/api/servers/time/deploy",
		body: '{"percent":0}',
		status: 400,
		calls: [],
	},
	{
		operation: "deployServer",
		path: "/api/servers/no/deploy",
		body: "{}",
		status: 404,
		calls: ["deploy(no, {})"],
	},
	{
		operation: "rollbackServer",
		path: "/api/servers/time/rollback",
		body: '{"version":3}',
		status: 200,
		calls: ["rollback(time, 3)"],
	},
	{
		operation: "rollbackServer",
		path: "/api/servers/time/rollback",
		body: '{"version":"three"}',
		status: 400,
		calls: [],
	},
	{
		operation: "rollbackServer",
		path: "/api/servers/no/rollback",
		body: "{}",
		status: 404,
		calls: ["rollback(no, undefined)"],
	},
	{
		operation: "promoteServer",
		path: "/api/servers/time/promote",
		status: 200,
		calls: ["promote(time)"],
	},
	{
		operation: "promoteServer",
		path: "/api/servers/no/promote",
		status: 404,
		calls: ["promote(no)"],
	},
	{
		operation: "forkServer",
		path: "/api/servers/time/fork",
		body: '{"name":"copy"}',
		status: 201,
		calls: ["fork(time, copy)"],
	},
	{
		operation: "forkServer",
		path: "/api/servers/time/fork",
		body: '{"name":5}',
		status: 400,
		calls: [],
	},
	{
		operation: "forkServer",
		path: "/api/servers/no/fork",
		body: "{}",
		status: 404,
		calls: ["fork(no, undefined)"],
	},
	{
		operation: "getPlan",
		path: "/api/plan",
		status: 200,
		calls: ["plan()"],
	},
	{
		operation: "createBackup",
		path: "/api/backup",
		body: '{"path":"/backups/monday"}',
		status: 201,
		calls: ["createBackup(/backups/monday)"],
	},
	{
		operation: "createBackup",
		path: "/api/backup",
		body: '{"path":"/taken"}',
		status: 409,
		calls: ["createBackup(/taken)"],
	},
	{
		operation: "createBackup",
		path: "/api/backup",
		body: '{"path":""}',
		status: 400,
		calls: [],
	},
	{ operation: "getDoctor", path: "/api/doctor", status: 200, calls: ["doctor(LOOK)"] },
];

function requestOf(scenario: AdminScenario, authorization: string | undefined): RequestInit {
	return {
		method: operations[scenario.operation].method,
		headers: {
			...(authorization === undefined ? {} : { authorization }),
			...(scenario.body === undefined ? {} : { "content-type": "application/json" }),
			...scenario.headers,
		},
		...(scenario.body === undefined ? {} : { body: scenario.body }),
	};
}

test("every operation of the contract is in the scenario table", () => {
	const covered = new Set(scenarios.map((scenario) => scenario.operation));
	assert.deepEqual([...covered].toSorted(), Object.keys(operations).toSorted());
});

const refused = [
	["no token", undefined, 'Bearer realm="moorage"'],
	["a wrong token", `Bearer ${token.slice(0, -1)}x`, 'error="invalid_token"'],
	["a longer token", `Bearer ${token}x`, 'error="invalid_token"'],
	["an empty token", "Bearer ", 'error="invalid_token"'],
	["another scheme", `Basic ${Buffer.from(`admin:${token}`).toString("base64")}`, "Bearer"],
	["two tokens", `Bearer ${token} ${token}`, "Bearer"],
] as const;

for (const scenario of scenarios) {
	const { method } = operations[scenario.operation];
	const title = `${method} ${scenario.path}`;

	const { open, roles }: Operation = operations[scenario.operation];
	for (const [what, authorization, challenge] of open === true ? [] : refused) {
		test(`${title} with ${what} is refused and nothing happens`, async () => {
			const { app, backend } = createScene();
			const response = await app.request(scenario.path, requestOf(scenario, authorization));
			assert.equal(response.status, 401);
			assert.equal(response.headers.get("content-type"), "application/problem+json");
			assert.equal(response.headers.get("cache-control"), "no-store");
			assert.ok(response.headers.get("www-authenticate")?.includes(challenge));
			assert.equal(problem_schema.parse(await response.json()).code, "unauthorized");
			assert.deepEqual(backend.calls, []);
		});
	}

	test(`${title} with the token answers ${scenario.status} and does only that`, async () => {
		await answersAndDoesOnlyThat(scenario, token, "admin");
	});

	for (const role of ["none", ...admin_roles]) {
		const who = `acme/${role}`;
		const may = role === "admin" || roles.some((one) => one === role || one === "member");
		const rest = may ? `answers ${scenario.status}` : "is refused and nothing happens";
		test(`${title} of somebody whose role is ${role} ${rest}`, async () => {
			if (may || open === true) return answersAndDoesOnlyThat(scenario, `key-${role}`, who);
			const { app, backend } = createScene();
			const request = requestOf(scenario, `Bearer key-${role}`);
			const response = await app.request(scenario.path, request);
			assert.equal(response.status, 403);
			assert.equal(problem_schema.parse(await response.json()).code, "forbidden");
			assert.deepEqual(backend.calls, []);
		});
	}
}

async function answersAndDoesOnlyThat(
	scenario: AdminScenario,
	credential: string,
	who: string,
): Promise<void> {
	const { app, backend, defects } = createScene();
	const request = requestOf(scenario, `Bearer ${credential}`);
	const response = await app.request(scenario.path, request);
	assert.equal(response.status, scenario.status);
	assert.equal(response.headers.get("cache-control"), "no-store");
	assert.equal(response.headers.get("access-control-allow-origin"), null);
	// Whoever is no admin makes nothing start by looking.
	const look = who.endsWith("admin") ? "may start" : "as known";
	const calls = scenario.calls.map((call) => call.replace("WHO", who).replace("LOOK", look));
	assert.deepEqual(backend.calls, calls);
	assert.deepEqual(defects, []);
	const operation: Operation = operations[scenario.operation];
	if (response.headers.get("content-type") === "text/event-stream") {
		assert.equal(operation.streams, true);
		await response.body?.cancel();
		return;
	}
	const body: unknown = await response.json();
	if (response.status >= 400) {
		assert.equal(response.headers.get("content-type"), "application/problem+json");
		assert.equal(problem_schema.parse(body).status, response.status);
		assert.ok([401, ...operation.problems].includes(response.status));
	} else {
		assert.equal(response.headers.get("content-type"), "application/json");
		assert.equal(response.status, operation.reply_status);
		operation.reply?.parse(body);
	}
}

const authorized = { authorization: `Bearer ${token}` };

test("the shape of the API is told only to those who have the token", async () => {
	const { app } = createScene();
	for (const path of ["/api/nothing", "/api", "/api/status/x"]) {
		assert.equal((await app.request(path)).status, 401);
		assert.equal((await app.request(path, { headers: authorized })).status, 404);
	}
	assert.equal((await app.request("/api/status", { method: "OPTIONS" })).status, 401);
});

test("a method that an address does not answer to is refused with those it does", async () => {
	const { app, backend } = createScene();
	const response = await app.request("/api/servers/time", { method: "PUT", headers: authorized });
	assert.equal(response.status, 405);
	assert.equal(response.headers.get("allow"), "GET, DELETE");
	assert.deepEqual(backend.calls, []);
});

test("a scheme in another case and spaces around the token are accepted", async () => {
	const { app } = createScene();
	const headers = { authorization: `bEARER  ${token} ` };
	assert.equal((await app.request("/api/status", { headers })).status, 200);
});

test("raw JSON of items and results comes through byte for byte", async () => {
	const { app } = createScene();
	const headers = { ...authorized, "content-type": "application/json" };
	const tools = await app.request("/api/servers/time/tools", { headers });
	assert.equal(
		await tools.text(),
		'{"server":"time","fetched_at_ms":1000,' +
			'"tools":[{"name":"now","inputSchema":{"type":"object"},"x":1.0}]}\n',
	);
	const path = "/api/servers/time/tools/now/call";
	const result = await app.request(path, { method: "POST", headers, body: "{}" });
	assert.ok((await result.text()).includes('"big":12345678901234567890'));
});

const bad_bodies = [
	["JSON that is not an object", "[1]", "application/json", 400, "invalid_request"],
	["null", "null", "application/json", 400, "invalid_request"],
	["text that is not JSON", "{", "application/json", 400, "invalid_json"],
	["invalid UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "application/json", 400, "invalid_json"],
	["a form", "a=1", "application/x-www-form-urlencoded", 415, "content_type"],
	["JSON of another kind", "{}", "application/jsonx", 415, "content_type"],
	[
		"a body over the limit",
		`{"a":"${"x".repeat(2000)}"}`,
		"application/json",
		413,
		"body_too_large",
	],
] as const;

for (const [what, body, type, status, code] of bad_bodies) {
	test(`a tool call with ${what} is refused and not made`, async () => {
		const { app, backend } = createScene();
		const response = await app.request("/api/servers/time/tools/now/call", {
			method: "POST",
			headers: { ...authorized, "content-type": type },
			body,
		});
		assert.equal(response.status, status);
		assert.equal(problem_schema.parse(await response.json()).code, code);
		assert.deepEqual(backend.calls, []);
	});
}

test("a body without a declared length is stopped at the limit", async () => {
	const { app, backend } = createScene();
	let chunks_read = 0;
	const body = new ReadableStream({
		pull(controller) {
			chunks_read += 1;
			controller.enqueue(new Uint8Array(600).fill(0x20));
		},
	});
	const response = await app.request("/api/servers/time/tools/now/call", {
		method: "POST",
		headers: { ...authorized, "content-type": "application/json" },
		body,
		duplex: "half",
	});
	assert.equal(response.status, 413);
	assert.ok(chunks_read < 5);
	assert.deepEqual(backend.calls, []);
});

const bad_entries: readonly unknown[] = [
	{},
	{ name: "b" },
	{ name: "", entry: { command: "x" } },
	{ name: "b", entry: {} },
	{ name: "b", entry: { command: "" } },
	{ name: "b", entry: { command: "x", url: "https://example.com" } },
	{ name: "b", entry: { command: "x", shell: true } },
	{ name: "b", entry: { command: ["x"] } },
	{ name: "b", entry: { url: "file:///etc/passwd" } },
	{ name: "b", entry: { command: "x" }, start: "eager" },
	{ name: "b", entry: { command: "x", env: { A: 1 } } },
];

test("an entry of the wrong shape is refused before the backend sees it", async () => {
	for (const entry of bad_entries) {
		const { app, backend } = createScene();
		const response = await app.request("/api/servers", {
			method: "POST",
			headers: { ...authorized, "content-type": "application/json" },
			body: JSON.stringify(entry),
		});
		assert.equal(response.status, 400, JSON.stringify(entry));
		assert.equal(problem_schema.parse(await response.json()).code, "invalid_request");
		assert.deepEqual(backend.calls, []);
	}
});

test("a fault of the data path becomes a problem with its id and a remedy", async () => {
	const { app, backend } = createScene();
	const fault = {
		code: "call_timeout",
		message: 'The server "time" did not answer within 60 s.',
		level: "warn",
		id: "abc",
		server: "time",
		retry_safe: false,
	} as const;
	backend.tool_reply = fail(problemOfFault(fault));
	const response = await app.request("/api/servers/time/tools/now/call", {
		method: "POST",
		headers: authorized,
	});
	assert.equal(response.status, 504);
	const problem = problem_schema.parse(await response.json());
	assert.equal(problem.type, "tag:moorage.dev,2026:problem/call_timeout");
	assert.equal(problem.detail, fault.message);
	assert.equal(problem.error_id, "abc");
	assert.ok(problem.next.length > 0);
});

test("a server's invalid-params error is the caller's mistake, other errors are its own", async () => {
	for (const [rpc_code, status] of [
		[-32602, 400],
		[-32603, 502],
	] as const) {
		const { app, backend } = createScene();
		backend.tool_reply = fail({ code: "rpc_error", message: "No.", next: "Look.", rpc_code });
		const path = "/api/servers/time/tools/now/call";
		const response = await app.request(path, { method: "POST", headers: authorized });
		assert.equal(response.status, status);
		assert.equal(((await response.json()) as { rpc_code: number }).rpc_code, rpc_code);
	}
});

test("a defect answers 500 with an id that is reported too, and no detail", async () => {
	const { app, backend, defects } = createScene();
	backend.reload_throws = true;
	const response = await app.request("/api/reload", { method: "POST", headers: authorized });
	assert.equal(response.status, 500);
	const text = await response.text();
	assert.ok(!text.includes("a defect"));
	assert.equal(defects.length, 1);
	assert.equal(problem_schema.parse(JSON.parse(text)).error_id, defects[0]?.[1]);
});

test("what an administrator changes is written down with who did it and how it ended", async () => {
	const { app, backend } = createScene();
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	await app.request("/api/servers", { method: "POST", headers, body: add_body });
	await app.request("/api/servers/no", { method: "DELETE", headers });
	await app.request("/api/servers", { headers });
	backend.reload_throws = true;
	await app.request("/api/reload", { method: "POST", headers });
	assert.deepEqual(backend.evidence.actions, [
		"admin addServer() 201",
		"admin removeServer(no) 404",
		"admin reload() 500",
	]);
});

test("what cannot be written down first is not done", async () => {
	const { app, backend } = createScene();
	backend.evidence.refuses = true;
	const headers = { authorization: `Bearer ${token}` };
	const refused = await app.request("/api/servers/time/restart", { method: "POST", headers });
	assert.equal(refused.status, 503);
	assert.deepEqual(backend.calls, []);
	assert.equal((await app.request("/api/servers", { headers })).status, 200);
});
