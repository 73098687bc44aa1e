/**
 * `npm run check`: everything that can be said about the source without running it. Runs all
 * checks, then shows what each failing one found, a table, and the closing line.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { checkDeps } from "./deps.ts";
import { checkLayers } from "./layers.ts";
import { repository_root } from "./lib/paths.ts";
import { formatProblems, type Problem } from "./lib/problem.ts";
import { runProgram } from "./lib/run-program.ts";
import { checkTidy } from "./tidy.ts";

/** What a check found: an empty text when all is well. */
interface Check {
	readonly name: string;
	readonly about: string;
	run(root: string): Promise<string>;
}

interface CheckResult {
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
const checks: readonly Check[] = [
	program("types", "the compiler accepts it", "typescript/bin/tsc", ["--noEmit", "-p", "."]),
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
	own("deps", "each dependency exact, used and explained", checkDeps),
];

/** Runs the checks, as many at a time as there are cores. */
async function runAll(root: string): Promise<CheckResult[]> {
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

function report(results: readonly CheckResult[]): boolean {
	const say = (line: string): void => void process.stdout.write(`${line}\n`);
	const failed = results.filter(({ found }) => found !== "");
	for (const { check, found } of failed) say(`\n${styleText("red", check.name)}\n${found}`);
	say("");
	for (const { check, found, duration_ms } of results) {
		const verdict = found === "" ? styleText("green", "passed") : styleText("red", "failed");
		const seconds = `${(duration_ms / 1000).toFixed(1)} s`.padStart(7);
		say(`  ${check.name.padEnd(10)} ${verdict} ${seconds}  ${check.about}`);
	}
	say("");
	say(`${results.length - failed.length} passed, ${failed.length} failed`);
	return failed.length === 0;
}

process.exitCode = report(await runAll(repository_root)) ? 0 : 1;
