import type { CallCase, House, Side } from "./cases.ts";
import type { Contender } from "./contenders.ts";
import { type Figures, type Sample, summarize } from "./figures.ts";
import type { LoadGenerator } from "./load.ts";
import { loopDelayOf } from "./loop-delay.ts";

/** How long everything takes. */
export interface Pace {
	readonly rounds: number;
	readonly warm_ms: number;
	readonly run_ms: number;
	/**
	 * Load on each side before the first round, up to four times, until it had its calls. A program
	 * compiles its code while it runs, the more code the longer; on a slow machine that would be most
	 * of what short rounds measure.
	 */
	readonly settle_ms: number;
}

/** With so many calls the code of a side is compiled, whatever time they took. */
const settle_calls = 20_000;
const settle_runs_max = 4;

/**
 * Makes what runs the rounds of a case; of each side the medians of all rounds that it ran. Run
 * once more, it counts those before too: no round is thrown away because of how it came out.
 */
export async function roundsOf(
	one: CallCase,
	house: House,
	generator: LoadGenerator,
	pace: Pace,
): Promise<() => Promise<Record<string, Figures>>> {
	const sides = await one.sides(house);
	const all = new Map<string, Sample[]>();
	return async () => {
		for (const [name, taken] of await sampleRounds(one, sides, generator, pace)) {
			all.set(name, [...(all.get(name) ?? []), ...taken]);
		}
		return Object.fromEntries([...all].map(([name, taken]) => [name, summarize(taken)]));
	};
}

/** What of a case its rounds need. */
export type Rounded = Pick<CallCase, "connections" | "rate" | "checked_only">;

/**
 * Runs the rounds of a case: in every round each side has its turn, so that a machine that is busy
 * for a while is busy for all of them. The order turns round from one round to the next.
 */
export async function sampleRounds(
	one: Rounded,
	of: Readonly<Record<string, Side>>,
	generator: LoadGenerator,
	pace: Pace,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
	const sides = Object.entries(of);
	const samples = new Map<string, Sample[]>(sides.map(([name]) => [name, []]));
	for (const [, side] of sides) {
		let calls = 0;
		for (let run = 0; run < settle_runs_max && calls < settle_calls; run += 1) {
			const times = { warm_ms: 0, run_ms: pace.settle_ms };
			calls += (await runSide(side, times, one, generator)).calls;
		}
	}
	for (let round = 0; round < pace.rounds; round += 1) {
		const order = round % 2 === 0 ? sides : sides.toReversed();
		for (const [name, side] of order) {
			const sample = await runSide(side, pace, one, generator);
			samples.get(name)?.push(sample);
		}
	}
	return samples;
}

async function runSide(
	{ contender, request }: Side,
	{ warm_ms, run_ms }: Pick<Pace, "warm_ms" | "run_ms">,
	{ connections, rate, checked_only }: Rounded,
	generator: LoadGenerator,
): Promise<Sample> {
	await loopDelayOf(contender, request.headers);
	const shape = { connections, warm_ms, run_ms, rate, checked_only };
	const sample = await generator.run(request, shape, contender.pid);
	return { ...sample, loop_p99_ms: await loopDelayOf(contender, request.headers) };
}

/** Contenders that cases share, started when the first one asks and stopped together. */
export class SharedContenders {
	readonly #started = new Map<string, Promise<Contender>>();

	/** Starts a contender, or gives the one that runs. */
	readonly shared = (name: string, start: () => Promise<Contender>): Promise<Contender> => {
		let starting = this.#started.get(name);
		if (starting === undefined) {
			starting = start();
			this.#started.set(name, starting);
		}
		return starting;
	};

	/** Stops those that started; what did not start has been told already. */
	async stop(): Promise<void> {
		const settled = await Promise.allSettled(this.#started.values());
		const running = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
		await Promise.all(running.map((contender) => contender.stop()));
	}
}
