import { join } from "node:path";
import { startJudgedServer } from "./judged-server.ts";
import { type Revision, readRequirements, revisions } from "./requirements.ts";
import { type Fixture, startRig, type Transport } from "./rig.ts";
import {
	runAuthorizationServer,
	runClientScenario,
	runServerScenario,
	runServerSet,
	type ScenarioOutcome,
} from "./suite.ts";

/** One row of the report: some scenarios of a set, run in one way. */
export interface LegOutcome {
	/** A requirement set, what is not required of it, or an extension. */
	readonly set: string;
	/** The side under test and what stands on the other. */
	readonly leg: string;
	readonly outcomes: readonly ScenarioOutcome[];
}

/** The scenarios of a row that the suite does not leave out itself. */
export function judged({ outcomes }: LegOutcome): ScenarioOutcome[] {
	return outcomes.filter(({ skipped }) => skipped === undefined);
}

/** Something that is run as a whole and gives one or more rows. */
export interface Leg {
	readonly title: string;
	run(folder: string): Promise<LegOutcome[]>;
}

/** Scenarios of the Tasks extension; they have a fixture of their own. */
const isTasks = (scenario: string) => scenario.startsWith("tasks-");
const isAuth = (scenario: string) => scenario.startsWith("auth/");

/**
 * Scenarios in which the suite judges nothing: the one always (it waits to be rewritten), the
 * other where the server behind the gateway says nothing before its answer.
 */
const may_judge_nothing = ["tasks-status-notifications", "server-sse-polling"];

/** Client scenarios that may run at once: each starts the suite, a gateway and a server. */
const clients_at_once = 2;

const skill_scenarios = {
	server: ["sep-2640-skills-directory", "sep-2640-skills-enumeration", "sep-2640-skills-manifest"],
	client: [
		"sep-2640-client-no-prefetch",
		"sep-2640-client-verify-digest",
		"sep-2640-client-verify-size",
		"sep-2640-client-verify-frontmatter",
	],
};

/** All that the suite has for authorization servers. */
const server_scenarios = ["authorization-server-metadata-endpoint", "authorization-code-grant"];

/** The era that each revision belongs to. */
const own_fixture: Record<Revision, Fixture> = { "2025-11-25": "legacy", "2026-07-28": "modern" };
const other_fixture: Record<Revision, Fixture> = { "2025-11-25": "modern", "2026-07-28": "legacy" };
const transports = ["stdio", "http"] as const;

/** A scenario that judged nothing has not passed, unless it is one of those that may. */
function mustBeJudged(outcome: ScenarioOutcome): ScenarioOutcome {
	const { skipped, scenario } = outcome;
	if (skipped === undefined || may_judge_nothing.includes(scenario)) return outcome;
	const { skipped: _skipped, ...rest } = outcome;
	return { ...rest, problems: [skipped] };
}

/** A leg whose scenarios all have to be judged. */
function strict({ title, run }: Leg): Leg {
	return {
		title,
		async run(folder) {
			const rows = await run(folder);
			return rows.map((row) => ({ ...row, outcomes: row.outcomes.map(mustBeJudged) }));
		},
	};
}

/** Everything that is run, in the order of the report. */
export function allLegs(): Leg[] {
	const sets = revisions.flatMap((revision) =>
		transports.map((transport) => serverSet(revision, transport)),
	);
	const crossed = revisions.flatMap((revision) =>
		transports.map((transport) => crossedSet(revision, transport)),
	);
	const extensions = transports.flatMap((transport) => [
		extension("tasks", transport, readRequirements("2026-07-28", "server").others.filter(isTasks)),
		extension("skills", transport, skill_scenarios.server),
	]);
	const clients = [...revisions.map(clientSet), skillsClient()];
	const servers = [authorizationServer()];
	return [...sets, ...crossed, ...extensions, ...clients, ...servers].map(strict);
}

/** A revision's set against a server of its own era. */
function serverSet(revision: Revision, transport: Transport): Leg {
	const leg = `server ${transport}`;
	return {
		title: `${revision} ${leg}`,
		async run(folder) {
			const { required, others } = readRequirements(revision, "server");
			const extra = others.filter((scenario) => !isTasks(scenario));
			const rig = await startRig(own_fixture[revision], transport, 0);
			try {
				const scenarios = [...required, ...extra];
				const outcomes = await runServerSet(rig.url, revision, scenarios, folder);
				return splitRequired(revision, leg, outcomes, required);
			} finally {
				await rig.stop();
			}
		},
	};
}

