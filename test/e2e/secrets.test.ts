import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { runCli } from "../support/run-cli.ts";
import { ModernWire } from "../support/wire-clients.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** Gateways that run in a folder: they end before it is removed. */
const running = new Map<string, TestGateway[]>();

async function place(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-secrets-"));
	running.set(folder, []);
	context.after(async () => {
		for (const gateway of running.get(folder) ?? []) await gateway.stop();
		await rm(folder, { recursive: true, force: true });
	});
	return folder;
}

async function gatewayIn(folder: string, config: object): Promise<TestGateway> {
	const gateway = await startGateway(config, { folder });
	running.get(folder)?.push(gateway);
	return gateway;
}

/** `moorage secret …` in a folder, with a value on its standard input. */
async function secret(folder: string, words: string[], input?: string) {
	const outcome = await runCli(["secret", ...words], {
		cwd: folder,
		...(input !== undefined && { input }),
	});
	return { ...outcome, text: outcome.stdout + outcome.stderr };
}

/** The hash of the value that a server has now, or what the call failed with. */
async function held(gateway: TestGateway, name: string, more: object = {}, key?: string) {
	const wire = new ModernWire(gateway.address("one"));
	const json = JSON.stringify({ name, ...more });
	const reply = await (key === undefined
		? wire.call("hold", json)
		: wire.ask({
				method: "tools/call",
				params: `{"name":"hold","arguments":${json}}`,
				headers: { authorization: `Bearer ${key}` },
			}));
	return reply.result?.content?.[0]?.text ?? reply.error?.message;
}

const server = (env: object, more: object = {}) => ({
	one: { ...stdioFixture("secretive"), env, ...more },
});

test("a secret is stored before the first start, and reaches the server that names it", async (t) => {
	const folder = await place(t);
	await writeFile(join(folder, "moorage.yaml"), "version: 1\n");
	const stored = await secret(folder, ["set", "token"], "first value\n");
	assert.equal(stored.code, 0, stored.text);
	assert.match(stored.stdout, /Stored "token"/);
	assert.match(stored.stderr, /\$\{secret:token\}/);
	if (process.platform !== "win32") {
		const key = await stat(join(folder, ".moorage", "keys", "master-key"));
		assert.equal(key.mode & 0o777, 0o600);
	}
	const gateway = await gatewayIn(folder, { servers: server({ TOKEN: "${secret:token}" }) });
	assert.equal(await held(gateway, "TOKEN"), hash("first value"));

	await t.test("its names, ages and use are listed, its value is not", async () => {
		const listed = await secret(folder, ["ls"]);
		assert.equal(listed.code, 0, listed.text);
		assert.match(listed.stdout, /token +everybody .* ago +.* ago +one/);
		assert.doesNotMatch(listed.text, /first value/);
		const json = await secret(folder, ["ls", "--json"]);
		const { secrets } = JSON.parse(json.stdout) as { secrets: { used_by: string }[] };
		assert.equal(secrets[0]?.used_by, "one");
	});

	await t.test("another value reaches what runs, and no call is lost meanwhile", async () => {
		const in_flight = held(gateway, "TOKEN", { wait_ms: 700 });
		const rotated = await secret(folder, ["rotate", "token"], "second value");
		assert.equal(rotated.code, 0, rotated.text);
		const calls: string[] = [];
		do calls.push(await held(gateway, "TOKEN"));
		while (calls.at(-1) !== hash("second value"));
		assert.equal(await in_flight, hash("first value"));
		const known = [hash("first value"), hash("second value")];
		assert.ok(calls.every((call) => known.includes(call)));
	});

	await t.test("another master key changes nothing for anybody", async () => {
		const path = join(folder, ".moorage", "keys", "master-key");
		const before = await readFile(path, "utf8");
		const rotated = await secret(folder, ["rotate", "--master"]);
		assert.equal(rotated.code, 0, rotated.text);
		assert.notEqual(await readFile(path, "utf8"), before);
		assert.equal((await secret(folder, ["rotate", "token"], "third value")).code, 0);
		while ((await held(gateway, "TOKEN")) !== hash("third value"));
	});

	await t.test("what is the matter with secrets is told", async () => {
		await secret(folder, ["set", "spare"], "nobody wants it");
		const checked = await secret(folder, ["check", "--json"]);
		assert.equal(checked.code, 0, checked.text);
		const { findings } = JSON.parse(checked.stdout) as { findings: { kind: string }[] };
		assert.deepEqual(
			findings.map(({ kind }) => kind),
			["unused"],
		);
	});

	await t.test("one that is removed is there no more", async () => {
		assert.equal((await secret(folder, ["rm", "spare"])).code, 0);
		const again = await secret(folder, ["rm", "spare"]);
		assert.equal(again.code, 1);
		assert.match(again.stderr, /no secret `spare`/);
		assert.equal((await secret(folder, ["rotate", "spare"], "value")).code, 1);
	});
});

