import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startGateway, stdioFixture } from "../../../test/support/gateway.ts";
import { runCli } from "../../../test/support/run-cli.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { openLegacy } from "../../../test/support/wire-clients.ts";
import { acquireDataLock } from "../../hosting/process/data-lock.ts";

const reason = ["--reason", "It deletes the wrong ones."];

/** A folder in which a gateway has run, and commands on it. */
async function stoppedGateway(t: TestContext, config: object = {}) {
	const folder = await tempFolder(t);
	const start = () => startGateway({ servers: {}, ...config }, { folder });
	const first = await start();
	await first.daemon.stop();
	const run = (...args: string[]) => runCli(args, { cwd: folder });
	return { folder, data: join(folder, ".moorage"), start, run };
}

/** Entries of the audit about what an administrator did. */
function actionsIn(data: string): Record<string, unknown>[] {
	const audit = join(data, "audit");
	const names = readdirSync(audit).filter((name) => name.endsWith(".log"));
	const lines = names.flatMap((name) => readFileSync(join(audit, name), "utf8").split("\n"));
	return lines
		.filter((line) => line.includes('"admin"'))
		.map(
			(line) =>
				JSON.parse(line.slice(line.indexOf("{"), line.lastIndexOf("}") + 1)) as Record<
					string,
					unknown
				>,
		)
		.filter(({ action }) => action === "kill" || action === "unkill");
}

test("what is switched off while no gateway runs is off when one starts", async (t) => {
	const servers = { echo: { ...stdioFixture("echo"), sandbox: "off" } };
	const { run, start, data } = await stoppedGateway(t, { servers });
	const killed = await run("kill", "tool", "echo__echo", ...reason);
	assert.equal(killed.code, 0, killed.stderr);
	assert.equal(killed.stdout, "Off: tool:echo__echo\n");
	assert.match(killed.stderr, /^No gateway runs: it is stored in .*\.moorage, for the next one/);
	assert.match(killed.stderr, /\nIt is in the audit\.\n.*moorage unkill tool echo__echo\n$/);
	const listed = await run("kills");
	assert.match(listed.stdout, /tool +echo__echo +admin +It deletes the wrong ones\./);
	assert.match(listed.stderr, /No gateway runs/);

	const gateway = await start();
	t.after(() => gateway.stop());
	const client = await openLegacy(gateway.address("echo"));
	const refused = await client.call("echo", '{"text":"one"}');
	assert.match(JSON.stringify(refused), /switched off.*It deletes the wrong ones/);
	const lifted = await run("unkill", "tool", "echo__echo", "--json");
	const { id, way } = JSON.parse(lifted.stdout) as Record<string, unknown>;
	assert.deepEqual([id, way], ["tool:echo__echo", "gateway"]);
	const answered = await client.call("echo", '{"text":"one"}');
	assert.doesNotMatch(JSON.stringify(answered), /switched off/);
	await gateway.daemon.stop();

	assert.equal((await run("audit", "verify")).code, 0);
	const told = actionsIn(data).map(({ kind, action, subject, status }) => ({
		...{ kind, action, subject, status },
	}));
	assert.deepEqual(told.slice(0, 2), [
		{
			kind: "intent",
			action: "kill",
			subject: { id: "tool:echo__echo" },
			status: undefined,
		},
		{ kind: "outcome", action: "kill", subject: undefined, status: 201 },
	]);
	assert.equal(told[2]?.action, "unkill");
});

test("a switch of a stored folder has its end, and is lifted there too", async (t) => {
	const { run } = await stoppedGateway(t);
	assert.equal((await run("kill", "--all", "--for", "1h", ...reason)).code, 0);
	const [all] = (
		JSON.parse((await run("kills", "--json")).stdout) as {
			kill_switches: { id: string; ends_at_ms: number }[];
		}
	).kill_switches;
	assert.equal(all?.id, "all");
	assert.ok((all?.ends_at_ms ?? 0) > Date.now());
	const lifted = await run("unkill", "--all", "--json");
	const { way, audited } = JSON.parse(lifted.stdout) as Record<string, unknown>;
	assert.deepEqual([way, audited], ["data_folder", true]);
	assert.match((await run("kills")).stderr, /Nothing is switched off/);
	const again = await run("unkill", "--all");
	assert.equal(again.code, 1);
	assert.match(again.stderr, /no off switch "all"/);
});

test("where the audit is off it is said that nothing of it is there", async (t) => {
	const { run, data, folder } = await stoppedGateway(t, { audit: "off" });
	const killed = await run("kill", "server", "echo", ...reason);
	assert.equal(killed.code, 0, killed.stderr);
	assert.match(killed.stderr, /Not audited\. The audit is off\./);
	const { audited } = JSON.parse((await run("unkill", "server", "echo", "--json")).stdout) as {
		audited: boolean;
	};
	assert.equal(audited, false);
	// A configuration about another folder says nothing of this one.
	const config = { version: 1, servers: {}, audit: "off", data: "elsewhere" };
	await writeFile(join(folder, "moorage.yaml"), JSON.stringify(config));
	const other = await run("kill", "server", "echo", ...reason, "--data", data);
	assert.match(other.stderr, /It is in the audit/);
});

test("a switch that cannot be audited where it must be is not set", async (t) => {
	const { run, data } = await stoppedGateway(t, { audit: "required" });
	await writeFile(join(data, "keys", "audit-payload-key"), "damaged");
	const killed = await run("kill", "server", "echo", ...reason);
	assert.equal(killed.code, 1);
	assert.match(killed.stderr, /not done, because it could not be written to the audit/);
	assert.match((await run("kills")).stderr, /Nothing is switched off/);
});

test("a folder that holds nothing, or is just taken, is refused", async (t) => {
	const cwd = await tempFolder(t);
	const nothing = await runCli(["kill", "--all", ...reason], { cwd });
	assert.equal(nothing.code, 4);
	assert.match(nothing.stderr, /none ever kept anything there.*\n.*--data/);
	assert.deepEqual(readdirSync(cwd), []);
	const { run, data } = await stoppedGateway(t);
	const lock = await acquireDataLock(data, {});
	assert.ok(lock.ok);
	const taken = await run("kill", "--all", ...reason);
	assert.equal(taken.code, 4);
	assert.match(taken.stderr, /still starting.*\n.*again in a moment/);
	await lock.value.release();
	assert.match((await run("kills")).stderr, /Nothing is switched off/);
});
