import { join } from "node:path";
import { styleText } from "node:util";
import type { FileOutcome } from "./outcome.ts";
import { runFile } from "./run-file.ts";

/** A set of test files that share limits. */
export interface Phase {
	readonly title: string;
	readonly files: readonly string[];
	/** How many files run at a time. */
	readonly concurrency: number;
	readonly file_ms_max: number;
	readonly test_ms_max: number;
	readonly linger_ms_max: number;
}

/** Where and how a phase runs. */
export interface PhaseContext {
	readonly root: string;
	readonly environment: NodeJS.ProcessEnv;
	/** A folder for this run only. */
	readonly scratch: string;
	say(line: string): void;
}

/** A file that takes longer than this is worth a line of its own. */
const slow_ms = 1000;

/** With nothing else to say, the running files are named this often. */
const heartbeat_ms = 10_000;

/** Runs the files of a phase in parallel and tells how it goes. */
export async function runPhase(phase: Phase, context: PhaseContext): Promise<FileOutcome[]> {
	const outcomes: FileOutcome[] = [];
	const waiting = [...phase.files];
	const running = new Set<string>();
	if (waiting.length > 0) context.say(`${phase.title}: ${waiting.length} files`);
	const heartbeat = setInterval(() => {
		context.say(`  … ${outcomes.length} of ${phase.files.length}, now ${[...running].join(", ")}`);
	}, heartbeat_ms);
	const work = async () => {
		for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
			running.add(file);
			const outcome = await runFile({
				...phase,
				root: context.root,
				file,
				environment: { ...context.environment, MOORAGE_TEST_FILE: file },
				events_path: join(context.scratch, `${file.replaceAll("/", "-")}.events`),
			});
			running.delete(file);
			outcomes.push(outcome);
			tell(outcome, context);
			heartbeat.refresh();
		}
	};
	await Promise.all(Array.from({ length: phase.concurrency }, work));
	clearInterval(heartbeat);
	return outcomes;
}

function tell(outcome: FileOutcome, context: PhaseContext): void {
	const seconds = `${(outcome.duration_ms / 1000).toFixed(1)} s`;
	if (outcome.failures.length > 0) {
		context.say(
			styleText("red", `  ✗ ${outcome.file}: ${outcome.failures.length} failed`) + ` (${seconds})`,
		);
	} else if (outcome.duration_ms > slow_ms) {
		context.say(`  ✓ ${outcome.file}: ${outcome.passed} passed (${seconds})`);
	}
}
