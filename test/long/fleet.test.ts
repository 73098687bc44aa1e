import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { ServerDetails } from "../../src/admin/contract.ts";
import { type Child, killChild, startChild } from "../matrix/child.ts";
import { connectV1 } from "../support/clients.ts";
import { startDockerEngine } from "../support/docker-engine.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { execCli } from "../support/run-cli.ts";
import { sandboxObstacle } from "../support/sandboxed.ts";

const run = promisify(execFile);
const example = fileURLToPath(new URL("../../examples/fleet", import.meta.url));
const unsandboxed = await sandboxObstacle();
/** The address that the example's file and its README have. */
const remote_port = 8743;

let folder: string;
let environment: NodeJS.ProcessEnv;
let moorage: MoorageProcess;
let engine: Awaited<ReturnType<typeof startDockerEngine>>;
let image_missing: string | undefined;
let remote: Child | undefined;
/** Why nothing that comes from a registry can be tested. */
let uninstallable: string | undefined;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-fleet-"));
	await cp(example, folder, { recursive: true, filter: (path) => !path.includes(".moorage") });
	engine = await startDockerEngine();
	environment = { ...process.env, ...("skip" in engine ? {} : engine.environment) };
	image_missing = "skip" in engine ? engine.skip : await makeImage();
	remote = await startRemote();
	moorage = await startMoorage(join(folder, "moorage.yaml"), join(folder, ".moorage"), environment);
	const failed = moorage.errors.find((line) => line.includes("install_failed"));
	if (process.env["CI"] !== "true" && failed !== undefined) {
		uninstallable = "packages cannot be installed here";
	}
});

after(async () => {
	await moorage?.stop();
	if (remote !== undefined) await killChild(remote);
	if (engine !== undefined && !("skip" in engine)) await engine.stop();
	await rm(folder, { recursive: true, force: true });
});

/** Makes the image as the README says; why that did not work, where it did not. */
async function makeImage(): Promise<string | undefined> {
	const { stdout } = await run(join(folder, "make-image.sh"), { env: environment });
	return stdout.startsWith("The image moorage-fleet/harbour:1 is made;")
		? undefined
		: stdout.trim();
}

/** Starts the remote server as the README says; undefined where its port is taken. */
async function startRemote(): Promise<Child | undefined> {
	const args = [join(folder, "harbour.mjs"), "--http", String(remote_port)];
	const found = (printed: string) => (printed.includes("\n") ? printed.trim() : undefined);
	return startChild(args, process.env, found).then(
		({ child }) => child,
		() => undefined,
	);
}

const here = ["--data", ".moorage"];

async function call(server: string, tool: string, ...args: string[]) {
	const outcome = await execCli(["call", server, tool, ...args, ...here], { cwd: folder });
	return { code: outcome.code, text: outcome.stdout + outcome.stderr };
}

async function status(server: string): Promise<ServerDetails> {
	const outcome = await execCli(["status", server, "--json", ...here], { cwd: folder });
	assert.equal(outcome.code, 0, outcome.stderr);
	return JSON.parse(outcome.stdout) as ServerDetails;
}

/** A call of a server from a registry, and what its answer must say. */
const calls = {
	memory: ["read_graph", [], /"entities"/],
	everything: ["echo", ["message=ahoy"], /ahoy/],
	thinking: [
		"sequentialthinking",
		["thought=x", "nextThoughtNeeded=false", "thoughtNumber=1", "totalThoughts=1"],
		/"thoughtHistoryLength": 1/,
	],
	time: ["get_current_time", ["timezone=UTC"], /"timezone": "UTC"/],
} as const;

function isSkipped(t: TestContext, details?: ServerDetails): boolean {
	if (uninstallable !== undefined) t.skip(uninstallable);
	else if (details?.status.code === "command_missing") t.skip("uv is not installed");
	else return false;
	return true;
}

for (const [server, [tool, args, expected]] of Object.entries(calls)) {
	test(`${server} answers a call of its own`, async (t) => {
		if (isSkipped(t, await status(server))) return;
		const { code, text } = await call(server, tool, ...args);
		assert.equal(code, 0, text);
		assert.match(text, expected);
	});
}

test("files reads one folder and writes another", async (t) => {
	if (isSkipped(t)) return;
	const draft = join(folder, "drafts", "log.txt");
	const written = await call("files", "write_file", `path=${draft}`, "content=fair wind");
	assert.equal(written.code, 0, written.text);
	assert.equal(await readFile(draft, "utf8"), "fair wind");
	const listed = await call("files", "list_directory", `path=${join(folder, "sample")}`);
	assert.match(listed.text, /tides\.txt/);
	if (unsandboxed !== false) return t.diagnostic(`it has no sandbox: ${unsandboxed}`);
	const sample = join(folder, "sample", "new.txt");
	const refused = await call("files", "write_file", `path=${sample}`, "content=x");
	assert.match(refused.text, /EROFS|read-only/i);
});