test("a server whose secret is missing does not start, says so, and starts once it is stored", async (t) => {
	const folder = await place(t);
	const gateway = await gatewayIn(folder, {
		servers: server({ TOKEN: "${secret:absent}" }, { start: "on-demand" }),
	});
	assert.match(await held(gateway, "TOKEN"), /no secret `absent`.*moorage secret set absent/);
	const checked = await secret(folder, ["check"]);
	assert.equal(checked.code, 1);
	assert.match(checked.stdout, /missing: `one` refers to the secret `absent`/);
	await secret(folder, ["set", "absent"], "the value");
	while ((await held(gateway, "TOKEN")) !== hash("the value"));
});

test("each person's instance gets their own value", async (t) => {
	const folder = await place(t);
	const keys = ["alice", "bob", "eve"].map((user) => ({ user, key: newApiKey(systemRandom) }));
	const identity = {
		keys: keys.map(({ user, key }) => ({
			name: user,
			hash: `sha256:${hashApiKey(key)}`,
			tenant: user === "eve" ? "other" : "acme",
			user,
		})),
	};
	await writeFile(join(folder, "moorage.yaml"), "version: 1\n");
	await secret(folder, ["set", "token"], "for everybody");
	await secret(folder, ["set", "token", "--tenant", "acme"], "for acme");
	await secret(folder, ["set", "token", "--tenant", "acme", "--user", "alice"], "for alice");
	const servers = server({ TOKEN: "${secret:token}" }, { scope: "user" });
	const gateway = await gatewayIn(folder, { identity, servers });
	for (const [index, value] of ["for alice", "for acme", "for everybody"].entries()) {
		assert.equal(await held(gateway, "TOKEN", {}, keys[index]?.key), hash(value));
	}
	await secret(folder, ["set", "token", "--tenant", "acme", "--user", "bob"], "for bob");
	while ((await held(gateway, "TOKEN", {}, keys[1]?.key)) !== hash("for bob"));
});

test("a path stands for another file for each person, and never for another's", async (t) => {
	const folder = await place(t);
	const people = [
		{ tenant: "acme", user: "ana" },
		{ tenant: "other", user: "ana" },
		{ tenant: "acme", user: "bob" },
	].map((person) => ({ ...person, key: newApiKey(systemRandom) }));
	for (const tenant of ["acme", "other"]) {
		await mkdir(join(folder, "tokens", tenant), { recursive: true });
		await writeFile(join(folder, "tokens", tenant, "ana"), `ana of ${tenant}\n`, { mode: 0o600 });
	}
	const identity = {
		keys: people.map(({ key, ...person }, index) => {
			return { name: `key-${index}`, hash: `sha256:${hashApiKey(key)}`, ...person };
		}),
	};
	const servers = server({ TOKEN: "${file:tokens/@tenant/@user}" }, { scope: "user" });
	const gateway = await gatewayIn(folder, { identity, servers });
	const [ana, other_ana, bob] = people;
	assert.equal(await held(gateway, "TOKEN", {}, ana?.key), hash("ana of acme"));
	assert.equal(await held(gateway, "TOKEN", {}, other_ana?.key), hash("ana of other"));
	assert.match(await held(gateway, "TOKEN", {}, bob?.key), /acme\/bob/);
});

test("a value is handed over in a file that the instance alone has", async (t) => {
	const folder = await place(t);
	await writeFile(join(folder, "moorage.yaml"), "version: 1\n");
	const key = "-----BEGIN KEY-----\nabc\n-----END KEY-----";
	await secret(folder, ["set", "key"], key);
	const one = { ...stdioFixture("secretive"), files: { KEY_FILE: "${secret:key}" } };
	const gateway = await gatewayIn(folder, { servers: { one } });
	assert.equal(await held(gateway, "KEY_FILE"), hash(key));
});

test("values come from the KV engine of a vault, and follow it", async (t) => {
	const folder = await place(t);
	const value = { token: "from the vault" };
	const kv = createServer((request, response) => {
		const is_ours = request.url === "/v1/secret/data/team/github";
		const may = request.headers["x-vault-token"] === "hvs.of-the-agent";
		response.writeHead(is_ours && may ? 200 : 403, { "content-type": "application/json" });
		response.end(JSON.stringify({ data: { data: value, metadata: { version: 1 } } }));
	});
	kv.listen(0, "127.0.0.1");
	await once(kv, "listening");
	t.after(() => {
		kv.closeAllConnections();
		kv.close();
	});
	await writeFile(join(folder, "vault-token"), "hvs.of-the-agent\n");
	const { port } = kv.address() as AddressInfo;
	const vault = { address: `http://127.0.0.1:${port}`, token: "${file:vault-token}", keep: "1ms" };
	const gateway = await gatewayIn(folder, {
		secrets: { vault },
		servers: server({ TOKEN: "${vault:secret/team/github#token}" }),
	});
	assert.equal(await held(gateway, "TOKEN"), hash("from the vault"));
	value.token = "its next version";
	assert.ok((await gateway.daemon.reload()).ok);
	while ((await held(gateway, "TOKEN")) !== hash("its next version"));
});

