import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as fc from "fast-check";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { default_secrets } from "./compile-secrets.ts";
import { default_audit, default_calls } from "./evidence-plan.ts";
import { type LoadOptions, loadPlan } from "./load.ts";
import type { Plan } from "./plan.ts";
import { default_policy } from "./policy-plan.ts";
import { formatProblem } from "./problem.ts";
import { declared_running } from "./running.ts";

function load(cwd: string, more: Partial<LoadOptions> = {}): ReturnType<typeof loadPlan> {
	return loadPlan({
		path: undefined,
		cwd,
		environment: {},
		home: "/home/someone",
		overrides: {},
		...more,
	});
}

async function planOf(
	context: TestContext,
	text: string,
	more: Partial<LoadOptions> = {},
): Promise<Plan> {
	const cwd = await tempFolder(context, { "moorage.yaml": text });
	const loaded = await load(cwd, more);
	assert.ok(loaded.ok, loaded.ok ? "" : loaded.problem.map(formatProblem).join("\n"));
	return loaded.value;
}

async function problemsOf(cwd: string, more: Partial<LoadOptions> = {}): Promise<string> {
	const loaded = await load(cwd, more);
	assert.ok(!loaded.ok);
	return loaded.problem.map(formatProblem).join("\n");
}

test("a configuration that says nothing has every default", async (context) => {
	const plan = await planOf(context, "servers: { one: { command: run } }\n");
	const folder = plan.servers[0]?.spec.driver === "stdio" ? plan.servers[0].spec.cwd : "";
	const { fingerprint, ...server } = plan.servers[0] as Plan["servers"][number];
	assert.match(fingerprint, /^[0-9a-f]{64}$/);
	assert.deepEqual(server, {
		name: "one",
		title: "one",
		spec: { driver: "stdio", command: "run", args: [], env: {}, cwd: folder },
		scope: "shared",
		start: "eager",
		tools: { allow: [], deny: [] },
		timeouts: { start_ms: 60_000, call_ms: 300_000, stop_ms: 3_000 },
		...declared_running,
	});
	const { servers: _, ...rest } = plan;
	assert.deepEqual(rest, {
		source: { path: join(folder, "moorage.yaml"), format: "moorage" },
		listen: { host: "127.0.0.1", port: 8642 },
		data: join(folder, ".moorage"),
		allowed_origins: ["http://localhost", "http://127.0.0.1", "http://[::1]"],
		allowed_hosts: ["localhost", "127.0.0.1", "[::1]"],
		sse: true,
		identity: undefined,
		front: { public_url: undefined, trusted_proxies: [], tls: undefined },
		endpoints: [],
		limits: {
			body_bytes_max: 4_194_304,
			header_bytes_max: 16_384,
			reply_bytes_max: 33_554_432,
			requests_in_flight_max: 1024,
			sessions_max: 10_000,
			calls_per_server_max: 256,
			list_wait_ms: 10_000,
			request_read_ms: 30_000,
		},
		policy: default_policy,
		calls: default_calls,
		audit: default_audit,
		held: new Map(),
		secrets: default_secrets,
		warnings: [],
	});
});

test("a plan is frozen through and through", async (context) => {
	const plan = await planOf(context, "servers: { one: { command: run a, env: { A: b } } }\n");
	const unfrozen: string[] = [];
	const visit = (value: unknown, path: string) => {
		if (typeof value !== "object" || value === null) return;
		if (!Object.isFrozen(value)) unfrozen.push(path);
		for (const [key, member] of Object.entries(value)) visit(member, `${path}.${key}`);
	};
	visit(plan, "plan");
	assert.deepEqual(unfrozen, []);
});

test("a plan of nothing found is frozen too", async (context) => {
	const loaded = await load(await tempFolder(context));
	assert.ok(loaded.ok && Object.isFrozen(loaded.value) && Object.isFrozen(loaded.value.warnings));
	assert.equal(loaded.value.source.path, undefined);
});

