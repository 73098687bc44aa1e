import { readdirSync, readFileSync } from "node:fs";
import { freemem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { descriptorsOf, server_bytes } from "../hosting/fleets.ts";
import type { HostingCase } from "../hosting/measured.ts";
import { echoServer, type Scene, withScene } from "../hosting/scene.ts";
import { residentOf } from "../process-stat.ts";
import { modernCall, modernToolCall } from "../requests.ts";
import { slopeOf } from "./slope.ts";

/** How long it goes on, whichever is reached first. */
export interface SoakSize {
	readonly calls: number;
	readonly minutes: number;
	readonly servers: number;
}

/** What is meant by a soak, where nothing else is said. */
export const soak_size: SoakSize = { calls: 1_000_000, minutes: 30, servers: 200 };

/** Calls under way at one time, and how many in a row one caller makes to a server. */
const callers = 32;
const calls_in_a_row = 50;
/** One call in so many ends its server, and at one in so many an operator restarts it. */
const crash_every = 2_000;
const restart_every = 5_000;
const look_ms = 1_000;
const slope_calls_min = 100_000;
/** Calls after which everything has been compiled and every pool has its size. */
const warm_share = 1 / 3;
const gone_ms_max = 20_000;

/** What became of calls. */
interface Tally {
	made: number;
	answered: number;
	/** Answered with an error, as those are that their server ends over. */
	failed: number;
	/** Without any answer. */
	lost: number;
	crashes: number;
	restarts: number;
}

/** Calls over many servers that freeze, wake, end and are restarted, and what is left of that. */
export function soakCase(size: SoakSize): HostingCase {
	return {
		name: "soak",
		title: `${size.calls} calls, ${size.minutes} minutes at most, over ${size.servers} servers`,
		async measure() {
			if (freemem() < size.servers * server_bytes) {
				return { skipped: `${size.servers} servers need more memory than is free here` };
			}
			const mark = crypto.randomUUID();
			const measured = await withScene(soakConfig(size, mark), (scene) => soak(scene, size));
			return { ...measured, processes_left: await processesLeft(mark) };
		},
	};
}

const namesOf = ({ servers }: SoakSize) => Array.from({ length: servers }, (_, at) => `s${at}`);

function soakConfig(size: SoakSize, mark: string): object {
	const entry = {
		...echoServer(),
		...{ start: "on-demand", env: { MOORAGE_BENCH_MARK: mark } },
		idle: { freeze: "200ms", reclaim: "never", stop: "10s" },
	};
	return { servers: Object.fromEntries(namesOf(size).map((name) => [name, entry])) };
}

async function soak(scene: Scene, size: SoakSize): Promise<Record<string, number>> {
	const { pid } = scene.gateway;
	const names = namesOf(size);
	// What a server needs once and for all is no part of what a long run leaves behind.
	await Promise.all(names.map((name) => scene.call(name, modernCall())));
	const before = await descriptorsAtRest(scene);
	const tally: Tally = { made: 0, answered: 0, failed: 0, lost: 0, crashes: 0, restarts: 0 };
	const resident: [calls: number, mb: number][] = [];
	const watching = new AbortController();
	const watch = watchMemory(pid, tally, resident, watching.signal);
	const started = performance.now();
	const until = started + size.minutes * 60_000;
	let next = 0;
	const caller = async () => {
		while (tally.made < size.calls && performance.now() < until) {
			const name = names[next % names.length] as string;
			next += 1;
			for (let call = 0; call < calls_in_a_row && tally.made < size.calls; call += 1) {
				await callOnce(scene, name, tally);
			}
		}
	};
	await Promise.all(Array.from({ length: callers }, caller));
	const minutes = (performance.now() - started) / 60_000;
	watching.abort();
	await watch;
	const after = await descriptorsAtRest(scene);
	const warm = resident.filter(([calls]) => calls >= tally.made * warm_share);
	// In a short run everything still grows to the size that it is going to have.
	const is_long = tally.made >= slope_calls_min;
	const slope = is_long ? slopeOf(warm.map(([calls, mb]) => [calls / 100_000, mb])) : undefined;
	return {
		...tally,
		minutes,
		rss_mb: resident.at(-1)?.[1] ?? 0,
		...(slope === undefined
			? {}
			: { slope_mb_per_100k: slope.per_step, slope_noise_mb_per_100k: slope.noise }),
		...(before === undefined || after === undefined
			? {}
			: { descriptors_left: Math.max(0, after - before) }),
	};
}

/** Open files of the gateway when no server runs and no client is connected. */
async function descriptorsAtRest(scene: Scene): Promise<number | undefined> {
	// What is frozen holds files in the gateway; what has stopped holds none.
	const stopped: ReadonlySet<string> = new Set(["stopped", "declared", "failed"]);
	await scene.until("stopped", ({ state }) => stopped.has(state));
	scene.close();
	return descriptorsOf(scene.gateway.pid);
}

async function callOnce(scene: Scene, name: string, tally: Tally): Promise<void> {
	tally.made += 1;
	const number = tally.made;
	const crashes = number % crash_every === 0;
	if (number % restart_every === 0) {
		tally.restarts += 1;
		// Nobody waits for it: calls come in the meantime, as they do.
		void scene.admin("POST", `/api/servers/${name}/restart`).catch(() => undefined);
	}
	const saying = crashes ? modernToolCall("echo", { text: "", crash: true }, "") : modernCall();
	if (crashes) tally.crashes += 1;
	try {
		const { status, text } = await scene.call(name, saying);
		tally.answered += 1;
		if (status !== 200 || !text.includes(saying.marker) || crashes) tally.failed += 1;
	} catch (error) {
		tally.lost += 1;
		process.stderr.write(`${name}: ${String(error)}\n`);
	}
}

async function watchMemory(
	pid: number,
	tally: Tally,
	resident: [number, number][],
	signal: AbortSignal,
): Promise<void> {
	while (!signal.aborted) {
		const mb = residentOf(pid);
		if (mb !== undefined) resident.push([tally.made, mb]);
		await setTimeout(look_ms, undefined, { signal }).catch(() => undefined);
	}
}

/** Processes that were started for the servers and are still there, once they had time to end. */
async function processesLeft(mark: string): Promise<number> {
	const until = performance.now() + gone_ms_max;
	for (;;) {
		const left = markedProcesses(mark);
		if (left === 0 || performance.now() > until) return left;
		await setTimeout(look_ms);
	}
}

function markedProcesses(mark: string): number {
	return readdirSync("/proc").filter((pid) => {
		try {
			return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
		} catch {
			return false;
		}
	}).length;
}
