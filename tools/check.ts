/**
 * `npm run check`: everything that can be said about the source without running it. Runs all
 * checks, then shows what each failing one found, a table, and the closing line.
 */
import { styleText } from "node:util";
import { type CheckResult, runAll } from "./checks.ts";
import { repository_root } from "./lib/paths.ts";

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