test("the secrets of a client's file work, and are moved into the vault on demand", async (t) => {
	const folder = await place(t);
	const path = join(folder, "mcp.json");
	const token = "a-s3cret-of-the-client";
	const { command, args } = stdioFixture("secretive");
	const one = { command, args: [...args], env: { MY_TOKEN: token, MODE: "on" } };
	const text = `// a comment\n${JSON.stringify({ mcpServers: { one } }, null, 2)}\n`;
	await writeFile(path, text);
	const imported = await secret(folder, ["import", "mcp.json"]);
	assert.equal(imported.code, 0, imported.text);
	assert.match(imported.stdout, /one: my_token/);
	assert.doesNotMatch(imported.text, new RegExp(token));
	const after = await readFile(path, "utf8");
	assert.equal(after, text.replace(JSON.stringify(token), '"${secret:my_token}"'));
	const again = await secret(folder, ["import", "mcp.json"]);
	assert.match(again.stderr, /0 secrets/);
	assert.equal((await secret(folder, ["ls"])).stdout.split("\n").filter(Boolean).length, 2);
});

test("the secrets of an .env file are stored, and the file is left to others", async (t) => {
	const folder = await place(t);
	const text = "API_KEY='abc def 123'\nPORT=8080\n";
	await writeFile(join(folder, ".env"), text);
	const imported = await secret(folder, ["import", ".env", "--json"]);
	assert.equal(imported.code, 0, imported.text);
	assert.deepEqual(JSON.parse(imported.stdout), {
		file: join(folder, ".env"),
		secrets: [{ name: "api_key" }],
		rewritten: false,
	});
	assert.equal(await readFile(join(folder, ".env"), "utf8"), text);
});

test("an .env file exchanges no value of the vault unless it is told to", async (t) => {
	const folder = await place(t);
	await secret(folder, ["set", "api_key"], "the value of the vault");
	await writeFile(
		join(folder, ".env"),
		"NEW_TOKEN='a new one of 123'\nAPI_KEY='of the file 123'\n",
	);
	const gateway = await gatewayIn(folder, { servers: server({ TOKEN: "${secret:api_key}" }) });
	const refused = await secret(folder, ["import", ".env"]);
	assert.notEqual(refused.code, 0);
	assert.match(refused.stderr, /already: `api_key`.*--replace/s);
	assert.doesNotMatch((await secret(folder, ["ls"])).stdout, /new_token/, "nothing was stored");
	assert.equal(await held(gateway, "TOKEN"), hash("the value of the vault"));
	const told = await secret(folder, ["import", ".env", "--replace"]);
	assert.equal(told.code, 0, told.text);
	assert.match((await secret(folder, ["ls"])).stdout, /new_token/);
	while ((await held(gateway, "TOKEN")) !== hash("of the file 123"));
});

test("a vault that cannot be opened says why and gives nothing out; the rest runs", async (t) => {
	const folder = await place(t);
	await writeFile(join(folder, "moorage.yaml"), "version: 1\n");
	await secret(folder, ["set", "token"], "the value");
	const key_path = join(folder, ".moorage", "keys", "master-key");
	const key = await readFile(key_path);
	await writeFile(key_path, `${Buffer.alloc(32, 9).toString("base64url")}\n`);
	const servers = {
		...server({ TOKEN: "${secret:token}" }, { start: "on-demand" }),
		two: stdioFixture("echo"),
	};
	const gateway = await gatewayIn(folder, { servers });
	assert.match(await held(gateway, "TOKEN"), /another master key/);
	const two = await new ModernWire(gateway.address("two")).call("echo", '{"text":"hello"}');
	assert.match(JSON.stringify(two), /hello/);
	const listed = await secret(folder, ["ls"]);
	assert.equal(listed.code, 1);
	assert.match(listed.stderr, /another master key/);
	assert.equal((await secret(folder, ["set", "other"], "value")).code, 1);
	await writeFile(key_path, key);
	assert.equal((await secret(folder, ["set", "other"], "value")).code, 0);
	while ((await held(gateway, "TOKEN")) !== hash("the value"));
});

for (const [words, input, message] of [
	[["set", "token"], "", /no value on standard input/],
	[["set"], "value", /Name the secret/],
	[["set", "a/b"], "value", /not the name of a secret/],
	[["set", "token"], "abc", /fewer than 4 bytes/],
	[["set", "token", "--user", "bob"], "value", /--user needs --tenant/],
	[["set", "token", "the-value"], undefined, /too many arguments/],
	[["steal", "token"], undefined, /There is no/],
	[["import", "absent.json"], undefined, /does not exist|not found|no such/i],
] as const) {
	test(`\`moorage secret ${words.join(" ")}\` is refused: ${String(message)}`, async (t) => {
		const folder = await place(t);
		const refused = await secret(folder, [...words], input);
		assert.notEqual(refused.code, 0);
		assert.match(refused.stderr, message);
		assert.doesNotMatch(refused.text, /the-value/);
	});
}
