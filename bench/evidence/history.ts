import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { History } from "../../src/calls/history.ts";
import type { CallQuery } from "../../src/calls/query.ts";
import type { CallLine } from "../../src/telemetry/call-line.ts";

const start_ms = Date.UTC(2026, 0, 1);
const batch = 1_000;
const runs = 15;

/**
 * A month of calls: 90 people with a long tail, 12 servers with 70 tools, one failure in fifty, one
 * call in three with a trace of its client.
 */
function lineOf(n: number, apart_ms: number): CallLine {
	const failed = n % 50 === 7;
	const hex = n.toString(16).padStart(12, "0");
	const server = n % 12;
	return {
		ts: new Date(start_ms + n * apart_ms).toISOString(),
		service: "moorage",
		id: `0198a000-0000-7000-8000-${hex}`,
		tenant_id: `tenant-${n % 3}`,
		user: `user-${Math.floor(90 * ((n * 0.618_034) % 1) ** 3)}`,
		made_by: null,
		client_id: "key:laptop",
		client_name: "inspector",
		client_version: "1.0.0",
		session_id:
			n % 2 === 0 ? `f0b7c0de-0000-4000-8000-${(n % 4000).toString(16).padStart(12, "0")}` : null,
		endpoint: "mcp",
		server: `server-${server}`,
		version: "3",
		instance: `server-${server}#1`,
		method: "tools/call",
		tool: `tool-${n % 70}`,
		name: null,
		status: failed ? "server_error" : "ok",
		code: failed ? "call_failed" : null,
		error: failed ? `The server "server-${server}" ended while call ${n} ran.` : null,
		error_id: null,
		requests: 1,
		duration_ms: 3.217,
		queue_ms: 0,
		wake_ms: 0,
		upstream_ms: 2.918,
		policy_ms: 0.031,
		approval_ms: 0,
		audit_ms: 0,
		decision: "allow",
		rule: null,
		approval_id: null,
		risk: "read",
		input_bytes: 240,
		output_bytes: 1800,
		input_hash: hex.padStart(64, "a"),
		request_id: String(n % 1000),
		trace_id: n % 3 === 0 ? `4bf92f3577b34da6a3ce${hex}` : `0198a000000070008000${hex}`,
		span_id: `8000${hex}`,
		parent_span_id: null,
		client_revision: "2025-11-25",
		client_era: "legacy",
		upstream_revision: "2025-11-25",
		upstream_era: "legacy",
	};
}

/** Fills a history with so many calls and asks it what people ask. */
export async function measureHistory(calls: number): Promise<Record<string, number>> {
	const folder = mkdtempSync(join(tmpdir(), "moorage-bench-history-"));
	try {
		const path = join(folder, "history.db");
		const history = new History(path, () => performance.now());
		const apart_ms = Math.max(1, Math.floor((30 * 24 * 3_600_000) / calls));
		const cpu = process.cpuUsage();
		for (let n = 0; n < calls; n += batch) {
			history.add(Array.from({ length: batch }, (_, k) => lineOf(n + k, apart_ms)));
		}
		const { user, system } = process.cpuUsage(cpu);
		const end_ms = start_ms + calls * apart_ms;
		const id = lineOf(Math.floor(calls / 3), apart_ms).id;
		const queries: Readonly<Record<string, Omit<CallQuery, "limit">>> = {
			latest: {},
			hour: { since_ms: end_ms - 3_600_000, server: "server-3", user: "user-2", status: "error" },
			person: { user: "user-61", status: "error" },
			rare: { user: "user-89", server: "server-11", name: "tool-69" },
			nobody: { user: "user-1", decision: "deny" },
			old_day: { since_ms: start_ms, until_ms: start_ms + 86_400_000, server: "server-7" },
			words: { text: `call ${Math.floor(calls / 100) * 50 + 7}` },
			common_words: { text: "server ended", server: "server-5" },
			words_of_person: { text: "server ended", user: "user-89", server: "server-11" },
			trace: { trace: lineOf(Math.floor(calls / 30) * 3, apart_ms).trace_id },
		};
		const values: Record<string, number> = {
			calls,
			write_cpu_us: round((user + system) / calls),
		};
		let slowest_ms = 0;
		let slowest_cpu_ms = 0;
		for (const [name, query] of Object.entries(queries)) {
			const took = Array.from({ length: runs }, () =>
				timed(() => {
					const before = process.threadCpuUsage();
					history.find({ ...query, limit: 50 });
					const used = process.threadCpuUsage(before);
					slowest_cpu_ms = Math.max(slowest_cpu_ms, (used.user + used.system) / 1_000);
				}),
			);
			took.sort((a, b) => a - b);
			const most_ms = took.at(-1) ?? 0;
			slowest_ms = Math.max(slowest_ms, most_ms);
			values[`${name}_ms`] = round(took[runs >> 1] ?? 0);
			// So that the one search that took long can be told from the others.
			values[`${name}_most_ms`] = round(most_ms);
		}
		values["by_id_ms"] = round(timed(() => history.get(id)));
		values["slowest_ms"] = round(slowest_ms);
		// Without what others took of the processor meanwhile.
		values["slowest_cpu_ms"] = round(slowest_cpu_ms);
		history.close();
		values["bytes_per_call"] = Math.round(statSync(path).size / calls);
		return values;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function timed(work: () => void): number {
	const began = performance.now();
	work();
	return performance.now() - began;
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}
