import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { type Operation, type OperationId, operations } from "../../src/admin/operations.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { stdioFixture } from "../support/gateway.ts";
import { startTraced } from "../support/traced-gateway.ts";
import { program_calls, tracingObstacle } from "../support/traced-network.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * Nothing that somebody without the role `admin` sends makes a program start that the configuration
 * does not have: every `execve` of the gateway, and of all that it has started, is looked at.
 */

const skip = tracingObstacle();
/** Stands in every command that is sent; no program that is started has it. */
const mark = "started-by-a-caller";

const roles = ["nobody", "member", "approver", "auditor", "operator"] as const;
type Role = (typeof roles)[number];

/** A command in every way in which one can be sent. */
const entry = { command: "/bin/sh", args: ["-c", `echo ${mark}`], env: { MARK: mark } };
const yaml = JSON.stringify({ version: 1, servers: { other: entry } });

/** What is posted where a body of the right form has a command, or a name, in it. */
const bodies: Readonly<Record<string, unknown>> = {
	addServer: { name: "other", entry },
	previewConfig: { text: yaml },
	replaceConfig: { text: yaml },
	proposeServers: { text: `npx ${mark}` },
	deployServer: { plan: true, update: true },
	forkServer: { name: mark },
	callTool: { command: entry.command, args: entry.args },
	testPolicy: { server: "lazy", tool: "echo", args: entry },
	play: { server: "lazy", method: "tools/call", params: { name: mark, arguments: entry } },
	createBackup: { path: `/tmp/$(${mark})` },
	setSecret: { value: `$(${mark})` },
};

/**
 * What is there to run servers that the configuration has, for those who may: calls, which wake
 * their server, and the ways to start one again.
 */
const runs: ReadonlySet<string> = new Set([
	"play",
	"frameApp",
	"callTool",
	"wakeServer",
	"restartServer",
	"rollbackServer",
	"promoteServer",
]);

/** What an admin finds out by starting something, and others are told once it is known. */
const looks: ReadonlySet<string> = new Set([
	"listTools",
	"listResources",
	"listPrompts",
	"getDoctor",
]);

function started(trace: string): string[] {
	return trace.split("\n").filter((line) => /execve(at)?\(.* = 0$/.test(line));
}

/** Whoever is known is a member. */
function mayUse(role: Role, { roles: those }: Operation): boolean {
	if (role === "nobody") return false;
	return those.includes(role) || those.includes("member");
}

async function scene(t: TestContext) {
	const keys = new Map<Role, string>();
	for (const role of roles) if (role !== "nobody") keys.set(role, newApiKey(systemRandom));
	const listed = [...keys].map(([role, key]) => ({
		name: role,
		hash: `sha256:${hashApiKey(key)}`,
		tenant: "acme",
		user: role,
		roles: role === "member" ? [] : [role],
	}));
	const gateway = await startTraced(
		t,
		"moorage.yaml",
		{
			version: 1,
			identity: { keys: listed, login: { accounts: true, registration: true } },
			servers: { lazy: { ...stdioFixture("echo"), start: "on-demand", sandbox: "off" } },
		},
		program_calls,
	);
	/** The credential of a role, as a header. */
	const headersOf = (role: Role): Record<string, string> => {
		const key = keys.get(role);
		return {
			"content-type": "application/json",
			...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
		};
	};
	const send = async (role: Role, id: string, { method, path }: Operation) => {
		const target = path.replace("{name}", "lazy").replace(/\{\w+\}/g, mark);
		const body = method === "GET" ? undefined : JSON.stringify(bodies[id] ?? entry);
		const answer = await fetch(new URL(target, gateway.report.url), {
			method,
			headers: headersOf(role),
			...(body === undefined ? {} : { body }),
			signal: AbortSignal.timeout(60_000),
		});
		// A stream of news has no end: that it was opened is enough.
		await answer.body?.cancel();
		return answer.status;
	};
	return { gateway, headersOf, send };
}

test("nobody but an admin can make a program start", { skip }, async (t) => {
	const { gateway, headersOf, send } = await scene(t);
	const before = started(await gateway.trace());
	assert.ok(before.length > 0, "the gateway itself was started");
	const since = async () => started(await gateway.trace()).slice(before.length);
	for (const role of roles) {
		await t.test(`${role}: no program at all, whatever is read or tried out`, async () => {
			for (const [id, operation] of Object.entries<Operation>(operations)) {
				const may = operation.open === true || mayUse(role, operation);
				if (may && runs.has(id)) continue;
				const status = await send(role, id, operation);
				assert.notEqual(status, 500, id);
				if (!may) assert.ok([401, 403, 404].includes(status), `${id} ${status}`);
				if (may && looks.has(id)) assert.equal(status, 409, `${id}: nothing is known yet`);
			}
			assert.deepEqual(await since(), []);
		});
	}
	await t.test("a client: no program but the server's own, whatever it sends", async () => {
		const wire = new ModernWire(new URL("/lazy/mcp", gateway.report.url));
		for (const params of [
			`{"name":"${mark}","arguments":${JSON.stringify(entry)}}`,
			`{"name":"echo","arguments":${JSON.stringify({ text: `$(${mark})` })}}`,
		]) {
			await wire.send({ method: "tools/call", params, headers: headersOf("member") });
		}
	});
	await t.test("operator: no program but the server's own, whatever is to run", async () => {
		for (const id of runs) {
			const operation: Operation = operations[id as OperationId];
			assert.notEqual(await send("operator", id, operation), 500, id);
		}
		assert.equal(await send("operator", "listTools", operations.listTools), 200, "it is known now");
	});
	const trace = await gateway.stop();
	assert.deepEqual(
		started(trace).filter((line) => line.includes(mark)),
		[],
	);
	// What did start is in the trace: the server of the configuration, once it was called.
	assert.ok(started(trace).some((line) => line.includes("echo.mjs")));
});

test("an admin's command is seen by the tracer", { skip }, async (t) => {
	const { gateway } = await scene(t);
	const token = (await readFile(gateway.report.admin_token_path, "utf8")).trim();
	const added = await fetch(new URL("/api/servers", gateway.report.url), {
		method: "POST",
		headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
		body: JSON.stringify({ name: "other", entry }),
	});
	assert.equal(added.status, 201, await added.text());
	const seen = async (): Promise<void> => {
		while (!started(await gateway.trace()).some((line) => line.includes(mark))) {
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	await seen();
	await gateway.stop();
});
