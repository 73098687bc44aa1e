import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually, markedProcesses, sees_environments } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { openLegacy } from "../support/wire-clients.ts";

let folder: string;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-killed-state-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** What `moorage versions NAME --json` prints of interest. */
interface Versions {
	readonly versions: readonly { number: number; state: string }[];
	readonly forks: readonly string[];
}

test("versions, forks, volumes and catalogs are there after a kill, and no child is", async () => {
	const home = join(folder, "home");
	const data = join(home, "data");
	await mkdir(home);
	const config = join(home, "mcp.json");
	const mark = `killed-state-${process.pid}`;
	const entry = (version: string) => ({
		mcpServers: {
			echo: { ...stdioFixture("echo"), env: { MOORAGE_TEST_MARK: mark, VERSION: version } },
		},
	});
	const cli = async (...words: string[]) => {
		const done = await runCli([...words, "--data", data, "--json"], { cwd: home });
		assert.equal(done.code, 0, done.stderr);
		return JSON.parse(done.stdout) as unknown;
	};
	await writeFile(config, JSON.stringify(entry("1")));
	const first = await startMoorage(config, data);
	const client = await openLegacy(first.address("echo"));
	await client.call("echo", '{"text":"one"}');
	await writeFile(join(data, "volumes", "echo", "shared", "notes.txt"), "kept");
	await writeFile(config, JSON.stringify(entry("2")));
	await cli("reload");
	await cli("fork", "echo");
	const told = (await cli("versions", "echo")) as Versions;
	assert.equal(told.versions.length, 2);
	assert.equal(told.forks.length, 1);
	await first.kill();
	if (sees_environments) {
		const find = () => markedProcesses(`MOORAGE_TEST_MARK=${mark}`);
		await eventually(find, (found) => found.length === 0);
	}
	const second = await startMoorage(config, data);
	assert.deepEqual(await cli("versions", "echo"), told);
	const volume = join(data, "volumes", "echo", "shared", "notes.txt");
	assert.equal(await readFile(volume, "utf8"), "kept");
	const fork_volume = join(data, "volumes", told.forks[0] ?? "", "shared", "notes.txt");
	assert.equal(await readFile(fork_volume, "utf8"), "kept");
	// The catalog is known before the server has run again.
	assert.ok((second.report.servers.find(({ name }) => name === "echo")?.tools ?? 0) > 0);
	const again = await fetch(second.address("echo"), {
		method: "POST",
		headers: client.headers({}),
		body: '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"echo","arguments":{"text":"still"}}}',
	});
	assert.equal(again.status, 200);
	assert.match(await again.text(), /still/);
	assert.equal(await second.stop(), 0);
});
