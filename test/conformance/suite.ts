import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Revision, suite_program } from "./requirements.ts";

/** What one scenario came to. */
export interface ScenarioOutcome {
	readonly scenario: string;
	/** Why it failed; empty when it passed. */
	readonly problems: readonly string[];
	/** What it recommends beyond that. */
	readonly warnings: readonly string[];
	/** Why the suite itself leaves the scenario out, where it does. */
	readonly skipped?: string;
}

/** One line of the suite's own verdict. */
interface Check {
	readonly id: string;
	readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
	readonly errorMessage?: string;
}

const repository_root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A scenario that takes longer than this counts as failed. */
const scenario_ms_max = 30_000;
/** A whole set in one run of the suite. */
const set_ms_max = 240_000;
/** What is kept of a scenario's output when it fails. */
const output_chars_max = 2_000;

/** Runs every scenario of a revision against a server, in one run of the suite. */
export async function runServerSet(
	url: URL,
	revision: Revision,
	scenarios: readonly string[],
	folder: string,
): Promise<ScenarioOutcome[]> {
	mkdirSync(folder, { recursive: true });
	const run = await runSuite(
		["server", "--url", url.href, "--requirements", revision, "-o", folder],
		set_ms_max,
	);
	return scenarios.map((scenario) => readOutcome(folder, `server-${scenario}-`, scenario, run));
}

/** Runs one scenario against a server. */
export async function runServerScenario(
	url: URL,
	scenario: string,
	revision: Revision,
	folder: string,
): Promise<ScenarioOutcome> {
	const own = join(folder, scenario);
	mkdirSync(own, { recursive: true });
	const args = ["server", "--url", url.href, "--scenario", scenario];
	const run = await runSuite(
		[...args, "--spec-version", revision, "--force", "-o", own],
		scenario_ms_max,
	);
	return readOutcome(own, `server-${scenario}-`, scenario, run);
}

/**
 * Runs one scenario with our client program, which the suite starts with the address of the
 * server it made. A client has to end well too, where the scenario does not say otherwise.
 */
export async function runClientScenario(
	scenario: string,
	revision: Revision,
	folder: string,
): Promise<ScenarioOutcome> {
	const own = join(folder, scenario.replaceAll("/", "-"));
	mkdirSync(own, { recursive: true });
	const command = "node --disable-warning=ExperimentalWarning test/conformance/client.ts";
	const args = ["client", "--command", command, "--scenario", scenario];
	const timeout = ["--timeout", String(scenario_ms_max)];
	const run = await runSuite(
		[...args, ...timeout, "--spec-version", revision, "--force", "-o", own],
		scenario_ms_max + 10_000,
	);
	const outcome = readOutcome(own, `${scenario}-`, scenario, run);
	const judged = outcome.problems.length === 0 && outcome.skipped === undefined;
	if (run.code === 0 || !judged) return outcome;
	return { ...outcome, problems: [`the client did not end well: ${tail(run.output)}`] };
}

/** An authorization server that the suite judges, and how a person uses it. */
export interface JudgedServer {
	readonly issuer: string;
	readonly client_id: string;
	readonly resource: string;
	/** Where the suite waits for the answer; registered for the client. */
	readonly port: number;
	/** Logs in and consents at an address, as a person would; resolves at the end of the way. */
	authorize(address: string): Promise<void>;
}

/** Runs the scenarios for authorization servers; each has to be judged. */
export async function runAuthorizationServer(
	server: JudgedServer,
	scenarios: readonly string[],
	folder: string,
): Promise<ScenarioOutcome[]> {
	mkdirSync(folder, { recursive: true });
	const args = ["authorization", "--url", server.issuer, "--client-id", server.client_id];
	const more = ["--resource", server.resource];
	let person: Promise<void> | undefined;
	let trouble = "";
	const run = await runSuite(
		[...args, ...more, "--port", String(server.port), "-o", folder],
		scenario_ms_max,
		(output) => {
			const address = /^https?:\/\/\S+\/oauth\/authorize\?\S+$/m.exec(output)?.[0];
			if (address === undefined) return;
			person ??= server.authorize(address).catch((error: unknown) => {
				trouble = String(error);
			});
		},
	);
	await person;
	const told = { ...run, output: `${run.output}\n${trouble}` };
	return scenarios.map((scenario) =>
		readOutcome(folder, `authorization-server-${scenario}-`, scenario, told),
	);
}

interface SuiteRun {
	readonly code: number | undefined;
	readonly output: string;
}

function runSuite(
	args: readonly string[],
	ms_max: number,
	onOutput: (output: string) => void = () => undefined,
): Promise<SuiteRun> {
	const { promise, resolve } = Promise.withResolvers<SuiteRun>();
	const child = spawn(process.execPath, [suite_program, ...args], {
		cwd: repository_root,
		env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` },
		stdio: ["ignore", "pipe", "pipe"],
		timeout: ms_max,
	});
	let output = "";
	const keep = (chunk: string) => {
		output = (output + chunk).slice(-100_000);
		onOutput(output);
	};
	child.stdout.setEncoding("utf8").on("data", keep);
	child.stderr.setEncoding("utf8").on("data", keep);
	child.on("error", (error) => resolve({ code: undefined, output: error.message }));
	child.on("close", (code) => resolve({ code: code ?? undefined, output }));
	return promise;
}

/**
 * Reads what the suite wrote about a scenario. One that wrote nothing has failed; one that found
 * nothing to judge is skipped, as the suite says.
 */
function readOutcome(
	folder: string,
	prefix: string,
	scenario: string,
	run: SuiteRun,
): ScenarioOutcome {
	const file = findChecks(folder, prefix);
	if (file === undefined) {
		return { scenario, problems: [`there is no verdict: ${tail(run.output)}`], warnings: [] };
	}
	const checks = JSON.parse(readFileSync(file, "utf8")) as Check[];
	const told = (status: Check["status"]) =>
		checks.filter((check) => check.status === status).map(describeCheck);
	const problems = told("FAILURE");
	const warnings = told("WARNING");
	if (problems.length + warnings.length === 0 && told("SUCCESS").length === 0) {
		const skipped = checks.map(describeCheck).join("; ") || "nothing was checked";
		return { scenario, problems, warnings, skipped };
	}
	return { scenario, problems, warnings };
}

function describeCheck({ id, errorMessage }: Check): string {
	return errorMessage === undefined ? id : `${id}: ${errorMessage}`;
}

/** The scenario's file; its folder's name ends in the time it was run. */
function findChecks(folder: string, prefix: string): string | undefined {
	const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
	return names
		.filter((name) => name.endsWith("checks.json"))
		.filter((name) => /^\d{4}-\d\d-\d\dT/.test(dirname(name).slice(prefix.length)))
		.filter((name) => name.startsWith(prefix))
		.map((name) => join(folder, name))[0];
}

function tail(output: string): string {
	return output.trim().slice(-output_chars_max);
}
