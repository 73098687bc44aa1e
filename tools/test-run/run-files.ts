import { readFileSync } from "node:fs";
import { join } from "node:path";
import { styleText } from "node:util";
import { reasonToRunAlone } from "./alone.ts";
import type { FileOutcome } from "./outcome.ts";
import { runFile } from "./run-file.ts";
import { runTogether } from "./run-together.ts";
import { Slots } from "./slots.ts";

/** A set of test files that share limits. */
export interface Phase {
	readonly title: string;
	readonly files: readonly string[];
	/** How many files run at a time. */
	readonly concurrency: number;
	/** How many files may share a process, one after another. With 1, each has its own. */
	readonly together_max: number;
	readonly file_ms_max: number;
	readonly test_ms_max: number;
	readonly linger_ms_max: number;
	/** What the files need has to be there first. Others go on meanwhile. */
	readonly ready?: Promise<void>;
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

/**
 * Runs phases one after another, where one begins before the last processes of the one before have
 * ended: no more run at a time than the phase with the most wants.
 */
export async function runPhases(
	phases: readonly Phase[],
	context: PhaseContext,
): Promise<FileOutcome[]> {
	const slots = new Slots(Math.max(...phases.map(({ concurrency }) => concurrency)));
	const outcomes = await Promise.all(
		phases.map(async (phase, index) => {
			await phase.ready;
			return runPhase(phase, context, { take: () => slots.take(index), give: () => slots.give() });
		}),
	);
	return outcomes.flat();
}

/** Where a phase gets the right to start a process, and gives it back. */
interface Room {
	take(): Promise<void>;
	give(): void;
}

/** Runs the files of a phase in parallel and tells how it goes. */
async function runPhase(phase: Phase, context: PhaseContext, room: Room): Promise<FileOutcome[]> {
	const outcomes: FileOutcome[] = [];
	const queue = new FileQueue(phase, context.root);
	const running = new Set<string>();
	const heartbeat = setInterval(() => {
		if (running.size === 0) return;
		context.say(`  … ${outcomes.length} of ${phase.files.length}, now ${[...running].join(", ")}`);
	}, heartbeat_ms);
	const takeOutcome = (outcome: FileOutcome) => {
		running.delete(outcome.file);
		outcomes.push(outcome);
		tell(outcome, context);
		heartbeat.refresh();
	};
	let processes = 0;
	/** Runs files in the next process, if there are any. */
	const runNext = async (): Promise<boolean> => {
		const files = queue.next();
		const [file] = files;
		if (file === undefined) return false;
		if (processes === 0) context.say(`${phase.title}: ${phase.files.length} files`);
		const place = join(context.scratch, `${phase.title.replaceAll(" ", "-")}-${processes++}`);
		const options = { ...phase, root: context.root, events_path: `${place}.events` };
		if (files.length === 1) {
			running.add(file);
			const environment = { ...context.environment, MOORAGE_TEST_FILE: file };
			takeOutcome(await runFile({ ...options, file, environment }));
			return true;
		}
		const rest = await runTogether({
			...options,
			files,
			environment: context.environment,
			output_path: `${place}.output`,
			onBegin: (began) => void running.add(began),
			onOutcome: takeOutcome,
		});
		queue.giveBack(rest);
		return true;
	};
	const work = async () => {
		for (let goes_on = phase.files.length > 0; goes_on; ) {
			await room.take();
			try {
				goes_on = await runNext();
			} finally {
				room.give();
			}
		}
	};
	await Promise.all(Array.from({ length: phase.concurrency }, work));
	clearInterval(heartbeat);
	return outcomes;
}

/** Hands out files: those that run alone one by one, others in groups that share a process. */
class FileQueue {
	readonly #phase: Phase;
	readonly #alone: string[] = [];
	readonly #together: string[] = [];

	constructor(phase: Phase, root: string) {
		this.#phase = phase;
		for (const file of phase.files) {
			const is_alone = reasonToRunAlone(readFileSync(join(root, file), "utf8")) !== undefined;
			(is_alone ? this.#alone : this.#together).push(file);
		}
	}

	/** The files for the next process; none when there are no more. */
	next(): readonly string[] {
		const alone = this.#alone.shift();
		if (alone !== undefined) return [alone];
		const { concurrency, together_max } = this.#phase;
		// The groups become smaller towards the end, so that all processes end at about the same time.
		const share = Math.ceil(this.#together.length / (concurrency + 1));
		return this.#together.splice(0, Math.min(together_max, share));
	}

	/** Takes files back that a process did not come to. */
	giveBack(files: readonly string[]): void {
		this.#together.unshift(...files);
	}
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
