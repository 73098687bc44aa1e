import { readdirSync } from "node:fs";
import { freemem } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { ServerStatus } from "../../src/admin/contract.ts";
import { cpuOf, residentOf } from "../process-stat.ts";
import type { HostingCase, Measured } from "./measured.ts";
import { echoServer, type Scene, withScene } from "./scene.ts";

const asleep_count = 300;
/** So many of them have run before; starting all would take longer than it tells. */
const started_count = 30;
/** A fleet that is looked at all the time is not asleep: the gateway makes 300 reports a look. */
const rare_look_ms = 1_000;
const calm_ms = 2_000;
const window_ms = 4_000;
const cycling_count = 200;
/** A Node process that does nothing takes about so much that it shares with no other. */
export const server_bytes = 40 * 1024 ** 2;
/** A person that works with a server calls it about once a minute. */
const calls_an_hour = 60;
const traffic_ms_max = 60_000;
const descriptor_looks = 20;

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);

function fleet(count: number, more: object): object {
	const entry = { ...echoServer(), start: "on-demand", ...more };
	return { servers: Object.fromEntries(namesOf(count).map((name) => [name, entry])) };
}

const asleep: HostingCase = {
	name: "hosting-300-asleep",
	title: `${asleep_count} servers that sleep, ${started_count} of which have run before`,
	measure: (short) =>
		withScene(fleet(asleep_count, { idle: { stop: "500ms" } }), async (scene) => {
			await inParallel(namesOf(started_count), 4, (name) => scene.ask(name));
			const isAsleep = ({ state }: ServerStatus) => state === "stopped" || state === "declared";
			await scene.until("asleep", isAsleep, rare_look_ms);
			await setTimeout(calm_ms);
			const { pid } = scene.gateway;
			const shares = await sharesOf(pid, short ? 3 : 5);
			const rss_mb = residentOf(pid);
			return shares === undefined || rss_mb === undefined
				? { skipped: "this system does not tell what a process takes" }
				: {
						rss_mb,
						cpu_percent: shares[shares.length >> 1] as number,
						cpu_most_percent: shares.at(-1) as number,
					};
		}),
};

/**
 * Percent of a core that a process takes in so many windows, the least first. A single window may
 * hold work that is done once, as a collection of garbage, and not what is paid all the time.
 */
async function sharesOf(pid: number, windows: number): Promise<number[] | undefined> {
	const shares: number[] = [];
	for (let window = 0; window < windows; window += 1) {
		const [before_ms, started] = [cpuOf(pid), performance.now()];
		await setTimeout(window_ms);
		const [after_ms, took_ms] = [cpuOf(pid), performance.now() - started];
		if (before_ms === undefined || after_ms === undefined) return undefined;
		shares.push(((after_ms - before_ms) / took_ms) * 100);
	}
	return shares.toSorted((a, b) => a - b);
}

const cycling: HostingCase = {
	name: "hosting-200-cycling",
	title: `${cycling_count} instances that freeze and wake as in an hour of one call a minute`,
	async measure() {
		if (freemem() < cycling_count * server_bytes) {
			return { skipped: `${cycling_count} servers need more memory than is free here` };
		}
		const idle = { freeze: "100ms", reclaim: "never", stop: "never" };
		return withScene(fleet(cycling_count, { idle }), measureCycling);
	},
};

async function measureCycling(scene: Scene): Promise<Measured> {
	const names = namesOf(cycling_count);
	await inParallel(names, 4, (name) => scene.ask(name));
	// The first rounds grow what every gateway keeps once: pools, compiled code, the heap's halves.
	for (let round = 0; round < 5; round += 1) await wakeAll(scene, names);
	const { pid } = scene.gateway;
	// A frozen instance holds a file that thaws it.
	await scene.untilAll("frozen");
	const before_fds = await descriptorsOf(pid);
	const started = performance.now();
	const resident_mb = [residentOf(pid)];
	let rounds = 0;
	// In halves: the heap grows at first whatever runs, only a leak goes on growing.
	for (const half of [1, 2]) {
		const rounds_max = (calls_an_hour * half) / 2;
		const until = started + (traffic_ms_max * half) / 2;
		while (rounds < rounds_max && performance.now() < until) {
			await wakeAll(scene, names);
			rounds += 1;
		}
		resident_mb.push(residentOf(pid));
	}
	await scene.untilAll("frozen");
	const took_s = (performance.now() - started) / 1_000;
	const after_fds = await descriptorsOf(pid);
	const [before_mb, halfway_mb, after_mb] = resident_mb;
	if (before_mb === undefined || halfway_mb === undefined || after_mb === undefined) {
		return { skipped: "this system does not tell what a process takes" };
	}
	return {
		wakes: rounds * names.length,
		...{ took_s, before_mb, halfway_mb, after_mb },
		grown_late_mb: after_mb - halfway_mb,
		grown_descriptors: (after_fds ?? 0) - (before_fds ?? 0),
	};
}

/** Wakes every server once, each after it was frozen. */
async function wakeAll(scene: Scene, names: readonly string[]): Promise<void> {
	await scene.untilAll("frozen");
	await inParallel(names, 8, (name) => scene.ask(name));
}

/**
 * Open files and connections of a process: the fewest of several looks, since files that are read
 * just now are no leak. Undefined where the system does not tell.
 */
export async function descriptorsOf(pid: number): Promise<number | undefined> {
	const counts: number[] = [];
	try {
		for (let look = 0; look < descriptor_looks; look += 1) {
			counts.push(readdirSync(`/proc/${pid}/fd`).length);
			await setTimeout(100);
		}
	} catch {
		return undefined;
	}
	return Math.min(...counts);
}

async function inParallel(
	names: readonly string[],
	width: number,
	run: (name: string) => Promise<unknown>,
): Promise<void> {
	const rest = names.values();
	const worker = async () => {
		for (const name of rest) await run(name);
	};
	await Promise.all(Array.from({ length: width }, worker));
}

/** Many servers on one gateway. */
export const fleet_cases: readonly HostingCase[] = [asleep, cycling];
