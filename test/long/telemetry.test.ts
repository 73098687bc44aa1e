import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { startLineProcess } from "../support/line-process.ts";
import { eventually } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { openWire } from "../support/wire-clients.ts";

const trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${trace_id}-00f067aa0ba902b7-01`;

/** One tool call as a modern client makes it, with these members of `_meta` and headers. */
async function call(url: URL, meta: object, headers: Record<string, string> = {}): Promise<void> {
	const _meta = {
		"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientInfo": { name: "tester", version: "1" },
		"io.modelcontextprotocol/clientCapabilities": {},
		...meta,
	};
	const params = { name: "echo", arguments: { text: "ahoy" }, _meta };
	const response = await fetch(url, {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": "2026-07-28",
			"mcp-method": "tools/call",
			"mcp-name": "echo",
			...headers,
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
	});
	assert.match(await response.text(), /ahoy/);
}

interface Span {
	readonly traceId: string;
	readonly parentSpanId?: string;
	readonly kind: number;
}

function spansIn(line: Record<string, unknown>): Span[] {
	const body = line["body"] as { resourceSpans?: { scopeSpans: { spans: Span[] }[] }[] };
	const scopes = body?.resourceSpans?.flatMap(({ scopeSpans }) => scopeSpans) ?? [];
	return scopes.flatMap(({ spans }) => spans);
}

test("a call goes on with the trace of `_meta`, else with that of the HTTP header", async (t) => {
	const collector = await startLineProcess("otlp-collector");
	t.after(() => collector.stop());
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		telemetry: { otlp: { url: `http://127.0.0.1:${collector.port}`, metrics: "off" } },
	});
	t.after(() => gateway.stop());
	const other = `00-${"ab".repeat(16)}-00f067aa0ba902b8-01`;
	await call(gateway.address("echo"), { traceparent }, { traceparent: other });
	await call(gateway.address("echo"), {}, { traceparent: other });
	const in_meta = await collector.find((line) =>
		spansIn(line).some(({ traceId }) => traceId === trace_id),
	);
	const own = spansIn(in_meta).find(({ traceId, kind }) => traceId === trace_id && kind === 2);
	assert.equal(own?.parentSpanId, "00f067aa0ba902b7");
	await collector.find((line) =>
		spansIn(line).some(({ parentSpanId }) => parentSpanId === "00f067aa0ba902b8"),
	);
});

test("a collector that is not there holds up no call", async (t) => {
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		telemetry: { otlp: { url: "http://127.0.0.1:1" } },
	});
	t.after(() => gateway.stop());
	for (let index = 0; index < 3; index++) await call(gateway.address("echo"), { traceparent });
	const text = await (await fetch(`${gateway.url}/metrics`)).text();
	assert.match(text, /moorage_calls_total\{.*tool="echo".*status="ok"} 3/);
});

test("traces that a collector refuses are counted, and raise an alert", async (t) => {
	const collector = createServer((_, response) => response.writeHead(404).end());
	await once(collector.listen(0, "127.0.0.1"), "listening");
	t.after(() => collector.close());
	const { port } = collector.address() as AddressInfo;
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		telemetry: { otlp: { url: `http://127.0.0.1:${port}`, metrics: "off" } },
	});
	t.after(() => gateway.stop());
	await call(gateway.address("echo"), { traceparent });
	const scraped = await eventually(
		async () => (await fetch(`${gateway.url}/metrics`)).text(),
		(text) => /moorage_telemetry_lost_total\{signal="traces"} [1-9]/.test(text),
	);
	assert.match(scraped, /moorage_telemetry_batches_total\{signal="traces"} [1-9]/);
	await eventually(
		() => firingAlerts(gateway),
		(rules) => rules.includes("evidence_lost telemetry"),
	);
});

test("a collector that takes requests and never answers holds up neither calls nor the end", async (t) => {
	const collector = createTcpServer(() => undefined);
	const taken: Socket[] = [];
	collector.on("connection", (socket) => taken.push(socket));
	await once(collector.listen(0, "127.0.0.1"), "listening");
	t.after(() => {
		for (const socket of taken) socket.destroy();
		collector.close();
	});
	const { port } = collector.address() as AddressInfo;
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		telemetry: { otlp: { url: `http://127.0.0.1:${port}` } },
	});
	let is_stopped = false;
	t.after(() => is_stopped || gateway.stop());
	const client = await openWire("modern", gateway.address("echo"));
	let last_ms = 0;
	// More than may wait for it, with what was given to it already.
	for (let sent = 0; sent < 6_000; sent += 50) {
		const began = performance.now();
		const burst = Array.from({ length: 50 }, () => client.call("echo", '{"text":"ahoy"}'));
		for (const { result } of await Promise.all(burst)) assert.equal(result.isError ?? false, false);
		last_ms = performance.now() - began;
	}
	assert.ok(taken.length > 0, "it was connected to");
	assert.ok(last_ms < 5_000, `the last calls took ${last_ms} ms`);
	const scraped = await (await fetch(`${gateway.url}/metrics`)).text();
	const shed = Number(/^moorage_telemetry_shed_total (\d+)$/m.exec(scraped)?.[1]);
	assert.ok(shed > 100 && shed < 6_000, `${shed} calls had no trace`);
	await eventually(
		() => firingAlerts(gateway),
		(rules) => rules.includes("evidence_lost telemetry"),
	);
	const began = performance.now();
	await gateway.stop();
	is_stopped = true;
	assert.ok(performance.now() - began < 8_000, "it stops without waiting for an answer");
});

/** The alerts that fire, as their rule and what they are about. */
async function firingAlerts({ folder }: TestGateway): Promise<string[]> {
	const args = ["alerts", "--state", "firing", "--json", "--data", join(folder, ".moorage")];
	const { stdout } = await runCli(args, { cwd: folder });
	const { alerts } = JSON.parse(stdout) as { alerts: { rule: string; subject: string }[] };
	return alerts.map(({ rule, subject }) => `${rule} ${subject}`);
}

test("with identity metrics are for keys with the role of a scraper", async (t) => {
	const keys = ["metrics", "operator", "member"].map((role) => ({
		role,
		key: newApiKey(systemRandom),
	}));
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		identity: {
			keys: keys.map(({ role, key }) => ({
				name: role,
				hash: `sha256:${hashApiKey(key)}`,
				roles: [role],
			})),
		},
	});
	t.after(() => gateway.stop());
	const scrape = async (authorization?: string) => {
		const headers = authorization === undefined ? {} : { authorization };
		return (await fetch(`${gateway.url}/metrics`, { headers })).status;
	};
	const statuses = await Promise.all(keys.map(({ key }) => scrape(`Bearer ${key}`)));
	assert.deepEqual(statuses, [200, 200, 403]);
	assert.equal(await scrape(), 401);
	assert.equal(await scrape("Bearer moorage_nobody"), 401);
	const posted = await fetch(`${gateway.url}/metrics`, { method: "POST" });
	assert.equal(posted.status, 405);
});
