import { parse } from "yaml";
import { at, comparedSides, type Side } from "../cases.ts";
import { startGateway } from "../contenders.ts";
import { cpuPerCall, rounded } from "../figures.ts";
import { benchSecret, fullConfig, startCollector, startIssuer } from "../full.ts";
import type { LoadGenerator } from "../load.ts";
import { modernCall } from "../requests.ts";
import { type Pace, SharedContenders, sampleRounds } from "../rounds.ts";
import type { CaseResult, Target } from "../targets.ts";
import { type Budget, judgeBudget, readBudget } from "./budget.ts";

/** The name of the case. */
export const budget_case = "cpu-budget";

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

/** Measures every stage beside the ceiling, until it is in its budget or three times. */
export async function measureBudget(
	generator: LoadGenerator,
	pace: Pace,
	say: (text: string) => void,
): Promise<CaseResult> {
	const budget = readBudget();
	const others = new SharedContenders();
	const rounds: Record<string, number[]> = {};
	try {
		const sides = await stagesBeside(budget, others.shared);
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
	}
	const title = "CPU time of a call in calls of the bare multiplexer, the best round of each";
	if (Object.values(rounds).every((values) => values.length === 0)) {
		const skipped = "this system does not tell what CPU time a process takes";
		return { name: budget_case, title, sides: {}, values: {}, skipped };
	}
	const values = Object.fromEntries(
		judgeBudget(budget, rounds).flatMap(({ stage, of_ceiling }) =>
			of_ceiling === null ? [] : [[stage, rounded(of_ceiling, 3) as number]],
		),
	);
	return { name: budget_case, title, sides: {}, values };
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
		const gateway = await shared(`stage ${stage}`, () =>
			startGateway(config, { environment: benchSecret() }),
		);
		const authorization = stage === "plain" ? {} : { authorization: `Bearer ${issuer.token}` };
		const headers = { ...say.headers, ...authorization };
		sides[stage] = at(gateway, "/echo/mcp", { ...say, headers });
	}
	return sides;
}

function isStage(stage: string): stage is keyof typeof without {
	return Object.hasOwn(without, stage);
}

/** The budget as promises, for the report. */
export function budgetTargets(budget: Budget = readBudget()): Target[] {
	return Object.entries(budget.stages).map(([stage, { what, of_ceiling }]) => ({
		name: budget_case,
		what: `CPU of a call, in the ceiling's: ${stage} (${what})`,
		at: "most",
		limit: of_ceiling,
		check: of_ceiling * budget.tolerance,
		read: (result) => result.values[stage] ?? null,
	}));
}
