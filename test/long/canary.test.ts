import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Operation, operations } from "../../src/admin/operations.ts";
import { type SinkName, sinks } from "../../src/telemetry/sinks.ts";
import {
	startAuthorizationServer,
	type TestAuthorizationServer,
} from "../support/authorization-server.ts";
import { stdioFixture } from "../support/gateway.ts";
import { type LineProcess, startLineProcess } from "../support/line-process.ts";
import { execCli, runCli } from "../support/run-cli.ts";
import { until } from "../support/until.ts";
import { startUp } from "../support/up-process.ts";
import { ModernWire, openLegacy } from "../support/wire-clients.ts";

/** Secrets with everything that has a form of its own somewhere; each is planted in its own way. */
const canaries = {
	vault: "cnry-vault/a+b=c d\"e'f\\g-ü-<&>`-71Kq",
	short: "zq9!Wx7",
	file: "cnry-file-9Xv2Lm04TpQsR8uY",
	environment: "cnry-env-Jk2Hg7Fd5Sa3Qw1E",
	/** What the authorization server of a remote server gives. */
	access: "cnry-access-Zx8Cv7Bn6Ma5Sd4Fg",
	refresh: "cnry-refresh-Ty3Ui2Op1As9Df8Gh",
	/** What a person got there, and what we are known by since we registered. */
	person_access: "cnry-personal-access-Qa1Zw2Sx3Ed4Cr5",
	person_refresh: "cnry-personal-refresh-Fv6Tg7Bh8Yn9Uj0",
	registration: "cnry-registration-Mi1Ko2Lp3Oj4Nh5",
	key: `-----BEGIN PRIVATE KEY-----\n${"CnRyKeYLiNe0".repeat(5)}\n${"QwErTyUiOp12".repeat(5)}\n-----END PRIVATE KEY-----`,
} as const;

/** What a canary may look like where it is written down. */
function formsOf(value: string): string[] {
	const bytes = Buffer.from(value);
	const middle = (text: string) => text.slice(4, -4);
	return [
		value,
		JSON.stringify(value).slice(1, -1),
		JSON.stringify(JSON.stringify(value)).slice(3, -3),
		// As Go and .NET write it.
		escaped(value, "<>&"),
		escaped(value, "<>&'\"+`").replace(/u00../g, (code) => `u${code.slice(1).toUpperCase()}`),
		encodeURIComponent(value),
		new URLSearchParams({ v: value }).toString().slice(2),
		bytes.toString("hex"),
		bytes.toString("hex").toUpperCase(),
		// Its ends depend on what stands around it.
		...[0, 1, 2].flatMap((before) => {
			const text = Buffer.concat([Buffer.alloc(before, "x"), bytes]).toString("base64");
			return [middle(text), middle(text).replaceAll("+", "-").replaceAll("/", "_")];
		}),
	].filter((form) => form.length >= 6);
}

function escaped(value: string, signs: string): string {
	const json = Array.from(value).map((sign) =>
		signs.includes(sign)
			? `\\u00${sign.charCodeAt(0).toString(16)}`
			: JSON.stringify(sign).slice(1, -1),
	);
	return json.join("");
}

const wanted = Object.entries(canaries).flatMap(([name, value]) => {
	const lines = value.split("\n").filter((line) => !line.startsWith("-----"));
	return [value, ...(lines.length > 1 ? lines : [])].flatMap((text) =>
		formsOf(text).map((form) => ({ name, form: Buffer.from(form) })),
	);
});

/** Every canary that stands in these bytes, and in which form. */
function found(where: string, bytes: Buffer): string[] {
	return wanted
		.filter(({ form }) => bytes.includes(form))
		.map(({ name, form }) => `${name} as ${form.toString().slice(0, 60)} in ${where}`);
}

function firstWord(text: string): string {
	return text.split(" ")[0] ?? "";
}

/** What stands in a folder, file by file, names included. */
async function filesIn(folder: string): Promise<[string, Buffer][]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile());
	return Promise.all(
		files.map(async (entry): Promise<[string, Buffer]> => {
			const path = join(entry.parentPath, entry.name);
			return [path, Buffer.concat([Buffer.from(path), await readFile(path)])];
		}),
	);
}

