import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectV1 } from "../support/clients.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

const run = promisify(execFile);
const deploy = fileURLToPath(new URL("../../deploy", import.meta.url));
const missing = existsSync("/usr/bin/prometheus") ? false : "prometheus is not installed";

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	return port;
}

test("promtool accepts the rules, and they say what they should", { skip: missing }, async () => {
	const folder = join(deploy, "prometheus");
	await run("promtool", ["check", "rules", join(folder, "moorage.rules.yaml")]);
	await run("promtool", ["check", "config", join(folder, "prometheus.yaml")]);
	await run("promtool", ["test", "rules", join(folder, "moorage.rules.test.yaml")]);
});

test("a real Prometheus scrapes the gateway, and has every metric that the dashboard shows", {
	skip: missing,
}, async (t) => {
	const gateway = await startGateway({ servers: { echo: stdioFixture("echo") } });
	t.after(() => gateway.stop());
	const client = await connectV1(gateway.address("echo"));
	for (let index = 0; index < 5; index++) {
		await client.callTool({ name: "echo", arguments: { text: "ahoy" } });
	}
	await client.callTool({ name: "nope", arguments: {} }).catch(() => undefined);
	const folder = await mkdtemp(join(tmpdir(), "moorage-prometheus-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const config = join(folder, "prometheus.yaml");
	const target = new URL(gateway.url).host;
	await writeFile(
		config,
		JSON.stringify({
			global: { scrape_interval: "1s" },
			scrape_configs: [{ job_name: "moorage", static_configs: [{ targets: [target] }] }],
		}),
	);
	const port = await freePort();
	const prometheus = spawn(
		"prometheus",
		[
			`--config.file=${config}`,
			`--storage.tsdb.path=${join(folder, "data")}`,
			`--web.listen-address=127.0.0.1:${port}`,
		],
		{ stdio: "ignore" },
	);
	t.after(async () => {
		prometheus.kill();
		await once(prometheus, "exit");
	});
	const query = async (expr: string) => {
		const address = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
		const answer = await fetch(address).catch(() => undefined);
		if (answer?.ok !== true) return [];
		const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
		return data.result.map(({ value }) => value[1]);
	};
	const calls = 'moorage_calls_total{server="echo",tool="echo",status="ok"}';
	const found = await eventually(
		() => query(calls),
		(values) => values.length > 0,
	);
	assert.deepEqual(found, ["5"]);
	const unknown = 'moorage_call_errors_total{tool="_unknown",code="not_offered"}';
	assert.deepEqual(await query(unknown), ["1"]);
	const dashboard = await readFile(join(deploy, "grafana", "moorage.json"), "utf8");
	const shown = new Set(dashboard.match(/\b(?:moorage|process)_[a-z_]+/g));
	const text = await (await fetch(`${gateway.url}/metrics`)).text();
	for (const name of shown) {
		const metric = name.replace(/_(bucket|sum)$/, "");
		assert.ok(text.includes(`# TYPE ${metric} `), name);
	}
	await client.close();
});
