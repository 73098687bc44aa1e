import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { AuditedCallReport, LoggedCall } from "../../src/admin/evidence-backend.ts";
import { callLogLines } from "../support/call-log-lines.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { textOf } from "../support/raw-client.ts";
import { runCli } from "../support/run-cli.ts";
import { openWire } from "../support/wire-clients.ts";

const servers = {
	echo: { ...stdioFixture("echo"), sandbox: "off" },
	slow: { ...stdioFixture("slow"), sandbox: "off", timeouts: { call: "60ms" } },
	crashing: { ...stdioFixture("crashing"), sandbox: "off" },
};

test("every outcome is a line that fits the published schema, and no payload is in any", async (t) => {
	const gateway = await startGateway({ servers });
	t.after(() => gateway.stop());
	const payload = "a-very-recognisable-payload";
	for (const era of ["legacy", "modern"] as const) {
		const all = await openWire(era, gateway.address());
		await all.ask({ method: "tools/list" });
		await all.call("echo__echo", JSON.stringify({ text: payload }));
		await all.call("slow__wait", '{"ms":5000}');
		await all.call("echo__nothing", JSON.stringify({ text: payload }));
		await all.ask({ method: "no/such", params: JSON.stringify({ x: payload }) });
		await all.ask({ method: "prompts/get", params: '{"name":"echo__none"}' });
		await all.call("crashing__crash", JSON.stringify({ how: "exit", text: payload }));
	}
	await gateway.daemon.stop();
	const lines = callLogLines(gateway.folder);
	const files = readdirSync(join(gateway.folder, ".moorage"), { recursive: true });
	for (const name of files.map(String)) {
		if (!/^(calls|audit)\//.test(name)) continue;
		const text = readFileSync(join(gateway.folder, ".moorage", name), "latin1");
		assert.ok(!text.includes(payload), `${name} has the payload`);
	}
	const seen = new Set(
		lines.map(({ client_era, tool, status }) => [client_era, tool, status].join()),
	);
	for (const era of ["legacy", "modern"]) {
		for (const outcome of [
			"echo,ok",
			"wait,timeout",
			",ok",
			",client_error",
			"crash,server_error",
		]) {
			assert.ok(seen.has(`${era},${outcome}`), `${era},${outcome} in ${[...seen].join(" ")}`);
		}
	}
	t.diagnostic(`${lines.length} lines`);
});

test("one command tells what happened, and the audit proves it", async (t) => {
	const gateway = await startGateway({ servers: { echo: servers.echo } });
	t.after(() => gateway.stop());
	const cli = (...args: string[]) =>
		runCli([...args, "--data", join(gateway.folder, ".moorage")], { cwd: gateway.folder });
	const client = await openWire("modern", gateway.address("echo"));
	await client.call("echo", '{"text":"kept for later"}');
	const listed = await cli(
		"calls",
		"--since",
		"1h",
		"--server",
		"echo",
		"--tool",
		"echo",
		"--json",
	);
	assert.equal(listed.code, 0, listed.stderr);
	const { calls } = JSON.parse(listed.stdout) as { calls: LoggedCall[] };
	const [call] = calls;
	assert.ok(call);
	assert.deepEqual([call.user, call.tool, call.status], ["local", "echo", "ok"]);

	const shown = await cli("calls", "show", call.id, "--payload", "--json");
	assert.equal(shown.code, 0, shown.stderr);
	const { audit } = JSON.parse(shown.stdout) as { audit: AuditedCallReport };
	assert.ok(audit.input.kind === "text" && audit.output.kind === "text");
	assert.match(audit.input.text, /kept for later/);
	assert.match(audit.output.text, /kept for later/);
	assert.equal(audit.entries[0]?.["input_hash"], call.input_hash);

	assert.match((await cli("calls", "show", call.id)).stdout, /tool +echo/);
	assert.match((await cli("calls", "--status", "error")).stderr, /No call matches/);
	assert.match((await cli("calls", "show", "none")).stderr, /moorage calls/);
	assert.equal((await cli("calls", "--status", "bad")).code, 1);

	// Reading the payload was itself written down, and so is what administrators change.
	const removed = await cli("rm", "echo");
	assert.equal(removed.code, 0, removed.stderr);
	const log = readdirSync(join(gateway.folder, ".moorage", "audit")).find((name) =>
		name.endsWith(".log"),
	);
	const text = readFileSync(join(gateway.folder, ".moorage", "audit", String(log)), "utf8");
	assert.match(
		text,
		/"method":"admin","tenant_id":"local","user":"admin".*"action":"getCallPayload"/,
	);
	assert.match(text, /"action":"removeServer","subject":{"name":"echo"}/);
	const whole = await cli("audit", "verify");
	assert.match(whole.stdout, /The audit is whole/, whole.stdout);

	const erased = await cli("audit", "erase", "--user", "local/local", "--yes");
	assert.match(erased.stdout, /Destroyed 1 key/);
	const gone = await cli("calls", "show", call.id, "--payload");
	assert.match(gone.stdout, /erased: its key was destroyed/);
	assert.equal((await cli("audit", "verify", "--json")).code, 0);
	assert.equal((await cli("audit", "erase", "--user", "local/local")).code, 2);
});

test("a byte that is changed is found, and its entry named", async (t) => {
	const gateway = await startGateway({ servers: { echo: servers.echo } });
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("echo"));
	await client.call("echo", '{"text":"one"}');
	await gateway.daemon.stop();
	const data = join(gateway.folder, ".moorage");
	const verify = () => runCli(["audit", "verify", "--data", data], { cwd: gateway.folder });
	assert.equal((await verify()).code, 0);
	const path = join(data, "audit", "000000000001.log");
	const text = readFileSync(path, "utf8");
	writeFileSync(path, text.replace('"tool":"echo"', '"tool":"ecco"'));
	const found = await verify();
	assert.equal(found.code, 1);
	// A folder that is named and not looked at would be taken for whole.
	const named = await runCli(["audit", "verify", data], { cwd: gateway.folder });
	assert.equal(named.code, 2);
	assert.match(named.stderr, /with --data/);
	assert.match(found.stdout, /not whole: Entry 4 is not as it was written/);
	assert.match(found.stdout, /000000000001[.]log:4/);
});

