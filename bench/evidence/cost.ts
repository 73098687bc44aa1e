import { setTimeout as sleep } from "node:timers/promises";
import type { CallRecord } from "../../src/telemetry/call-record.ts";
import { sampleRecord } from "../../test/support/call-record.ts";
import { median, rounded } from "../figures.ts";
import { type EvidenceHouse, openEvidence } from "./house.ts";

const calls_per_second = 10_000;
const warm_s = 2;
/** Each with and without evidence by turns, so that what else the machine does is in both. */
const rounds = 5;
const round_s = 1;
const step_ms = 5;

const request = Buffer.from(
	'{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"echo",' +
		'"arguments":{"text":"sixty-four bytes of something that somebody said to somebody"}}}',
);
const reply = Buffer.from(
	'{"jsonrpc":"2.0","id":12,"result":{"content":[{"type":"text",' +
		'"text":"sixty-four bytes of something that somebody said to somebody"}]}}',
);
/** As a hash comes from the engine: in one piece. */
const hash = Buffer.alloc(32, 0xab).toString("hex");

/** Does some work at a fixed rate. */
async function pace(seconds: number, work: () => unknown): Promise<void> {
	const began = performance.now();
	for (let step = 1; step <= (seconds * 1000) / step_ms; step += 1) {
		for (let n = 0; n < (calls_per_second * step_ms) / 1000; n += 1) void work();
		await sleep(Math.max(0, step * step_ms - (performance.now() - began)));
	}
}

/** CPU of some work for each call, of this thread and of all, in microseconds. */
async function costOf(work: () => unknown) {
	const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
	await pace(round_s, work);
	const calls = calls_per_second * round_s;
	const sum = ({ user, system }: { user: number; system: number }) => (user + system) / calls;
	return { main: sum(process.threadCpuUsage(main)), all: sum(process.cpuUsage(all)) };
}

/** What is done for one call, as the gateway does it; nobody waits for a call that reads. */
function record(
	{ audit, log, telemetry }: EvidenceHouse,
	one: CallRecord,
	onWaited: (wait_ms: number) => void,
): void {
	const keep = () => {
		const written = audit.after(one);
		log.after(one);
		telemetry.take(one);
		return written;
	};
	if (one.risk === "read") void keep();
	else void waitFor(audit.before(one), keep).then(onWaited);
}

/** How long a call waits for its intent, and after its server's part for its outcome. */
async function waitFor(
	intent: Promise<void> | undefined,
	keep: () => Promise<void> | undefined,
): Promise<number> {
	const began = performance.now();
	await intent;
	await keep();
	return performance.now() - began;
}

/**
 * The yardstick: a line of the call log as one would make it without thinking. It grows as much as
 * everything else where others use the machine.
 */
function lineByJson(one: CallRecord): number {
	const { request: _, reply: __, inputHash, ...line } = one;
	const text = JSON.stringify({ ...line, service: "moorage", input_hash: inputHash() });
	return yardstick.write(`${text}\n`);
}

const yardstick = Buffer.alloc(16 * 1024);

/**
 * CPU of the call log, the audit, the metrics and a sampled trace for each call at a fixed rate,
 * secrets redacted; and how long a call waits for its two entries to be on the disk.
 */
export async function measureCost(risk: "read" | "costly"): Promise<Record<string, number>> {
	const waits: number[] = [];
	/** What each append took, the disk included: the wait is judged by it. */
	const appends: number[] = [];
	const house = await openEvidence((append_ms) => appends.push(append_ms));
	let count = 0;
	const make = (): CallRecord => {
		const id = `0198a000-0000-7000-8000-${String(count++).padStart(12, "0")}`;
		return sampleRecord({ id, risk, inputHash: () => hash }, { request, reply });
	};
	const keep = () => record(house, make(), (wait_ms) => waits.push(wait_ms));
	try {
		await pace(warm_s, make);
		await pace(warm_s, keep);
		waits.length = 0;
		appends.length = 0;
		const costs: { main: number; all: number; json: number }[] = [];
		for (let round = 0; round < rounds; round += 1) {
			// What the loop and the records themselves cost is taken off.
			const bare = await costOf(make);
			const full = await costOf(keep);
			const json = await costOf(() => lineByJson(make()));
			costs.push({
				main: full.main - bare.main,
				all: full.all - bare.all,
				json: json.main - bare.main,
			});
		}
		const at = (times: number[], share: number) => {
			times.sort((a, b) => a - b);
			return rounded(times[Math.floor(times.length * share)] ?? 0, 2) as number;
		};
		const [wait_p99_ms, append_p99_ms] = [at(waits, 0.99), at(appends, 0.99)];
		const middle = (read: (cost: (typeof costs)[number]) => number) =>
			rounded(median(costs.map(read)), 2) ?? 0;
		return {
			main_cpu_us: middle(({ main }) => main),
			all_cpu_us: middle(({ all }) => all),
			json_cpu_us: middle(({ json }) => json),
			times_json: middle(({ main, json }) => main / json),
			lost: house.lost(),
			...(risk === "read"
				? {}
				: {
						wait_p50_ms: at(waits, 0.5),
						wait_p99_ms,
						append_p50_ms: at(appends, 0.5),
						append_p99_ms,
						wait_in_appends: rounded(wait_p99_ms / append_p99_ms, 2) ?? 0,
					}),
		};
	} finally {
		await house.close();
	}
}
