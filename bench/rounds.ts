import type { CallCase, House, Side } from "./cases.ts";
import type { Contender } from "./contenders.ts";
import { type Figures, type Sample, summarize } from "./figures.ts";
import type { LoadGenerator } from "./load.ts";

/** How long everything takes. */
export interface Pace {
	readonly rounds: number;
	readonly warm_ms: number;
	readonly run_ms: number;
	/**
	 * Load on each side before the first round. A program compiles its code while it runs, the more
	 * code the longer; on a slow machine that would be most of what short rounds measure.
	 */
	readonly settle_ms: number;
}

/**
 * Runs a case: in every round each side has its turn, so that a machine that is busy for a while
 * is busy for all of them. The order turns round from one round to the next.
 */
export async function runRounds(
	one: CallCase,
	house: House,
	generator: LoadGenerator,
	pace: Pace,
): Promise<Record<string, Figures>> {
	const sides = Object.entries(await one.sides(house));
	const samples = new Map<string, Sample[]>(sides.map(([name]) => [name, []]));
	for (const [, side] of sides) {
		await runSide(side, { ...pace, warm_ms: 0, run_ms: pace.settle_ms }, one, generator);
	}
	for (let round = 0; round < pace.rounds; round += 1) {
		const order = round % 2 === 0 ? sides : sides.toReversed();
		for (const [name, side] of order) {
			const sample = await runSide(side, pace, one, generator);
			samples.get(name)?.push(sample);
		}
	}
	return Object.fromEntries([...samples].map(([name, taken]) => [name, summarize(taken)]));
}

function runSide(
	{ contender, request }: Side,
	{ warm_ms, run_ms }: Pick<Pace, "warm_ms" | "run_ms">,
	{ connections, rate, checked_only }: CallCase,
	generator: LoadGenerator,
): Promise<Sample> {
	return generator.run(
		request,
		{ connections, warm_ms, run_ms, rate, checked_only },
		contender.pid,
	);
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
