import { parse } from "yaml";
import { at, comparedSides, type Side } from "../cases.ts";
import { startGateway } from "../contenders.ts";
import { cpuPerCall, rounded } from "../figures.ts";
import { benchSecret, fullConfig, startCollector, startIssuer } from "../full.ts";
import type { LoadGenerator } from "../load.ts";
import { modernCall } from "../requests.ts";
import { type Pace, SharedContenders, sampleRounds } from "../rounds.ts";
import type { CaseResult, Target } from "../targets.ts";
import {
	type Budget,
	type BudgetVerdict,
	earlier_prefix,
	judgeBudget,
	readBudget,
} from "./budget.ts";
import { buildEarlier, type Earlier } from "./earlier.ts";

/** The name of the case. */
export const budget_case = "cpu-budget";
/** The same measurement, beside the gateway that the budget was set with. */
export const earlier_case = "cpu-earlier";

const in_flight = 32;
/** What fails is measured again, and the rounds of all attempts count together. */
const attempts_max = 3;
/** Calls before the first round, whatever time they take: code is compiled while it runs. */
const warm_calls = 20_000;
const warm_runs_max = 12;
const run_ms_min = 1_500;

/** What is taken out of `bench/full.yaml`, from the first stage to the last but one. */
const without = {
	plain: { identity: undefined, policy: undefined, ...nothingKept() },
	identity: { policy: undefined, ...nothingKept() },
	policy: nothingKept(),
	full: {},
} as const;

function nothingKept() {
	return { audit: "off", calls: { log: "off", history: "off" }, telemetry: undefined };
}

/** The configuration of one stage: that of everything, without what later stages add. */
export function stageConfig(full: string, stage: keyof typeof without): object {
	const { version: _, ...config } = parse(full) as Record<string, unknown>;
	const { echo } = config["servers"] as { echo: Record<string, unknown> };
	const { env, scope, ...plain } = echo;
	// Without identity there is nobody whose instances could be kept apart.
	const server = stage === "full" ? echo : stage === "plain" ? plain : { ...plain, scope };
	return { ...config, servers: { echo: server }, ...without[stage] };
}

/**
 * Measures every stage beside the ceiling and beside the gateway that the budget was set with,
 * until it is in its budget or three times: both cases.
 */
export async function measureBudget(
	generator: LoadGenerator,
	pace: Pace,
	say: (text: string) => void,
): Promise<CaseResult[]> {
	const budget = readBudget();
	const earlier = await buildEarlier();
	say(
		earlier.kind === "built"
			? `beside it, the gateway of ${earlier.commit}, when the budget was set`
			: `not compared with an earlier gateway: ${earlier.why}`,
	);
	const others = new SharedContenders();
	const rounds: Record<string, number[]> = {};
	try {
		const sides = await stagesBeside(budget, others.shared, earlier);
		for (const side of Object.values(sides)) await warm(side, generator);
		const rounds_pace = { ...pace, settle_ms: 1, run_ms: Math.max(run_ms_min, pace.run_ms) };
		for (let attempt = 1; attempt <= attempts_max; attempt += 1) {
			const taken = await sampleRounds(shape, sides, generator, rounds_pace);
			for (const [side, samples] of taken) {
				rounds[side] ??= [];
				rounds[side].push(...samples.flatMap((sample) => cpuPerCall(sample) ?? []));
			}
			if (judgeBudget(budget, rounds).every(({ passed }) => passed)) break;
			if (attempt < attempts_max) say("a stage is over its budget: all are measured again");
		}
	} finally {
		await others.stop();
		if (earlier.kind === "built") await earlier.remove();
	}
	const unmeasured = Object.values(rounds).every((values) => values.length === 0);
	const no_time = "this system does not tell what CPU time a process takes";
	const no_earlier = earlier.kind === "none" ? earlier.why : undefined;
	const verdicts = judgeBudget(budget, rounds);
	const caseOf = (
		name: string,
		title: string,
		read: (verdict: BudgetVerdict) => number | null,
		why: string | undefined,
	): CaseResult => {
		const measured = verdicts.flatMap((verdict) => {
			const value = rounded(read(verdict), 3);
			return value === null ? [] : [[verdict.stage, value] as const];
		});
		const skipped = unmeasured ? no_time : why;
		const values = Object.fromEntries(measured);
		return { name, title, sides: {}, values, ...(skipped === undefined ? {} : { skipped }) };
	};
	return [
		caseOf(
			budget_case,
			"CPU time of a call in calls of the bare multiplexer, the best round of each",
			({ of_ceiling }) => of_ceiling,
			undefined,
		),
		caseOf(
			earlier_case,
			"CPU time of a call in calls of the gateway that the budget was set with",
			({ of_earlier }) => of_earlier,
			no_earlier,
		),
	];
}

const shape = { connections: in_flight };
async function warm({ contender, request }: Side, generator: LoadGenerator): Promise<void> {
	let calls = 0;
	for (let run = 0; run < warm_runs_max && calls < warm_calls; run += 1) {
		const times = { warm_ms: 0, run_ms: run_ms_min };
		calls += (await generator.run(request, { ...shape, ...times }, contender.pid)).calls;
	}
}

async function stagesBeside(
	{ stages }: Budget,
	shared: SharedContenders["shared"],
	earlier: Earlier,
): Promise<Record<string, Side>> {
	const say = modernCall();
	const issuer = await startIssuer({ shared });
	const { ceiling } = await comparedSides({ shared });
	if (ceiling === undefined) throw new Error("there is no ceiling");
	const sides: Record<string, Side> = { ceiling };
	const full = fullConfig(issuer.port, (await startCollector({ shared })).port);
	for (const stage of Object.keys(stages)) {
		if (!isStage(stage)) throw new Error(`bench/budget.json has an unknown stage: ${stage}`);
		const config = stageConfig(full, stage);
		const authorization = stage === "plain" ? {} : { authorization: `Bearer ${issuer.token}` };
		const headers = { ...say.headers, ...authorization };
		const start = async (side: string, program?: readonly string[]) => {
			const place = { environment: benchSecret(), ...(program === undefined ? {} : { program }) };
			const gateway = await shared(`stage ${side}`, () => startGateway(config, place));
			sides[side] = at(gateway, "/echo/mcp", { ...say, headers });
		};
		await start(stage);
		if (earlier.kind === "built") await start(`${earlier_prefix}${stage}`, earlier.program);
	}
	return sides;
}

function isStage(stage: string): stage is keyof typeof without {
	return Object.hasOwn(without, stage);
}

/** The budget as promises, for the report. */
export function budgetTargets(budget: Budget = readBudget()): Target[] {
	const { stages, tolerance } = budget;
	const of_ceiling = Object.entries(stages).map(
		([stage, { what, of_ceiling }]): Target => ({
			name: budget_case,
			what: `CPU of a call, in the ceiling's: ${stage} (${what})`,
			at: "most",
			limit: of_ceiling,
			check: of_ceiling * tolerance,
			read: (result) => result.values[stage] ?? null,
		}),
	);
	const of_earlier = Object.keys(stages).map(
		(stage): Target => ({
			name: earlier_case,
			what: `CPU of a call, in that of the gateway the budget was set with: ${stage}`,
			at: "most",
			limit: 1,
			check: tolerance,
			read: (result) => result.values[stage] ?? null,
		}),
	);
	return [...of_ceiling, ...of_earlier];
}