test("a required audit that cannot be written refuses calls, and says so", async (t) => {
	const config = { servers: { slow: servers.slow }, audit: "required" };
	const gateway = await startGateway({ servers: { slow: servers.slow }, audit: "off" });
	t.after(() => gateway.stop());
	const client = await openWire("modern", gateway.address("slow"));
	assert.ok((await client.call("release", '{"key":"one"}')).result);
	// A file where the folder should be: nobody can write into it, not even root.
	writeFileSync(join(gateway.folder, ".moorage", "audit"), "in the way");
	assert.ok((await gateway.reconfigure(config)).ok);
	const refused = await client.call("release", '{"key":"two"}');
	const fault = refused.result._meta["dev.moorage/error"] as { readonly code: string };
	assert.equal(fault.code, "evidence_unavailable");
	// One that only reads is refused too; a list is not.
	const waited = await client.call("cancelled", "{}");
	assert.match(textOf(waited), /could not be written to the audit/);
	assert.ok((await client.ask({ method: "tools/list" })).result.tools.length > 0);
	assert.ok((await gateway.reconfigure({ ...config, audit: "on" })).ok);
	assert.ok((await client.call("release", '{"key":"three"}')).result);
});

test("a configuration that is changed by hand is in the audit, with what it was before", async (t) => {
	const gateway = await startGateway({ servers: { echo: servers.echo } });
	t.after(() => gateway.stop());
	assert.ok((await gateway.reconfigure({ servers: {} })).ok);
	const data = join(gateway.folder, ".moorage");
	const token = readFileSync(gateway.daemon.admin_token_path, "utf8").trim();
	const ask = async (path: string) => {
		const headers = { authorization: `Bearer ${token}` };
		const response = await fetch(`${gateway.url}${path}`, { headers });
		assert.equal(response.status, 200);
		return (await response.json()) as Record<string, unknown>;
	};
	const found = await ask("/api/audit/verification");
	assert.equal(found["ok"], true);
	const { audit } = (await ask("/api/evidence")) as { audit: Record<string, unknown> };
	assert.deepEqual([audit["mode"], audit["entries_lost"]], ["on", 0]);
	const path = join(data, "audit", "000000000001.log");
	const log = await eventually(
		() => (existsSync(path) ? readFileSync(path, "utf8") : ""),
		(text) => /"outcome".*"useConfiguration"/.test(text),
	);
	const change = log.split("\n").find((line) => line.includes("useConfiguration"));
	const { call } = JSON.parse((change ?? "{}").replace(/^[^{]+/, "")) as { call: string };
	const report = await ask(`/api/calls/${call}/payload`);
	const { input, output } = report as unknown as AuditedCallReport;
	assert.ok(input.kind === "text" && input.text.includes("echo"));
	assert.ok(output.kind === "text" && !output.text.includes("echo"));
});