test("the fingerprint follows what makes a server run, and nothing else", async (context) => {
	const prints = async (text: string, environment: Record<string, string> = {}) => {
		const cwd = await tempFolder(context, { "moorage.yaml": text });
		const loaded = await load(cwd, { environment });
		assert.ok(loaded.ok);
		return loaded.value.servers.map((server) => server.fingerprint);
	};
	// An absolute folder, because a relative one is another folder in every test.
	const one = "one: { command: run x, cwd: /tmp, env: { A: 1, B: 2 } }";
	const [base] = await prints(`servers: { ${one} }`);
	assert.deepEqual(await prints(`servers: { ${one} }`), [base]);
	assert.deepEqual(await prints(`# c\nlisten: 127.0.0.1:1\nservers: { ${one} }`), [base]);
	const reordered = "one: { env: { B: 2, A: 1 }, cwd: /tmp/, command: [run, x] }";
	assert.deepEqual(await prints(`servers: { ${reordered} }`), [base]);
	const [, second] = await prints(`servers: { zero: { command: z }, ${one} }`);
	assert.equal(second, base);
	for (const other of [
		"one: { command: run y, cwd: /tmp, env: { A: 1, B: 2 } }",
		"one: { command: run x, cwd: /, env: { A: 1, B: 2 } }",
		"one: { command: run x, cwd: /tmp, env: { A: 1, B: 3 } }",
		"one: { command: run x, cwd: /tmp, env: { A: 1, B: 2 }, start: on-demand }",
		"one: { command: run x, cwd: /tmp, env: { A: 1, B: 2 }, scope: session }",
		"one: { command: run x, cwd: /tmp, env: { A: 1, B: 2 }, timeouts: { call: 1s } }",
		"one: { command: run x, cwd: /tmp, env: { A: 1, B: 2 }, tools: [a] }",
	]) {
		assert.notDeepEqual(await prints(`servers: { ${other} }`), [base], other);
	}
	const referring = 'servers: { one: { command: run, env: { A: "${env:V}" } } }';
	assert.notDeepEqual(await prints(referring, { V: "1" }), await prints(referring, { V: "2" }));
});

test("the files of a folder are found in the documented order", async (context) => {
	const order = [
		"moorage.yaml",
		"moorage.yml",
		"moorage.json",
		"mcp.json",
		".mcp.json",
		".cursor/mcp.json",
		".vscode/mcp.json",
	];
	for (const [index, name] of order.entries()) {
		const texts = order.slice(index).map((later) => {
			const text = later.startsWith("moorage") ? "{}" : '{"mcpServers":{}}';
			return [later, text];
		});
		const cwd = await tempFolder(context, Object.fromEntries(texts));
		const loaded = await load(cwd);
		assert.ok(loaded.ok);
		assert.equal(loaded.value.source.path, join(cwd, name));
	}
});

test("a file that is too large is refused before it is parsed", async (context) => {
	const cwd = await tempFolder(context, { "moorage.yaml": Buffer.alloc(4 * 1024 ** 2 + 1, "#") });
	assert.match(await problemsOf(cwd), /^moorage\.yaml: .* is larger than 4194304 bytes\./);
});

test("a file that is not UTF-8 is refused", async (context) => {
	const cwd = await tempFolder(context, { "mcp.json": Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) });
	assert.match(await problemsOf(cwd), /^mcp\.json: .* is not UTF-8 text\./);
});

test("a path through a file is refused", async (context) => {
	const cwd = await tempFolder(context, { file: "x" });
	assert.match(await problemsOf(cwd, { path: "file/moorage.yaml" }), /does not exist/);
});

test("a file that is there but cannot be read is refused, not passed over", async (context) => {
	const cwd = await tempFolder(context, { "mcp.json": '{"mcpServers":{}}' });
	await symlink("moorage.yaml", join(cwd, "moorage.yaml"));
	assert.match(await problemsOf(cwd), /^moorage\.yaml: .* is a link that leads nowhere\./);
});

test("a file outside the working directory is shown with its whole path", async (context) => {
	const cwd = await tempFolder(context);
	const other = await tempFolder(context, { "moorage.yaml": "what: 1\n" });
	assert.match(await problemsOf(cwd, { path: other }), new RegExp(`^${other}/moorage.yaml:1:1: `));
});

