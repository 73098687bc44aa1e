import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Audit } from "../../src/audit/audit.ts";
import { CallLog } from "../../src/calls/call-log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import type { CallRecord } from "../../src/telemetry/call-record.ts";
import { sampleRecord } from "../../test/support/call-record.ts";

const calls_per_second = 10_000;
const warm_s = 2;
const run_s = 4;
const step_ms = 5;
const secrets = 100;

const request = Buffer.from(
	'{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"echo",' +
		'"arguments":{"text":"sixty-four bytes of something that somebody said to somebody"}}}',
);
const reply = Buffer.from(
	'{"jsonrpc":"2.0","id":12,"result":{"content":[{"type":"text",' +
		'"text":"sixty-four bytes of something that somebody said to somebody"}]}}',
);
const hash = "ab".repeat(32);

/** CPU of the call log and the audit for each call, at a fixed rate, secrets redacted. */
export async function measureCost(risk: "read" | "costly"): Promise<Record<string, number>> {
	const folder = mkdtempSync(join(tmpdir(), "moorage-bench-evidence-"));
	const redactor = new SecretRedactor();
	for (let n = 0; n < secrets; n += 1) redactor.add(`a-secret-of-number-${n}-and-more`);
	const onTrouble = (trouble: object) => {
		throw new Error(`evidence was lost: ${JSON.stringify(trouble)}`);
	};
	const audit = new Audit({
		clock: systemClock,
		data: {
			folder: join(folder, "audit"),
			seed: Buffer.alloc(32, 1),
			box_key: Buffer.alloc(32, 2),
			segment_bytes_max: 64 * 1024 * 1024,
			retention: { keep_ms: 1e12, risks: {}, tenants: {} },
		},
		required: false,
		payload_bytes_max: 8 * 1024 * 1024,
		redactor,
		onTrouble,
		wait_ms_max: 60_000,
	});
	const log = new CallLog({
		clock: systemClock,
		data: {
			folder: join(folder, "calls"),
			file: { bytes_max: 64 * 1024 * 1024, files_max: 8 },
			history: { keep_ms: 1e12, calls_max: 1e9 },
		},
		stdout: undefined,
		redactor,
		onTrouble,
	});
	const waits: number[] = [];
	let count = 0;
	const make = (): CallRecord =>
		sampleRecord(
			{
				id: `0198a000-0000-7000-8000-${String(count++).padStart(12, "0")}`,
				risk,
				inputHash: () => hash,
			},
			{ request, reply },
		);
	const record = async (): Promise<void> => {
		const one = make();
		const began = performance.now();
		if (risk !== "read") await audit.before(one);
		const after = audit.after(one);
		log.after(one);
		await after;
		if (risk !== "read") waits.push(performance.now() - began);
	};
	const pace = async (seconds: number, work: () => unknown) => {
		const began = performance.now();
		for (let step = 1; step <= (seconds * 1000) / step_ms; step += 1) {
			for (let n = 0; n < (calls_per_second * step_ms) / 1000; n += 1) void work();
			await sleep(Math.max(0, step * step_ms - (performance.now() - began)));
		}
	};
	const cost = async (work: () => unknown) => {
		await pace(warm_s, work);
		waits.length = 0;
		const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
		await pace(run_s, work);
		const calls = calls_per_second * run_s;
		const sum = ({ user, system }: { user: number; system: number }) => (user + system) / calls;
		return { main: sum(process.threadCpuUsage(main)), all: sum(process.cpuUsage(all)) };
	};
	try {
		// What the loop and the records themselves cost is taken off.
		const bare = await cost(make);
		const full = await cost(record);
		waits.sort((a, b) => a - b);
		const at = (share: number) => round(waits[Math.floor(waits.length * share)] ?? 0);
		return {
			main_cpu_us: round(full.main - bare.main),
			all_cpu_us: round(full.all - bare.all),
			...(risk === "read" ? {} : { wait_p50_ms: at(0.5), wait_p99_ms: at(0.99) }),
		};
	} finally {
		await audit.close();
		await log.close();
		rmSync(folder, { recursive: true });
	}
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}