/**
 * A revision's set against a server that does not speak it: the gateway translates. A question
 * that a scenario leaves open would, over stdio, make it impossible to say which call the next
 * question belongs to; so there every scenario has an instance of its own.
 */
function crossedSet(revision: Revision, transport: Transport): Leg {
	const leg = `server ${transport}, ${other_fixture[revision]} only`;
	return {
		title: `${revision} ${leg}`,
		async run(folder) {
			const { required, others } = readRequirements(revision, "server");
			const scenarios = [...required, ...others.filter((scenario) => !isTasks(scenario))];
			const alone = revision === "2026-07-28" && transport === "stdio";
			const rig = await startRig(other_fixture[revision], transport, alone ? scenarios.length : 0);
			try {
				const outcomes = alone
					? await inTurn(scenarios, (scenario, index) =>
							runServerScenario(rig.urlOf(index), scenario, revision, folder),
						)
					: await runServerSet(rig.url, revision, scenarios, folder);
				return splitRequired(revision, leg, outcomes, required);
			} finally {
				await rig.stop();
			}
		},
	};
}

/** An extension's scenarios against a server that has it. */
function extension(
	name: "tasks" | "skills",
	transport: Transport,
	scenarios: readonly string[],
): Leg {
	const leg = `server ${transport}`;
	return {
		title: `${name} ${leg}`,
		async run(folder) {
			const rig = await startRig(name, transport, 0);
			try {
				const outcomes = await inTurn(scenarios, (scenario) =>
					runServerScenario(rig.url, scenario, "2026-07-28", folder),
				);
				return [{ set: name, leg, outcomes }];
			} finally {
				await rig.stop();
			}
		},
	};
}

/** A revision's set for clients: the gateway is the client of the suite's own servers. */
function clientSet(revision: Revision): Leg {
	return {
		title: `${revision} client`,
		async run(folder) {
			const { required, others } = readRequirements(revision, "client");
			const outcomes = await severalAtOnce([...required, ...others], (scenario) =>
				runClientScenario(scenario, revision, folder),
			);
			const [auth, plain] = partition(outcomes, ({ scenario }) => isAuth(scenario));
			return [
				...splitRequired(revision, "client", plain, required),
				...splitRequired(revision, "client auth", auth, required),
			];
		},
	};
}

function skillsClient(): Leg {
	return {
		title: "skills client",
		async run(folder) {
			const outcomes = await severalAtOnce(skill_scenarios.client, (scenario) =>
				runClientScenario(scenario, "2026-07-28", folder),
			);
			return [{ set: "skills", leg: "client", outcomes }];
		},
	};
}

/** The gateway's own authorization server, with a client and a person. */
function authorizationServer(): Leg {
	return {
		title: "authorization server",
		async run(folder) {
			const server = await startJudgedServer();
			try {
				const outcomes = await runAuthorizationServer(server, server_scenarios, folder);
				return [{ set: "authorization", leg: "server", outcomes }];
			} finally {
				await server.stop();
			}
		},
	};
}

/** The required scenarios of a set, and the others as a row of their own. */
function splitRequired(
	revision: Revision,
	leg: string,
	outcomes: readonly ScenarioOutcome[],
	required: readonly string[],
): LegOutcome[] {
	const [wanted, others] = partition(outcomes, ({ scenario }) => required.includes(scenario));
	const rows = [
		{ set: revision, leg, outcomes: wanted },
		{ set: `${revision} not required`, leg, outcomes: others },
	];
	return rows.filter((row) => row.outcomes.length > 0);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
	return [items.filter(test), items.filter((item) => !test(item))];
}

async function inTurn<T, R>(
	items: readonly T[],
	run: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
	const results: R[] = [];
	for (const [index, item] of items.entries()) results.push(await run(item, index));
	return results;
}

async function severalAtOnce<T, R>(
	items: readonly T[],
	run: (item: T) => Promise<R>,
): Promise<R[]> {
	const results = new Array<R>(items.length);
	const entries = items.entries();
	const work = async () => {
		for (const [index, item] of entries) results[index] = await run(item);
	};
	await Promise.all(Array.from({ length: clients_at_once }, work));
	return results;
}

/** Where a leg keeps what the suite wrote. */
export function folderOf(scratch: string, { title }: Leg): string {
	return join(scratch, title.replaceAll(/[^\w.-]+/g, "-"));
}
