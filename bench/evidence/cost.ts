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

/** A call log and an audit in a folder of their own, with secrets to look for. */
function openEvidence(folder: string) {
	const redactor = new SecretRedactor();
	for (let n = 0; n < secrets; n += 1) redactor.add(`a-secret-of-number-${n}-and-more`);
	const onTrouble = (trouble: object) => {
		throw new Error(`evidence was lost: ${JSON.stringify(trouble)}`);
	};
	const clock = systemClock;
	const audit = new Audit({
		clock,
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
	const data = {
		folder: join(folder, "calls"),
		file: { bytes_max: 64 * 1024 * 1024, files_max: 8 },
		history: { keep_ms: 1e12, calls_max: 1e9 },
	};
	const log = new CallLog({ clock, data, stdout: undefined, redactor, onTrouble });
	return { audit, log };
}

/** Does some work at a fixed rate. */
async function pace(seconds: number, work: () => unknown): Promise<void> {
	const began = performance.now();
	for (let step = 1; step <= (seconds * 1000) / step_ms; step += 1) {
		for (let n = 0; n < (calls_per_second * step_ms) / 1000; n += 1) void work();
		await sleep(Math.max(0, step * step_ms - (performance.now() - began)));
	}
}

/** CPU of some work for each call, of this thread and of all, in microseconds. */
async function costOf(work: () => unknown, onWarm: () => void) {
	await pace(warm_s, work);
	onWarm();
	const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
	await pace(run_s, work);
	const calls = calls_per_second * run_s;
	const sum = ({ user, system }: { user: number; system: number }) => (user + system) / calls;
	return { main: sum(process.threadCpuUsage(main)), all: sum(process.cpuUsage(all)) };
}

/** CPU of the call log and the audit for each call, at a fixed rate, secrets redacted. */
export async function measureCost(risk: "read" | "costly"): Promise<Record<string, number>> {
	const folder = mkdtempSync(join(tmpdir(), "moorage-bench-evidence-"));
	const { audit, log } = openEvidence(folder);
	const waits: number[] = [];
	let count = 0;
	const make = (): CallRecord => {
		const id = `0198a000-0000-7000-8000-${String(count++).padStart(12, "0")}`;
		return sampleRecord({ id, risk, inputHash: () => hash }, { request, reply });
	};
	const record = async (): Promise<void> => {
		const one = make();
		const began = performance.now();
		if (risk !== "read") await audit.before(one);
		const after = audit.after(one);
		log.after(one);
		if (after === undefined) return;
		await after;
		waits.push(performance.now() - began);
	};
	try {
		// What the loop and the records themselves cost is taken off.
		const bare = await costOf(make, () => undefined);
		const full = await costOf(record, () => waits.splice(0));
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
