import { basename } from "node:path";
import type { Environment } from "../lib/environment.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { compilePlan } from "./compile.ts";
import { compileSecrets, default_secrets } from "./compile-secrets.ts";
import { default_limits, read_limits } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { Expander } from "./expander.ts";
import { findConfig, projectFolder, searched_files, shownPath, syntaxOf } from "./find.ts";
import { type AskInput, answerInputs } from "./inputs.ts";
import { reportIssues } from "./issues.ts";
import { LiteralSecrets } from "./literal-secrets.ts";
import { type Located, member, plainValue } from "./located.ts";
import { readClientForm } from "./mcp-json.ts";
import { readMoorageForm } from "./moorage-form.ts";
import type { Plan, PlanSource, SecretsPlan } from "./plan.ts";
import { default_policy } from "./policy-plan.ts";
import { type ConfigProblem, placelessProblem } from "./problem.ts";
import { bounded, readBounded } from "./read-bounded.ts";
import { readJson } from "./read-json.ts";
import { readYaml } from "./read-yaml.ts";
import { Report, SourceFile } from "./report.ts";
import { secrets_schema } from "./schema-secrets.ts";
import { readSecrets } from "./secrets-form.ts";

/** What loading takes from outside; nothing is read from the process itself. */
export interface LoadOptions {
	/** A file or a folder; undefined searches the working directory. */
	readonly path: string | undefined;
	/** What the file would hold: read in its place, to see what it would mean. */
	readonly text?: string | undefined;
	/** Absolute working directory. */
	readonly cwd: string;
	readonly environment: Environment;
	/** Absolute home folder. */
	readonly home: string;
	/** Asks the person at the terminal; left out where there is none. Once per input id. */
	readonly ask?: AskInput;
	/** From the command line; these win over the file. */
	readonly overrides: { readonly listen?: string; readonly data?: string };
}

/** Finds, reads, checks and compiles a configuration. Nothing is started or written. */
export async function loadPlan(
	options: LoadOptions,
): Promise<Result<Plan, readonly ConfigProblem[]>> {
	const found = await findConfig(options.path, options.cwd);
	if (!found.ok) return fail([found.problem]);
	const path = found.value;
	if (path === undefined) return loadNothing(options);
	const name = shownPath(path, options.cwd);
	const text =
		options.text === undefined
			? await readBounded(path, read_limits.config_bytes_max)
			: bounded(options.text, read_limits.config_bytes_max);
	if (!text.ok) {
		const problem = placelessProblem(
			name,
			`The configuration ${text.problem}.`,
			"Correct it, or give another path.",
		);
		return fail([problem]);
	}
	const report = new Report(new SourceFile(name, text.value));
	const draft = readDraft(path, report);
	if (draft === undefined) return fail(report.problems());
	const format = draft.form === "moorage" ? "moorage" : "mcp-json";
	return finish(options, draft, report, { path, format }, projectFolder(path));
}

/**
 * What a configuration says of its vault, whatever is wrong with the rest of it: a secret must be
 * stored before a configuration that refers to it can be used.
 */
export async function loadSecrets(
	options: Pick<LoadOptions, "cwd" | "environment" | "home"> & { readonly path: string },
): Promise<Result<SecretsPlan, readonly ConfigProblem[]>> {
	const { path, cwd, environment, home } = options;
	const name = shownPath(path, cwd);
	const text = await readBounded(path, read_limits.config_bytes_max);
	if (!text.ok) {
		const next = "Correct it, or give another path.";
		return fail([placelessProblem(name, `The configuration ${text.problem}.`, next)]);
	}
	const report = new Report(new SourceFile(name, text.value));
	const tree = readTree(path, report);
	if (tree === undefined) return fail(report.problems());
	const section = hasMoorageForm(path, tree) ? member(tree, "secrets") : undefined;
	if (section === undefined) return succeed(default_secrets);
	const checked = secrets_schema.safeParse(plainValue(section.value));
	if (!checked.success) {
		const issues = checked.error.issues.map((issue) => ({
			...issue,
			path: ["secrets", ...issue.path],
		}));
		reportIssues(report, tree, issues, () => []);
		return fail(report.problems());
	}
	const draft = readSecrets(checked.data, tree, report);
	const base = projectFolder(path);
	const syntax = {
		syntax: "moorage",
		environment,
		inputs: new Map(),
		workspace: base,
		home,
	} as const;
	const literals = new LiteralSecrets({ form: "moorage", identity: false, report });
	const expander = new Expander(syntax, report, literals);
	const plan = draft && compileSecrets(draft, { expander, report, base, home });
	return plan === undefined || report.failed ? fail(report.problems()) : succeed(plan);
}

/** A gateway without a configuration is fine: servers can be added while it runs. */
function loadNothing(options: LoadOptions): Promise<Result<Plan, readonly ConfigProblem[]>> {
	const report = new Report(new SourceFile(options.cwd, ""));
	const draft: Draft = {
		form: "moorage",
		servers: [],
		endpoints: [],
		listen: undefined,
		data: undefined,
		allowed_hosts: undefined,
		allowed_origins: undefined,
		sse: true,
		identity: undefined,
		limits: default_limits,
		policy: default_policy,
		inputs: [],
	};
	const source: PlanSource = { path: undefined, format: "none" };
	return finish(options, draft, report, source, options.cwd);
}

async function finish(
	options: LoadOptions,
	draft: Draft,
	report: Report,
	source: PlanSource,
	base: string,
): Promise<Result<Plan, readonly ConfigProblem[]>> {
	const { cwd, environment, home, overrides } = options;
	const inputs = await answerInputs(draft, environment, options.ask, report);
	const plan = await compilePlan({
		draft,
		report,
		source,
		base,
		cwd,
		home,
		environment,
		inputs,
		overrides,
	});
	if (plan === undefined) return fail(report.problems());
	if (source.path !== undefined) return succeed(plan);
	const nothing = `No configuration was found in ${cwd}; looked for ${searched_files.join(", ")}.`;
	return succeed(Object.freeze({ ...plan, warnings: Object.freeze([nothing]) }));
}

/** Parses a file and reads it in the form it has; problems go to the report. */
function readDraft(path: string, report: Report): Draft | undefined {
	const tree = readTree(path, report);
	if (tree === undefined) return undefined;
	return hasMoorageForm(path, tree) ? readMoorageForm(tree, report) : readClientForm(tree, report);
}

function readTree(path: string, report: Report): Located | undefined {
	try {
		return syntaxOf(path) === "yaml" ? readYaml(report) : readJson(report);
	} catch (error) {
		// Both parsers recurse; a file of a million brackets ends here.
		if (!(error instanceof RangeError)) throw error;
		report.problem(0, "The file is nested too deeply.", "Write it more simply.");
		return undefined;
	}
}

/** moorage.json and any YAML are Moorage's own form; other JSON when it says its version. */
function hasMoorageForm(path: string, tree: Located): boolean {
	if (syntaxOf(path) === "yaml" || basename(path) === "moorage.json") return true;
	const version = member(tree, "version")?.value;
	const is_versioned = version?.kind === "scalar" && typeof version.value === "number";
	return is_versioned && member(tree, "mcpServers") === undefined;
}