test("fetch reaches no host but its own, and its status names what it was refused", async (t) => {
	if (isSkipped(t, await status("fetch"))) return;
	if (unsandboxed !== false) return t.skip(`fetch has no sandbox: ${unsandboxed}`);
	const { text } = await call("fetch", "fetch", "url=http://elsewhere.example/");
	assert.match(text, /403/);
	const { status: seen, network } = await status("fetch");
	assert.equal(network, "egress: [example.com]");
	assert.deepEqual(
		seen.egress?.refused.map(({ host, port }) => `${host}:${port}`),
		["elsewhere.example:80"],
	);
});

test("the container answers, and its image is what was made here", async (t) => {
	if (image_missing !== undefined) {
		const { status: seen } = await status("boxed");
		assert.equal(seen.state, "failed");
		return t.skip(`no container: ${image_missing}`);
	}
	const { code, text } = await call("boxed", "berth");
	assert.equal(code, 0, text);
	assert.match(text, /user 65534, linux/);
	const { status: seen } = await status("boxed");
	assert.equal(seen.instances.find(({ id }) => id > 0)?.sandbox?.kind, "container");
});

test("the remote server answers", async (t) => {
	if (remote === undefined) return t.skip(`port ${remote_port} is taken here`);
	const { code, text } = await call("remote", "berth");
	assert.equal(code, 0, text);
	assert.match(text, /process \d+/);
	assert.equal((await status("remote")).network, undefined);
});

test("who may read everything does not read the volume, secrets or home of anybody else", async (t) => {
	if (isSkipped(t)) return;
	const { status: memory } = await status("memory");
	const volume = memory.instances.find((one) => one.volume !== undefined)?.volume;
	assert.ok(volume !== undefined, "memory has a volume");
	const canary = join(volume, "canary.txt");
	await writeFile(canary, "the canary sings");
	if (unsandboxed !== false) {
		const refused = await call("stranger", "list_directory", "path=/");
		assert.notEqual(refused.code, 0, "an untrusted server runs only in a sandbox");
		return t.skip(`stranger is refused: ${unsandboxed}`);
	}
	const listed = await call("stranger", "list_directory", "path=/");
	assert.match(listed.text, /\[DIR\] usr/);
	const token = join(folder, ".moorage", "keys", "admin-token");
	for (const path of [canary, token, "/etc/shadow", join(folder, "moorage.yaml")]) {
		const { code, text } = await call("stranger", "read_text_file", `path=${path}`);
		assert.notEqual(code, 0, path);
		assert.doesNotMatch(text, /canary sings|moorage_admin_|root:/, path);
	}
	assert.equal(await readFile(canary, "utf8"), "the canary sings");
});

test("a server that is not used falls asleep, and its next call wakes the same instance", async (t) => {
	if (isSkipped(t)) return;
	await call("everything", "echo", "message=once");
	const asleep = await eventually(
		() => status("everything"),
		(details) => details.status.state === "frozen",
	);
	const before_id = asleep.status.instances[0]?.id;
	const { text } = await call("everything", "echo", "message=awake");
	assert.match(text, /awake/);
	assert.equal((await status("everything")).status.instances[0]?.id, before_id);
});

test("a thought belongs to one session", async (t) => {
	if (isSkipped(t)) return;
	const think = async () => {
		const client = await connectV1(moorage.address("thinking"));
		const args = { thought: "x", nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 };
		const result = await client.callTool({ name: "sequentialthinking", arguments: args });
		return { client, text: JSON.stringify(result.content) };
	};
	const [ann, bob] = [await think(), await think()];
	for (const { client, text } of [ann, bob]) {
		assert.match(text, /thoughtHistoryLength\\": 1/);
		await client.close();
	}
});

test("with two keys each person has an instance and a volume of their own", async (t) => {
	if (isSkipped(t, await status("time"))) return;
	const keys = await Promise.all(["ann", "bob"].map((name) => newKey(name)));
	const config = join(folder, "moorage.yaml");
	const entries = keys.map(({ entry }) => `    - ${JSON.stringify(entry)}\n`).join("");
	await appendFile(config, `\nidentity:\n  keys:\n${entries}`);
	await moorage.stop();
	moorage = await startMoorage(config, join(folder, ".moorage"), environment);
	for (const { key } of keys) {
		const client = await connectWith(key, moorage.address("time"));
		const result = await client.callTool({
			name: "get_current_time",
			arguments: { timezone: "UTC" },
		});
		assert.match(JSON.stringify(result.content), /UTC/);
		await client.close();
	}
	const { instances } = (await status("time")).status;
	const volumes = instances.flatMap(({ scope_key, volume }) =>
		scope_key.startsWith("user:") ? [volume] : [],
	);
	assert.equal(new Set(volumes).size, 2);
});

async function connectWith(key: string, address: URL): Promise<Client> {
	const client = new Client({ name: "fleet", version: "1.0.0" });
	const headers = { Authorization: `Bearer ${key}` };
	await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
	return client;
}

async function newKey(name: string): Promise<{ key: string; entry: object }> {
	const made = await execCli(["key", "new", name, "--tenant", name, "--json"], { cwd: folder });
	assert.equal(made.code, 0, made.stderr);
	return JSON.parse(made.stdout) as { key: string; entry: object };
}
