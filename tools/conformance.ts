/**
 * `npm run conformance [-- --json] [FILTER ...]`: the official conformance suite, run through the
 * gateway in every way there is. A filter is part of a leg's title, such as "2026-07-28 server";
 * a leg runs when any filter is in its title. `--keep` leaves what the suite wrote.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Comparison, compare, readBaseline } from "../test/conformance/baseline.ts";
import { allLegs, folderOf, judged, type Leg, type LegOutcome } from "../test/conformance/legs.ts";

/** Legs that run at once. They wait for each other's answers more than they compute. */
const legs_at_once = 2;

const baseline_path = new URL("../test/conformance/baseline.yaml", import.meta.url);

const { values, positionals } = parseArgs({
	options: { json: { type: "boolean" }, keep: { type: "boolean" } },
	allowPositionals: true,
});
const as_json = values.json === true;
/** Progress; standard output is for the result alone when it is JSON. */
const say = (line: string): void =>
	void (as_json ? process.stderr : process.stdout).write(`${line}\n`);

/** A row as scripts read it. */
function summary(row: LegOutcome) {
	const { set, leg } = row;
	const outcomes = judged(row);
	const failing = outcomes.filter(({ problems }) => problems.length > 0);
	return {
		set,
		leg,
		passed: outcomes.length - failing.length,
		total: outcomes.length,
		failing: failing.map(({ scenario }) => scenario),
	};
}

async function runLegs(
	legs: readonly Leg[],
	scratch: string,
	baseline: ReturnType<typeof readBaseline>,
): Promise<LegOutcome[]> {
	const rows = new Array<LegOutcome[]>(legs.length);
	const entries = legs.entries();
	const work = async () => {
		for (const [index, leg] of entries) rows[index] = await runLeg(leg, scratch);
	};
	await Promise.all(Array.from({ length: legs_at_once }, work));
	// The suite gives some answers 600 ms by the clock, which a machine that is busy with others may
	// not have for them: what failed beside another leg runs once more, alone.
	for (const [index, leg] of legs.entries()) {
		if (compare(rows[index] ?? [], baseline).unexpected.length === 0) continue;
		say(`${leg.title} failed, and runs once more, alone`);
		rows[index] = await runLeg(leg, join(scratch, "again"));
	}
	return rows.flat();
}

async function runLeg(leg: Leg, scratch: string): Promise<LegOutcome[]> {
	const done = await leg.run(folderOf(scratch, leg));
	for (const row of done) {
		const { set, leg: way, passed, total } = summary(row);
		say(`${set} ${way}: ${passed} of ${total}`);
	}
	return done;
}

function printTable(rows: readonly LegOutcome[]): void {
	const summaries = rows.map(summary);
	const width = (texts: string[]) => Math.max(...texts.map(({ length }) => length));
	const set_width = width(summaries.map(({ set }) => set));
	const leg_width = width(summaries.map(({ leg }) => leg));
	say("");
	for (const { set, leg, passed, total, failing } of summaries) {
		const mark = failing.length === 0 ? "✓" : "✗";
		const count = `${passed}/${total}`.padStart(7);
		const names = failing.length === 0 ? "" : `  ${failing.join(", ")}`;
		say(`${mark} ${set.padEnd(set_width)}  ${leg.padEnd(leg_width)} ${count}${names}`);
	}
}

function printComparison(rows: readonly LegOutcome[], comparison: Comparison): void {
	for (const { set, leg, outcomes } of rows) {
		for (const { scenario, warnings, skipped } of outcomes) {
			if (skipped !== undefined) say(`left out: ${set} ${leg} ${scenario}: ${skipped}`);
			for (const warning of warnings) say(`recommended: ${set} ${leg} ${scenario}: ${warning}`);
		}
	}
	for (const [reason, count] of countReasons(comparison.known)) {
		say(`known: ${count} fail, because ${reason}`);
	}
	for (const { row, scenario, problem } of comparison.unexpected) {
		say(`\n✗ ${row.set} ${row.leg} ${scenario}\n${problem.replaceAll(/^/gm, "    ")}`);
	}
	for (const { set, leg, scenario } of comparison.stale) {
		say(`\n✗ ${set} ${leg} ${scenario} passes, so it has to leave the list of known failures`);
	}
}

function countReasons(known: Comparison["known"]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const { reason } of known) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	return counts;
}

const scratch = mkdtempSync(join(tmpdir(), "moorage-conformance-"));
const clean = () => rmSync(scratch, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
	process.once(signal, () => {
		clean();
		process.kill(process.pid, signal);
	});
}
try {
	const legs = allLegs().filter(
		({ title }) => positionals.length === 0 || positionals.some((text) => title.includes(text)),
	);
	const baseline = readBaseline(readFileSync(baseline_path, "utf8"));
	const rows = await runLegs(legs, scratch, baseline);
	const comparison = compare(rows, baseline);
	const summaries = rows.map(summary);
	const passed = summaries.reduce((sum, row) => sum + row.passed, 0);
	// What is known to fail has a line of its own; an entry that no longer holds is a failure.
	const wrong = comparison.unexpected.length + comparison.stale.length;
	if (as_json) {
		process.stdout.write(`${JSON.stringify(summaries, null, "\t")}\n`);
	} else {
		printTable(rows);
		printComparison(rows, comparison);
		say(`\n${passed} passed, ${wrong} failed`);
	}
	process.exitCode = wrong === 0 && passed > 0 ? 0 : 1;
} finally {
	if (values.keep === true) say(`kept ${scratch}`);
	else clean();
}
