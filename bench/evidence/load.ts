import { echoArguments, startGateway, startProgram } from "../contenders.ts";
import { type Figures, rounded, type Sample, summarize } from "../figures.ts";
import { LoadGenerator } from "../load.ts";
import { mainThreadCpuOf } from "../process-stat.ts";
import { modernCall } from "../requests.ts";

/** Calls a second that are promised something of. */
const rate_max = 10_000;
/** Closer to what it can carry, a gateway without evidence has no p99 that one could keep. */
const share_of_capacity = 0.5;
/**
 * Nor has one with evidence, where a machine carries less with it: over its capacity the queue
 * grows as long as the round lasts, and p99 says how long that was.
 */
const share_of_kept_capacity = 0.7;
const connections = 128;
const warm_ms = 1_000;
const settle_ms = 4_000;
const run_ms = 3_000;

const off = { audit: "off", calls: { log: "off", history: "off" } };

interface Side {
	readonly pid: number;
	readonly port: number;
	readonly samples: Sample[];
	/** Milliseconds of the main thread. */
	main_ms: number;
	calls: number;
}

/**
 * Calls that come at a rate whatever becomes of them, to a gateway that keeps no evidence and to
 * one that keeps all of it, each call traced: by turns, so that a busy machine is busy for both.
 */
export async function measureEvidenceLoad(short: boolean): Promise<Record<string, number>> {
	const collector = await startProgram("collector");
	const url = `http://127.0.0.1:${collector.port}`;
	const servers = { echo: { command: process.execPath, args: echoArguments("--era", "modern") } };
	const gateways = [
		await startGateway({ servers, ...off }),
		await startGateway({ servers, telemetry: { otlp: { url } } }),
	] as const;
	const generator = new LoadGenerator();
	const [without, kept] = gateways.map(
		({ pid, port }): Side => ({ pid, port, samples: [], main_ms: 0, calls: 0 }),
	) as [Side, Side];
	const load = async (side: Side, rate: number | undefined, run: number): Promise<Sample> => {
		const { pid, port } = side;
		const request = { port, path: "/echo/mcp", ...modernCall() };
		const before = mainThreadCpuOf(pid) ?? 0;
		const shape = { connections, rate, warm_ms, run_ms: run, checked_only: true };
		const sample = await generator.run(request, shape, pid);
		side.main_ms += (mainThreadCpuOf(pid) ?? 0) - before;
		side.calls += sample.calls * ((run + warm_ms) / run);
		return sample;
	};
	try {
		// Both are warm before anything is told of either.
		for (const side of [without, kept]) await load(side, undefined, settle_ms);
		const capacityOf = async (side: Side) => {
			const { calls, seconds } = await load(side, undefined, run_ms);
			return calls / seconds;
		};
		const capacity = await capacityOf(without);
		const kept_capacity = await capacityOf(kept);
		const carried = Math.min(share_of_capacity * capacity, share_of_kept_capacity * kept_capacity);
		const rate = Math.min(rate_max, Math.floor(carried / 100) * 100);
		for (const side of [without, kept]) Object.assign(side, { main_ms: 0, calls: 0 });
		for (let round = 0; round < (short ? 3 : 7); round += 1) {
			const order = round % 2 === 0 ? [without, kept] : [kept, without];
			for (const side of order) side.samples.push(await load(side, rate, run_ms));
		}
		const capacities = { off_capacity: capacity, on_capacity: kept_capacity };
		return { ...rounds(capacities), ...valuesOf(rate, without, kept) };
	} finally {
		generator.stop();
		await Promise.all(gateways.map((gateway) => gateway.stop()));
		await collector.stop();
	}
}

function rounds(values: Readonly<Record<string, number>>): Record<string, number> {
	return Object.fromEntries(
		Object.entries(values).map(([name, value]) => [name, Math.round(value)]),
	);
}

function valuesOf(rate: number, without: Side, kept: Side): Record<string, number> {
	const [off_figures, on_figures] = [without, kept].map(({ samples }) => summarize(samples)) as [
		Figures,
		Figures,
	];
	const p99s = without.samples.map(({ p99_ms }) => p99_ms);
	const main = ({ main_ms, calls }: Side) => rounded((main_ms * 1_000) / calls, 3) as number;
	return {
		calls_per_second: rate,
		off_p50_ms: off_figures.p50_ms ?? 0,
		on_p50_ms: on_figures.p50_ms ?? 0,
		off_p99_ms: off_figures.p99_ms ?? 0,
		on_p99_ms: on_figures.p99_ms ?? 0,
		off_p99_least_ms: rounded(Math.min(...p99s), 3) as number,
		off_p99_most_ms: rounded(Math.max(...p99s), 3) as number,
		off_cpu_us: off_figures.cpu_us ?? 0,
		on_cpu_us: on_figures.cpu_us ?? 0,
		off_main_cpu_us: main(without),
		on_main_cpu_us: main(kept),
	};
}