/** The rows of some tables, as they are kept. */
function tablesOf(path: string, names: readonly string[]): Buffer {
	const database = new DatabaseSync(path, { readOnly: true });
	const rows = names.flatMap((name) => database.prepare(`select * from ${name}`).all());
	database.close();
	return Buffer.from(JSON.stringify(rows));
}

/** What a receiver has been told; without what is its own to know. */
function saidTo(
	{ lines }: LineProcess,
	without: (line: Record<string, unknown>) => unknown = (line) => line,
): Buffer {
	return Buffer.from(lines.map((line) => JSON.stringify(without(line))).join("\n"));
}

/** A program that ends with a secret in its last words, behind a key that nobody knows. */
const dies = `
	const { privateKey } = require("node:crypto").generateKeyPairSync("ed25519");
	console.error(privateKey.export({ type: "pkcs8", format: "pem" }));
	console.error("cannot start with", process.env.VAULT_TOKEN);
	process.exitCode = 1;
`;
/** What every such key begins with, where the next line is all of it. */
const unknown_key = "MC4CAQAwBQYDK2VwBCIEI";

/** A remote server that wants a token, and is careless with it. */
async function startRemote(
	access_token: string,
	refresh_token: string,
): Promise<TestAuthorizationServer> {
	const granted = { access_token, refresh_token, token_type: "Bearer", expires_in: 3_600 };
	const server = await startAuthorizationServer({
		token: { status: 200, body: granted },
		registration: { client_secret: canaries.registration },
		mcp(request, response, body) {
			if (request.method !== "POST") return response.writeHead(405).end();
			const { id, method } = JSON.parse(body) as { id?: number; method: string };
			if (id === undefined) return response.writeHead(202).end();
			const results: Readonly<Record<string, object>> = {
				initialize: {
					protocolVersion: "2025-11-25",
					capabilities: { tools: {} },
					serverInfo: { name: "granted", version: "1" },
				},
				"tools/list": { tools: [{ name: "whoami", inputSchema: { type: "object" } }] },
			};
			// What it was asked with stands in its errors.
			const message = `no: ${request.headers.authorization} and ${refresh_token}`;
			const result = results[method];
			const outcome = result === undefined ? { error: { code: -32_000, message } } : { result };
			response.writeHead(200, { "content-type": "application/json" });
			return response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
		},
	});
	server.access_tokens.add(access_token);
	return server;
}

/** Reads a stream of news until it is told to stop: everything that came. */
function readEvents(url: URL, token: string) {
	const stop = new AbortController();
	const chunks: Buffer[] = [];
	const read = async () => {
		const headers = { authorization: `Bearer ${token}` };
		const answer = await fetch(url, { headers, signal: stop.signal });
		assert.equal(answer.status, 200, "the news are read");
		for await (const chunk of answer.body ?? []) chunks.push(Buffer.from(chunk));
	};
	const done = read().catch((error: unknown) => {
		if (!stop.signal.aborted) throw error;
	});
	return async () => {
		stop.abort();
		await done;
		return Buffer.concat(chunks);
	};
}

