import assert from "node:assert/strict";
import { test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { startLineProcess } from "../support/line-process.ts";

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

test("a collector that is not there holds up no call, and the loss is counted", async (t) => {
	const gateway = await startGateway({
		servers: { echo: stdioFixture("echo") },
		telemetry: { otlp: { url: "http://127.0.0.1:1" } },
	});
	t.after(() => gateway.stop());
	for (let index = 0; index < 3; index++) await call(gateway.address("echo"), { traceparent });
	const text = await (await fetch(`${gateway.url}/metrics`)).text();
	assert.match(text, /moorage_calls_total\{.*tool="echo".*status="ok"} 3/);
});

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
