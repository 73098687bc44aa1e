import { type Figures, ratio } from "./figures.ts";

/** What was measured in one case: figures by side, and what else there is to say. */
export interface CaseResult {
	readonly name: string;
	/** What is measured, for people. */
	readonly title: string;
	readonly sides: Readonly<Record<string, Figures>>;
	/** Measured values that are no figures of a side, with their unit in the name. */
	readonly values: Readonly<Record<string, number>>;
	/** Why it was not measured. */
	readonly skipped?: string;
}

/** One promise about a case, and how far noise may take a single run from it. */
export interface Target {
	readonly name: string;
	/** What is compared, for people. */
	readonly what: string;
	/** Whether the value is to be at least or at most the limit. */
	readonly at: "least" | "most";
	/** What is promised on a quiet machine. */
	readonly limit: number;
	/** What a single run on a busy machine must still hold: `bench:check` fails beyond it. */
	readonly check: number;
	read(result: CaseResult): number | null;
	/**
	 * The same comparison by CPU time, where there is one. On a machine that is busy with other
	 * things, calls a second tell who got the processor; CPU time still tells what a call costs, in
	 * the round of each side that was disturbed least.
	 */
	readByCpu?(result: CaseResult): number | null;
}

/** How one target came out. */
export interface Verdict {
	readonly target: Target;
	/** Null where it was not measured. */
	readonly value: number | null;
	/** Within what is promised. */
	readonly met: boolean;
	/** Within what a single run must hold. */
	readonly passed: boolean;
}

const rpsOver = (side: string) => (result: CaseResult) =>
	ratio(result.sides["moorage"]?.rps, result.sides[side]?.rps);

const cpuOver = (a: string, b: string) => (result: CaseResult) =>
	ratio(result.sides[a]?.cpu_us, result.sides[b]?.cpu_us);

const leastCpuOver = (a: string, b: string) => (result: CaseResult) =>
	ratio(result.sides[a]?.cpu_us_least, result.sides[b]?.cpu_us_least);

const valueOf = (name: string) => (result: CaseResult) => result.values[name] ?? null;

/** Everything that is promised. */
export const targets: readonly Target[] = [
	{
		name: "stdio-32-plain",
		what: "calls a second, of the bare multiplexer's",
		at: "least",
		limit: 0.6,
		check: 0.45,
		read: rpsOver("ceiling"),
		readByCpu: leastCpuOver("ceiling", "moorage"),
	},
	{
		name: "stdio-32-plain",
		what: "calls a second, of the SDK handler's",
		at: "least",
		limit: 4,
		check: 3,
		read: rpsOver("sdk"),
		readByCpu: leastCpuOver("sdk", "moorage"),
	},
	{
		name: "stdio-32-bridged",
		what: "CPU of a modern client's call to a legacy server, of one era's",
		at: "most",
		limit: 1.5,
		check: 1.8,
		read: cpuOver("moorage", "same_era"),
	},
	{
		name: "stdio-32-bridged",
		what: "CPU of a legacy client's call to a modern server, of one era's",
		at: "most",
		limit: 1.5,
		check: 1.8,
		read: cpuOver("legacy_to_modern", "legacy_same_era"),
	},
	{
		name: "idle-memory",
		what: "MiB of the gateway, idle",
		at: "most",
		limit: 95,
		check: 110,
		read: (result) => result.sides["moorage"]?.rss_mb ?? null,
	},
	{
		name: "sessions-10000-idle",
		what: "MiB that 10,000 idle legacy sessions add",
		at: "most",
		limit: 100,
		check: 120,
		read: valueOf("added_mb"),
	},
	{
		name: "stream-idle",
		what: "KiB that an idle subscription stream adds",
		at: "most",
		limit: 20,
		check: 26,
		read: valueOf("added_kb_each"),
	},
	{
		name: "quickstart-start",
		what: "ms until the quickstart is ready, its packages installed",
		at: "most",
		limit: 1_000,
		check: 4_000,
		read: valueOf("ready_ms"),
	},
];

/** Compares what was measured with what is promised; cases that did not run are left out. */
export function judge(results: readonly CaseResult[], all = targets): Verdict[] {
	return all.flatMap((target) => {
		const result = results.find(({ name }) => name === target.name);
		if (result === undefined) return [];
		const value = target.read(result);
		const by_cpu = target.readByCpu?.(result) ?? value;
		const { limit, check } = target;
		const met = within(target, value, limit, result);
		const passed = within(target, value, check, result) || within(target, by_cpu, check, result);
		return [{ target, value, met, passed }];
	});
}

/** What was skipped breaks no promise; what ran and could not be measured keeps none. */
function within(
	{ at }: Target,
	value: number | null,
	limit: number,
	{ skipped }: CaseResult,
): boolean {
	if (value === null) return skipped !== undefined;
	return at === "least" ? value >= limit : value <= limit;
}