test("bottomless nesting is refused in either syntax", async (context) => {
	const deep = "[".repeat(500_000);
	for (const [name, text] of [
		["moorage.yaml", `servers: ${deep}`],
		["mcp.json", deep],
		["mcp.json", `{"mcpServers":${"[".repeat(100)}${"]".repeat(100)}}`],
		["moorage.yaml", `servers: ${"[".repeat(100)}${"]".repeat(100)}`],
	] as const) {
		const cwd = await tempFolder(context, { [name]: text });
		assert.match(await problemsOf(cwd), /nested too deeply|not valid|missing/);
	}
});

test("a text that grows too long by its references is refused", async (context) => {
	const cwd = await tempFolder(context, {
		"mcp.json": '{"mcpServers":{"a":{"command":"run","args":["$V$V"]}}}',
	});
	const environment = { V: "x".repeat(70_000) };
	assert.match(await problemsOf(cwd, { environment }), /mcp\.json:1:45: .* longer than 131072/);
});

test("a command that is empty once its reference is replaced is refused", async (context) => {
	const cwd = await tempFolder(context, { "mcp.json": '{"mcpServers":{"a":{"command":"$V"}}}' });
	assert.match(await problemsOf(cwd, { environment: { V: "" } }), /1:31: .*is empty once/);
});

test("values of the environment and answers never appear in problems or warnings", async (context) => {
	const secret = "s3cret-value-nobody-may-see";
	const text = JSON.stringify({
		inputs: [{ type: "promptString", id: "q" }],
		servers: {
			url: { url: "$SECRET" },
			header: { url: "https://example.com", headers: { A: "$SECRET\u0001" } },
			two: { url: "https://user:${input:q}@example.com", headers: { Host: "$SECRET" } },
			env: { command: "run", envFile: "./${SECRET}/x", args: ["$UNSET$SECRET", "${x:$SECRET}"] },
			cwd: { command: "run", cwd: "./$SECRET" },
		},
	});
	const cwd = await tempFolder(context, { "mcp.json": text });
	const environment = { SECRET: secret };
	const ask = () => Promise.resolve(secret);
	const problems = await problemsOf(cwd, { environment, ask });
	assert.equal(problems.split("\n").length, 6, problems);
	assert.ok(!problems.includes(secret), problems);
});

test("no file of any text makes loading throw", async (context) => {
	const cwd = await tempFolder(context);
	const pieces = fc.constantFrom(
		"servers:",
		"mcpServers",
		"\n",
		"  ",
		"a",
		": ",
		"{",
		"}",
		"[",
		"]",
		'"',
		"'",
		",",
		"command",
		"url",
		"${X}",
		"!!str ",
		"&a ",
		"*a",
		"|",
		">",
		"- ",
		"#",
		"null",
		"1",
		"//",
		"/*",
		"\t",
		"\u0000",
		"<<",
		"? ",
	);
	const files = ["moorage.yaml", "mcp.json"];
	await fc.assert(
		fc.asyncProperty(fc.array(pieces, { maxLength: 40 }), async (parts) => {
			for (const path of files) {
				await writeFile(join(cwd, path), parts.join(""));
				const loaded = await load(cwd, { path });
				if (loaded.ok) continue;
				assert.ok(loaded.problem.length > 0);
				for (const problem of loaded.problem) {
					assert.match(problem.message, /[.]$/);
					assert.match(problem.next, /[.?]$|`$/);
				}
			}
		}),
		{ numRuns: 150 },
	);
});

test("the quickstart's configuration loads without a warning", async () => {
	const cwd = join(import.meta.dirname, "..", "..", "examples", "quickstart");
	const loaded = await load(cwd);
	assert.ok(loaded.ok);
	const { servers, warnings, data } = loaded.value;
	assert.deepEqual(warnings, []);
	assert.equal(data, join(cwd, ".moorage"));
	assert.deepEqual(
		servers.map((server) => server.name),
		["everything", "filesystem", "memory", "time"],
	);
	for (const { spec } of servers) assert.equal(spec.driver === "stdio" && spec.cwd, cwd);
});
