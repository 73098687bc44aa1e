import { readFile } from "node:fs/promises";
import { setInterval } from "node:timers";
import type { GatewayProcess } from "../contenders.ts";
import { summarize } from "../figures.ts";
import type { Measured } from "../hosting/measured.ts";
import { LoadGenerator, type LoadRequest } from "../load.ts";
import { cpuOfCalls, inTurns, known, p99Of } from "./compared.ts";
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
		return await compare(fleet.gateway, callsOf(fleet.gateway), generator, short ? 2 : 5);
	} finally {
		generator.stop();
		await fleet.stop();
	}
}

async function compare(
	gateway: GatewayProcess,
	request: LoadRequest,
	generator: LoadGenerator,
	rounds: number,
): Promise<Measured> {
	const token = (await readFile(gateway.admin_token_path, "utf8")).trim();
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
	const compared = await inTurns(rounds, (looked_at) => run(looked_at ? dashboards_count : 0));
	const none = summarize(compared.without);
	const three = summarize(compared.looked_at);
	return {
		...p99Of(compared),
		...known({
			p999_ms_without: none.p999_ms,
			p999_ms_with: three.p999_ms,
		}),
		...cpuOfCalls(compared),
	};
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
