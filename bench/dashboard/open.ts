import { readFile } from "node:fs/promises";
import { setInterval } from "node:timers";
import type { GatewayProcess } from "../contenders.ts";
import { type Sample, summarize } from "../figures.ts";
import type { Measured } from "../hosting/measured.ts";
import { LoadGenerator, type LoadRequest } from "../load.ts";
import { callsOf, connections, rate, startFleet } from "./fleet.ts";

const dashboards_count = 3;
const run_ms = 8_000;
const warm_ms = 500;
/** As often as the page of the fleet reads everything again. */
const refresh_ms = 10_000;

/**
 * Latency and processor time of calls while nobody looks and while three people look at the fleet,
 * in rounds that take turns. What looks does over the network what the page in a browser does, the
 * stream of news and the fleet every ten seconds; a browser itself would share this machine's
 * processor with the gateway, as that of a person at another machine does not.
 */
export async function measureOpenDashboards(short: boolean): Promise<Measured> {
	const fleet = await startFleet();
	const generator = new LoadGenerator();
	try {
		return await inTurns(fleet.gateway, callsOf(fleet.gateway), generator, short ? 2 : 5);
	} finally {
		generator.stop();
		await fleet.stop();
	}
}

async function inTurns(
	gateway: GatewayProcess,
	request: LoadRequest,
	generator: LoadGenerator,
	rounds: number,
): Promise<Measured> {
	const token = (await readFile(gateway.admin_token_path, "utf8")).trim();
	const samples = new Map<number, Sample[]>([
		[0, []],
		[dashboards_count, []],
	]);
	const run = async (open: number) => {
		const close = await openDashboards(gateway.port, token, open);
		try {
			const shape = { connections, rate, warm_ms, run_ms, checked_only: true };
			return await generator.run(request, shape, gateway.pid);
		} finally {
			close();
		}
	};
	await run(dashboards_count);
	for (let round = 0; round < rounds; round += 1) {
		const order = round % 2 === 0 ? [0, dashboards_count] : [dashboards_count, 0];
		for (const open of order) samples.get(open)?.push(await run(open));
	}
	const none = summarize(samples.get(0) ?? []);
	const three = summarize(samples.get(dashboards_count) ?? []);
	return Object.fromEntries(
		Object.entries({
			p99_ms_with_none: none.p99_ms,
			p99_ms_with_three: three.p99_ms,
			p999_ms_with_none: none.p999_ms,
			p999_ms_with_three: three.p999_ms,
			cpu_us_with_none: none.cpu_us,
			cpu_us_with_three: three.cpu_us,
		}).flatMap(([name, value]) => (typeof value === "number" ? [[name, value]] : [])),
	);
}

/** Opens as many fleets as a browser would; the returned function closes them. */
async function openDashboards(port: number, token: string, count: number): Promise<() => void> {
	const over = new AbortController();
	const headers = { authorization: `Bearer ${token}` };
	const get = (path: string) =>
		fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: over.signal });
	const looks = Array.from({ length: count }, async () => {
		const news = await get("/api/events");
		void news.body?.pipeTo(new WritableStream({})).catch(() => undefined);
		const read = async () => void (await (await get("/api/fleet")).arrayBuffer());
		await read();
		return setInterval(() => void read().catch(() => undefined), refresh_ms);
	});
	const timers = await Promise.all(looks);
	return () => {
		for (const timer of timers) clearInterval(timer);
		over.abort();
	};
}
