import { availableParallelism } from "node:os";
import { join } from "node:path";
import { checkDeps } from "./deps.ts";
import { checkLayers } from "./layers.ts";
import { formatProblems, type Problem } from "./lib/problem.ts";
import { runProgram } from "./lib/run-program.ts";
import { checkSinks } from "./sinks.ts";
import { checkTidy } from "./tidy.ts";

/** One thing that is checked. `run` gives what it found: an empty text when all is well. */
export interface Check {
	readonly name: string;
	readonly about: string;
	run(root: string): Promise<string>;
}

/** What one check found, and how long it took. */
export interface CheckResult {
	readonly check: Check;
	readonly found: string;
	readonly duration_ms: number;
}

/** A program of node_modules that fails with a non-zero exit code and says why. */
function program(name: string, about: string, bin: string, args: readonly string[]): Check {
	return {
		name,
		about,
		async run(root) {
			const path = join(root, "node_modules", ...bin.split("/"));
			const { code, output } = await runProgram(process.execPath, [path, ...args], { cwd: root });
			return code === 0 ? "" : output.trim() || `${bin} ended with exit code ${code}`;
		},
	};
}

/** Two looks at the same thing; what both find is told once. */
function both(name: string, about: string, looks: readonly Check[]): Check {
	return {
		name,
		about,
		async run(root) {
			const found: string[] = [];
			for (const look of looks) found.push(await look.run(root));
			return [...new Set(found.join("\n").trim().split("\n"))].join("\n");
		},
	};
}

/** A check of our own. */
function own(name: string, about: string, find: (root: string) => readonly Problem[]): Check {
	return { name, about, run: (root) => Promise.resolve(formatProblems(find(root))) };
}

/** In the order of the table. The slow ones come first, so that they start first. */
export const checks: readonly Check[] = [
	both("types", "the compiler accepts it", [
		program("", "", "typescript/bin/tsc", ["--noEmit", "-p", "."]),
		// The dashboard runs in a browser and has other globals.
		program("", "", "typescript/bin/tsc", ["--noEmit", "-p", "src/dashboard"]),
	]),
	program("lint", "no likely mistakes, no import cycles", "oxlint/bin/oxlint", [
		"--deny-warnings",
		"--report-unused-disable-directives",
		"--format=unix",
	]),
	both("dead code", "everything exported is used", [
		program("", "", "knip/bin/knip.js", ["--no-progress", "--no-config-hints"]),
		// What only tests use is dead too; their own helpers are judged by the run above.
		program("", "", "knip/bin/knip.js", [
			"--no-progress",
			"--no-config-hints",
			"--production",
			"--exclude=dependencies",
		]),
	]),
	program("format", "formatted, imports sorted", "@biomejs/biome/bin/biome", [
		"ci",
		"--colors=off",
		"--max-diagnostics=200",
		".",
	]),
	{
		name: "documents",
		about: "what is generated is up to date",
		async run(root) {
			const script = join(root, "tools", "schema.ts");
			const { code, output } = await runProgram(process.execPath, [script, "--check"], {
				cwd: root,
			});
			return code === 0 ? "" : output.trim();
		},
	},
	own("layers", "imports go downward only", checkLayers),
	own("tidy", "names, lengths, habits of the house", checkTidy),
	own("sinks", "whatever writes is in the list of sinks", checkSinks),
	own("deps", "each dependency exact, used and explained", checkDeps),
];

/** Runs the checks, as many at a time as there are cores. */
export async function runAll(root: string): Promise<CheckResult[]> {
	const results = new Map<Check, CheckResult>();
	const waiting = [...checks];
	const work = async () => {
		for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
			const started_at_ms = performance.now();
			const found = await check.run(root).catch((error: unknown) => String(error));
			results.set(check, { check, found, duration_ms: performance.now() - started_at_ms });
		}
	};
	await Promise.all(Array.from({ length: availableParallelism() }, work));
	return checks.flatMap((check) => results.get(check) ?? []);
}
