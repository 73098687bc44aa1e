import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ServerDetails } from "../../src/admin/contract.ts";
import { connectV1 } from "../support/clients.ts";
import { fixturePath } from "../support/fixtures.ts";
import { runCli } from "../support/run-cli.ts";
import { sandboxObstacle } from "../support/sandboxed.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startUp } from "../support/up-process.ts";

const obstacle = await sandboxObstacle();
const no_landlock = await sandboxObstacle("landlock");

const echo = { command: process.execPath, args: [fixturePath("echo")] };

test("status of one server shows what runs, what it uses, and what confines it", async (t) => {
	const folder = await tempFolder(t);
	const notes = join(folder, "notes");
	await mkdir(notes);
	// An option of Node that names a folder, because the fixture takes no further arguments.
	const files = { ...echo, args: [`--diagnostic-dir=${notes}`, ...echo.args] };
	const dying = {
		command: process.execPath,
		args: ["-e", 'console.error("no keys here"); setTimeout(() => process.exit(7), 50)'],
	};
	const config = join(folder, "mcp.json");
	const mcpServers = { files, dying };
	await writeFile(config, JSON.stringify({ mcpServers }));
	const up = startUp(t, ["mcp.json", "--log-level", "silent"], { cwd: folder });
	await up.printed("Ctrl-C stops it.");
	const status = async (...args: string[]) => {
		const outcome = await runCli(["status", ...args], { cwd: folder });
		assert.equal(outcome.code, 0, outcome.stderr);
		return outcome.stdout;
	};

	const text = await status("files");
	assert.match(text, /^files (?:ready|frozen) \(stdio, shared\)$/m);
	assert.match(text, /^version {2}1$/m);
	assert.match(text, /^limits {3}\S/m);
	assert.match(text, /^\d+ +(?:ready|frozen)\S* .* everybody +0 +0 +\d+\.\d MiB +\S+ m?s +\d+$/m);
	const { status: seen, ...details } = JSON.parse(await status("files", "--json")) as ServerDetails;
	assert.equal(seen.name, "files");
	assert.equal(details.network, "egress: public");
	assert.equal(details.usage[0]?.instance, seen.instances[0]?.id);
	const sandbox = seen.instances[0]?.sandbox;
	if (obstacle === false || no_landlock === false) {
		const kind = obstacle === false ? "bubblewrap" : "landlock";
		assert.equal(sandbox?.kind, kind);
		assert.match(text, new RegExp(`^sandbox {2}on; now: ${kind}$`, "m"));
		const given = `It can write ${notes} (named in its arguments).`;
		assert.ok(text.includes(given), text);
		assert.ok(up.stdout.includes(`\nfiles: ${given}`), up.stdout);
	} else {
		assert.equal(sandbox?.kind, "none");
		assert.match(up.stdout, /\nfiles.*: It runs without a sandbox: /);
	}

	const failing = await status("dying");
	assert.match(failing, /exited with code 7/);
	assert.match(failing, /^Last lines of its standard error:\n {2}no keys here$/m);

	const unknown = await runCli(["status", "nobody"], { cwd: folder });
	assert.notEqual(unknown.code, 0);
	assert.match(unknown.stderr, /nobody/);
	assert.equal(await up.stop(), 0);
});

test("a server that is shared by nobody has an instance for each of its users", async (t) => {
	const config = { servers: { echo: { ...echo, scope: "session", sandbox: "off" } } };
	const folder = await tempFolder(t, { "moorage.yaml": JSON.stringify(config) });
	const up = startUp(t, ["--json"], { cwd: folder });
	const { mcp_url } = await up.ready();
	const clients = await Promise.all([1, 2].map(() => connectV1(new URL(mcp_url))));
	for (const client of clients) {
		await client.callTool({ name: "echo__echo", arguments: { text: "hi" } });
	}
	const outcome = await runCli(["status", "echo", "--json"], { cwd: folder });
	const { status, sandbox } = JSON.parse(outcome.stdout) as ServerDetails;
	assert.equal(sandbox, "off");
	const own = status.instances.filter(({ scope_key }) => scope_key.startsWith("session:"));
	assert.equal(new Set(own.map(({ volume }) => volume)).size, 2, "each has a volume of its own");
	assert.ok(own.every((instance) => instance.sandbox?.kind === "none"));
	for (const client of clients) await client.close();
	assert.equal(await up.stop(), 0);
});