test("planted secrets are in clear text in no sink, and nowhere in the data folder", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-canary-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const data = join(folder, "data");
	await writeFile(join(folder, "canary-file"), `${canaries.file}\n`);
	const env = {
		SECRETS: "VAULT_TOKEN,SHORT_TOKEN,FILE_TOKEN,ENV_TOKEN,SIGNING_KEY",
		VAULT_TOKEN: "${secret:vault}",
		SHORT_TOKEN: "${secret:short}",
		FILE_TOKEN: `\${file:${join(folder, "canary-file")}}`,
		ENV_TOKEN: "${env:CANARY_TOKEN}",
		SIGNING_KEY: "${secret:key}",
	};
	const relay = await startLineProcess("hook-receiver");
	t.after(() => relay.stop());
	const hook = `http://127.0.0.1:${relay.port}/`;
	const [alarms, mails, collector] = await Promise.all([
		startLineProcess("hook-receiver"),
		startLineProcess("smtp-sink"),
		startLineProcess("otlp-collector"),
	]);
	const remote = await startRemote(canaries.access, canaries.refresh);
	const others = await startRemote(canaries.person_access, canaries.person_refresh);
	t.after(() => Promise.all([alarms, mails, collector].map((one) => one.stop())));
	t.after(() => Promise.all([remote.close(), others.close()]));
	const secret = "${env:CANARY_TOKEN}";
	const config = {
		version: 1,
		listen: "127.0.0.1:0",
		data,
		secrets: { redact_results: "on" },
		approvals: {
			wait: "0ms",
			webhooks: [{ name: "chat", url: hook, secret: "${env:CANARY_TOKEN}" }],
		},
		telemetry: {
			otlp: {
				url: `http://127.0.0.1:${collector.port}`,
				headers: { authorization: `Bearer ${secret}` },
				interval: "1s",
			},
		},
		alerts: {
			webhooks: [{ url: `http://127.0.0.1:${alarms.port}/`, secret }],
			email: [
				{ server: `smtp://127.0.0.1:${mails.port}`, from: "m@example.com", to: ["a@example.com"] },
			],
		},
		servers: {
			// It fails with a reason that its own last words are part of.
			dying: {
				command: process.execPath,
				args: ["-e", dies],
				env,
			},
			granted: {
				url: `${remote.issuer}/mcp`,
				auth: "oauth",
				oauth: { grant: "client_credentials", client_id: "us", client_secret: "${secret:short}" },
				start: "on-demand",
			},
			personal: { url: `${others.issuer}/mcp`, auth: "oauth", start: "on-demand" },
			leaky: { ...stdioFixture("secretive"), env },
			asking: { ...stdioFixture("secretive"), env, tools: { hold: { approval: "required" } } },
			broken: { command: "/no/such/program", env, start: "on-demand" },
			remote: {
				url: "http://127.0.0.1:9/mcp?key=${secret:short}",
				headers: { Authorization: "Bearer ${secret:vault}" },
				start: "on-demand",
			},
		},
	};
	await writeFile(join(folder, "moorage.yaml"), JSON.stringify(config));
	const printed: Buffer[] = [];
	const cli = async (...words: string[]) => {
		const outcome = await runCli(words, {
			cwd: folder,
			environment: { CANARY_TOKEN: canaries.environment },
		});
		printed.push(Buffer.from(`${words.join(" ")}\n${outcome.stdout}\n${outcome.stderr}`));
		return outcome;
	};
	for (const name of ["vault", "short", "key"] as const) {
		const world = { cwd: folder, environment: { CANARY_TOKEN: canaries.environment } };
		const stored = await runCli(["secret", "set", name], { ...world, input: canaries[name] });
		assert.equal(stored.code, 0, stored.stderr);
	}

	const environment = { CANARY_TOKEN: canaries.environment };
	const up = startUp(t, ["--json", "--log-level", "debug"], { cwd: folder, environment });
	const { url, admin_token_path } = await up.ready();
	const token = (await readFile(admin_token_path, "utf8")).trim();
	const replies: Buffer[] = [];
	const endEvents = readEvents(new URL("/api/events", url), token);
	const granted = new ModernWire(new URL("/granted/mcp", url));
	replies.push(Buffer.from(JSON.stringify(await granted.call("whoami"))));
	assert.ok(remote.requests("/token").length > 0, "the remote server is used with a token");
	const personal = new ModernWire(new URL("/personal/mcp", url));
	const asked = JSON.stringify(await personal.call("whoami"));
	const [, page = ""] = /open (http\S+), then/.exec(asked) ?? [];
	const led_back = await fetch(await others.authorize(new URL(page)));
	assert.equal(led_back.status, 200, await led_back.text());
	const isUsed = () =>
		others.requests("/mcp").some(({ authorization }) => authorization === canaries.person_access);
	await until(isUsed);
	replies.push(Buffer.from(JSON.stringify(await personal.call("whoami"))));
	const modern = new ModernWire(new URL("/leaky/mcp", url));
	const legacy = await openLegacy(new URL("/leaky/mcp", url));
	replies.push(Buffer.from(JSON.stringify(await modern.call(canaries.environment))));
	for (const wire of [modern, legacy]) {
		for (const tool of ["leak", "fail", "refuse", "crash", "leak"]) {
			replies.push(Buffer.from(JSON.stringify(await wire.call(tool))));
		}
		replies.push(Buffer.from(JSON.stringify(await wire.call("hold", '{"name":"VAULT_TOKEN"}'))));
		// What a caller sends may be a secret as well; it is in the audit.
		const argument = JSON.stringify({ name: "SHORT_TOKEN", note: canaries.vault });
		replies.push(Buffer.from(JSON.stringify(await wire.call("hold", argument))));
	}
	for (const server of ["broken", "remote"]) {
		const wire = new ModernWire(new URL(`/${server}/mcp`, url));
		replies.push(Buffer.from(JSON.stringify(await wire.ask({ method: "tools/list" }))));
	}
	const rotated = await runCli(["secret", "rotate", "vault"], {
		cwd: folder,
		input: `${canaries.vault}!`,
	});
	assert.equal(rotated.code, 0, rotated.stderr);
	await modern.call("leak");

	// What waits for people, and with what: to those who decide, an approval shows what would run.
	const asking = new ModernWire(new URL("/asking/mcp", url));
	const waiting = { name: canaries.key, note: canaries.vault };
	replies.push(Buffer.from(JSON.stringify(await asking.call("hold", JSON.stringify(waiting)))));
	const told = await relay.find<{ kind: string }>(({ kind }) => kind === "hook");
	assert.match(JSON.stringify(told), /redacted/);

	const answers: Buffer[] = [];
	const toDeciders: Buffer[] = [];
	const read = async (path: string) => {
		const headers = { authorization: `Bearer ${token}` };
		const answer = await fetch(new URL(path, url), { headers });
		const body = Buffer.from(await answer.arrayBuffer());
		assert.equal(answer.status, 200, `${path}: ${body.toString().slice(0, 300)}`);
		return body;
	};
	/** The id of one of what a path lists. */
	const idOf = async (path: string, isWanted = (_one: Record<string, unknown>) => true) => {
		const listed: unknown = JSON.parse((await read(path)).toString());
		const lists = Object.values(listed as object).filter(Array.isArray);
		const found = (lists[0] as Record<string, unknown>[]).find(isWanted);
		assert.ok(found !== undefined, `${path} lists one`);
		return String(found["id"] ?? found["name"] ?? found["tenant"]);
	};
	const alerted = await cli("alerts", "test");
	assert.equal(alerted.code, 0, alerted.stderr);
	// Of what has really happened, not only of the test.
	const isOfServer = (text: unknown) => /dying/.test(String(text));
	await alarms.find<{ kind: string; body?: string }>(({ body }) => isOfServer(body));
	const call = await idOf("/api/calls", ({ server }) => server === "asking");
	const ids: Readonly<Record<string, string>> = {
		"/api/approvals/": await idOf("/api/approvals"),
		"/api/calls/": call,
		"/api/alerts/": await idOf("/api/alerts"),
		"/api/tenants/": await idOf("/api/tenants"),
		"/api/servers/": "leaky",
	};
	const reads = Object.values<Operation>(operations).filter(
		({ method, path }) =>
			method === "GET" && path !== "/api/events" && path !== "/api/openapi.json",
	);
	for (const { path } of reads) {
		const known = Object.keys(ids).find((beginning) => path.startsWith(beginning));
		const body = await read(path.replace(/\{\w+\}/, ids[known ?? ""] ?? "nobody"));
		if (path.startsWith("/api/approvals")) toDeciders.push(body);
		else answers.push(body);
	}
	for (const path of ["/metrics", "/readyz", "/healthz"]) {
		answers.push(await read(path));
	}
	const last_words = await cli("logs", "dying", "--tail", "500");
	assert.match(last_words.stdout, /cannot start with \[redacted\]/);
	const lines = await cli("logs", "leaky", "--tail", "500");
	assert.match(lines.stdout, /leaking \[redacted\]/, "the server did leak");
	for (const words of [["status"], ["ls"], ["calls"], ["secret", "ls"], ["secret", "check"]]) {
		await cli(...words);
		await cli(...words, "--json");
	}
	// Whoever calls a secret by its name is told of, and the name is not.
	await alarms.find<{ body?: string }>(({ body }) => /unknown_tool.*redacted/.test(String(body)));
	await mails.find<{ kind: string; text?: string }>(({ text }) => isOfServer(text));
	for (const kind of ["traces", "metrics"]) await collector.find((line) => line["kind"] === kind);
	const exports = new Map<string, Buffer>();
	for (const format of ["ndjson", "csv"]) {
		const path = join(folder, `audit.${format}`);
		const outcome = await cli("audit", "export", path);
		assert.equal(outcome.code, 0, outcome.stderr);
		exports.set(format, await readFile(path));
	}
	const exported = await cli("export");
	const backup = join(folder, "backup");
	const backed_up = await execCli(["backup", backup], { cwd: folder });
	assert.equal(backed_up.code, 0, backed_up.stderr);
	const events = await endEvents();
	assert.match(events.toString(), /"leaky"/, "the news tell of what has happened");
	await up.stop();
	const grants = tablesOf(join(data, "moorage.db"), ["upstream_grants", "upstream_clients"]);
	for (const server of ["granted", "personal"]) {
		assert.ok(grants.includes(`"server":"${server}"`), `the token of ${server} was kept`);
	}

	const data_files = await filesIn(data);
	const under = (name: string) => data_files.filter(([path]) => path.includes(join(data, name)));
	const bytes = (files: readonly (readonly [string, Buffer])[]) => files.map(([, text]) => text);
	/** What came out of each sink. Whoever adds one says here how to look into it. */
	const outcome: Readonly<Record<SinkName, readonly Buffer[]>> = {
		log: [Buffer.from(up.stderr)],
		"server-lines": [Buffer.from(lines.stdout), Buffer.from(last_words.stdout)],
		replies,
		admin: answers,
		store: bytes(data_files.filter(([path]) => path.includes("moorage.db"))),
		terminal: [...printed, Buffer.from(up.stdout)],
		exports: [Buffer.from(exported.stdout)],
		backup: bytes(await filesIn(backup)),
		audit: bytes(under("audit")),
		calls: bytes(under("calls")),
		telemetry: answers,
		collector: [saidTo(collector, ({ auth: _, ...line }) => line)],
		events: [events],
		grants: [grants],
		"audit-exports": [...exports.values()],
		alerts: [...answers, saidTo(alarms), saidTo(mails)],
		approvals: [Buffer.from(JSON.stringify(told))],
	};
	// Who decides has to see just what would run. It is the one place that shows a secret, to them.
	assert.ok(toDeciders.length > 0);
	const decided_on = new Set(toDeciders.flatMap((text) => found("", text)).map(firstWord));
	assert.deepEqual(decided_on, new Set(["key", "vault"]), "what the caller sent, and nothing else");
	for (const { name } of sinks) {
		assert.ok(outcome[name].length > 0, `nothing was looked at in the sink "${name}"`);
		const leaks = outcome[name].flatMap((text) => found(name, text));
		assert.deepEqual(leaks, [], `the sink "${name}" shows secrets`);
	}
	for (const name of ["log", "server-lines", "admin", "events", "terminal", "alerts"] as const) {
		assert.ok(!outcome[name].some((text) => text.includes(unknown_key)), name);
	}
	const leaks = data_files.flatMap(([path, text]) => found(path, text));
	assert.deepEqual(leaks, [], "the data folder shows secrets");
	// What looks for canaries finds them where they are known to be.
	assert.ok(found("", await readFile(join(folder, "canary-file"))).length > 0);
});
