import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type LineProcess, startLineProcess } from "../support/line-process.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { execCli } from "../support/run-cli.ts";

const run = promisify(execFile);
const example = fileURLToPath(new URL("../../examples/evidence", import.meta.url));

let folder: string;
let moorage: MoorageProcess;
let collector: LineProcess;
let trace_id: string;

interface Alert {
	readonly id: string;
	readonly rule: string;
	readonly subject: string;
	readonly summary: string;
}

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-evidence-"));
	await cp(example, folder, { recursive: true, filter: (path) => !path.includes(".moorage") });
	collector = await startLineProcess("otlp-collector");
	const config = join(folder, "moorage.yaml");
	const text = (await readFile(config, "utf8")).replace(":4318", `:${collector.port}`);
	await writeFile(config, text);
	moorage = await startMoorage(config, join(folder, ".moorage"));
	const agent = join(folder, "looping-agent.mjs");
	const { stdout } = await run(process.execPath, [agent, moorage.report.url]);
	trace_id = stdout.trim();
});

after(async () => {
	await collector?.stop();
	await moorage?.stop();
	await rm(folder, { recursive: true, force: true });
});

async function cli(...args: string[]): Promise<unknown> {
	const outcome = await execCli([...args, "--json", "--data", ".moorage"], { cwd: folder });
	assert.equal(outcome.code, 0, outcome.stderr);
	return JSON.parse(outcome.stdout);
}

test("the looping agent raises the alerts it deserves, on a machine that knows nothing yet", async () => {
	const firing = async () =>
		((await cli("alerts", "--state", "firing")) as { alerts: Alert[] }).alerts;
	const alerts = await eventually(firing, (found) => found.length >= 3);
	const named = alerts.map(({ rule, subject }) => `${rule} ${subject}`).toSorted();
	assert.deepEqual(named, [
		"failed_authorizations local",
		"tool_error_rate shelf/read_book",
		"unknown_tool mcp",
	]);
	const [first] = alerts;
	const shown = (await cli("alerts", "show", first?.id ?? "")) as { alert: Alert };
	assert.equal(shown.alert.summary, first?.summary);
});

test("the history of the trace has every call of the agent", async () => {
	const page = (await cli("calls", "--trace", trace_id, "--limit", "100")) as {
		calls: { tool: string; status: string; code: string | null }[];
	};
	const counts = new Map<string, number>();
	for (const { tool, status, code } of page.calls) {
		const key = `${tool} ${code ?? status}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}
	assert.equal(counts.get("read_book ok"), 1);
	assert.equal(counts.get("read_book tool_error"), 40);
	assert.equal(counts.get("burn_book policy_denied"), 12);
	assert.equal(page.calls.filter(({ code }) => code === "not_offered").length, 1);
});

test("one trace has the agent, the gateway, the policy and the server", async () => {
	interface Span {
		readonly traceId: string;
		readonly spanId: string;
		readonly parentSpanId: string;
		readonly name: string;
	}
	const spansOf = () =>
		collector.lines.flatMap((line) => {
			const body = line["body"] as {
				resourceSpans?: { scopeSpans: { spans: Span[] }[] }[];
			};
			const scopes = body?.resourceSpans?.flatMap(({ scopeSpans }) => scopeSpans) ?? [];
			return scopes.flatMap(({ spans }) => spans).filter(({ traceId }) => traceId === trace_id);
		});
	const calls = "tools/call read_book";
	const spans = await eventually(spansOf, (found) => found.length >= 100);
	const own = spans.find(
		({ name, parentSpanId }) =>
			name === calls && spans.every(({ spanId }) => spanId !== parentSpanId),
	);
	assert.ok(own !== undefined, "the gateway's span goes on from the agent's");
	const parts = spans.filter(({ parentSpanId }) => parentSpanId === own.spanId);
	const own_parts = ["moorage audit", "moorage policy", calls];
	assert.deepEqual(parts.map(({ name }) => name).toSorted(), own_parts);
	const upstream = parts.find(({ name }) => name === calls);
	const outcome = await execCli(["logs", "shelf", "--tail", "200", "--data", ".moorage"], {
		cwd: folder,
	});
	assert.match(outcome.stdout, new RegExp(`00-${trace_id}-${upstream?.spanId}-01`));
});
