import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { stdioFixture } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually, markedProcesses, sees_environments } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { ModernWire, openLegacy } from "../support/wire-clients.ts";

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

/** How many calls of a new version are stored, and how many of them failed. */
function storedCalls(data: string): { new_calls: number; new_failed: number } | undefined {
	const database = new DatabaseSync(join(data, "moorage.db"), { readOnly: true });
	try {
		const row = database.prepare("select new_calls, new_failed from rollouts").get();
		return row as { new_calls: number; new_failed: number } | undefined;
	} finally {
		database.close();
	}
}

test("a new version that has a share has it again after a kill, and its failures count on", async () => {
	const home = join(folder, "share");
	const data = join(home, "data");
	await mkdir(home);
	const config = join(home, "moorage.yaml");
	const write = (server: object) => writeFile(config, JSON.stringify({ servers: { one: server } }));
	const cli = async (...words: string[]) => {
		const done = await runCli([...words, "--data", data, "--json"], { cwd: home });
		assert.equal(done.code, 0, done.stderr);
		return JSON.parse(done.stdout) as {
			versions: { state: string; reason?: string }[];
			rollout?: { state: string };
		};
	};
	/** What became of each version, and what the new one does just now. */
	const states = async () => {
		const { versions, rollout } = await cli("versions", "one");
		return [...versions.map(({ state }) => state), rollout?.state ?? "none"].join(" ");
	};
	const sharing = () => eventually(states, (found) => found === "active trial sharing");
	/** Calls until so many went to the new version, all of whose calls fail. */
	const failNew = async (address: URL, count: number) => {
		const wire = new ModernWire(address);
		for (let failed = 0, calls = 0; failed < count; calls += 1) {
			assert.ok(calls < 400, "half of the calls go to the new version");
			if (JSON.stringify(await wire.call("version")).includes("broken")) failed += 1;
		}
	};
	await write({ ...stdioFixture("versioned"), env: { VERSION: "1" } });
	const first = await startMoorage(config, data);
	const rollout = { percent: 50, watch: "1h", errors: 5 };
	await write({ ...stdioFixture("versioned"), env: { BROKEN: "1" }, rollout });
	await cli("reload");
	await sharing();
	await failNew(first.address("one"), 6);
	await eventually(
		() => storedCalls(data),
		(found) => found?.new_failed === 6,
	);
	await first.kill();

	const second = await startMoorage(config, data);
	await sharing();
	await failNew(second.address("one"), 4);
	await eventually(states, (found) => found === "active failed none");
	const { versions } = await cli("versions", "one");
	assert.match(versions[1]?.reason ?? "", /10 of its 10 calls failed/);
	assert.equal(storedCalls(data), undefined);
	await second.kill();

	const third = await startMoorage(config, data);
	// A start of the gateway proves nothing: the version is tried anew, beside the old one.
	await sharing();
	const wire = new ModernWire(third.address("one"));
	let answered = false;
	for (let calls = 0; calls < 200 && !answered; calls += 1) {
		answered = JSON.stringify(await wire.call("version")).includes('"1"');
	}
	assert.ok(answered, "the old version still has its share");
	assert.equal(await third.stop(), 0);
	assert.ok(storedCalls(data) !== undefined, "an orderly stop keeps it as well");
});
