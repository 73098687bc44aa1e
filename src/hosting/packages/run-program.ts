import { finished } from "node:stream/promises";
import type { Clock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { ChildHandle, Spawner, SpawnRequest } from "../../upstreams/driver.ts";

/** An installer to run to its end. */
export interface ProgramRun extends SpawnRequest {
	readonly deadline_ms: number;
	/** Aborting ends the program. */
	readonly signal: AbortSignal;
}

/** A program that ran to its end. */
export interface ProgramOutput {
	/** The exit code; null when a signal ended it. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Why there is no output: it took too long, was not wanted any more, or never started. */
export type ProgramObstacle =
	| { readonly kind: "late" }
	| { readonly kind: "aborted" }
	| { readonly kind: "fault"; readonly fault: Fault };

/** What is kept of each output, from its end; the reason of a failure is at the end. */
const output_bytes_max = 64 * 1024;

/**
 * Runs an installer as contained as a server: nothing of it outlives the gateway. Its input is
 * closed from the start, so that it cannot wait for an answer.
 */
export async function runProgram(
	spawner: Spawner,
	clock: Clock,
	run: ProgramRun,
): Promise<Result<ProgramOutput, ProgramObstacle>> {
	if (run.signal.aborted) {
		return fail({ kind: "aborted" });
	}
	const spawned = await spawner.spawn(run);
	if (!spawned.ok) {
		return fail({ kind: "fault", fault: spawned.problem });
	}
	const child = spawned.value;
	child.stdin.end();
	let late = false;
	const timer = clock.after(run.deadline_ms, () => {
		late = true;
		child.kill();
	});
	const kill = () => child.kill();
	run.signal.addEventListener("abort", kill, { once: true });
	// It may have been aborted while the program was being started.
	if (run.signal.aborted) {
		child.kill();
	}
	const output = await collect(child);
	timer.cancel();
	run.signal.removeEventListener("abort", kill);
	// Nothing is left to be graceful to; this waits until all of its processes are gone.
	await child.stop(0);
	if (late) {
		return fail({ kind: "late" });
	}
	return run.signal.aborted ? fail({ kind: "aborted" }) : succeed(output);
}

async function collect(child: ChildHandle): Promise<ProgramOutput> {
	const stdout = new Tail();
	const stderr = new Tail();
	child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk));
	child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
	const read = [child.stdout, child.stderr].map((stream) => finished(stream).catch(() => {}));
	const [{ code }] = await Promise.all([child.exited, ...read]);
	return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** The end of an output, however long the output is. */
class Tail {
	#chunks: Buffer[] = [];
	#bytes = 0;

	add(chunk: Buffer): void {
		this.#chunks.push(chunk);
		this.#bytes += chunk.length;
		if (this.#bytes > 2 * output_bytes_max) {
			const kept = Buffer.concat(this.#chunks).subarray(-output_bytes_max);
			this.#chunks = [Buffer.from(kept)];
			this.#bytes = kept.length;
		}
	}

	text(): string {
		return Buffer.concat(this.#chunks).subarray(-output_bytes_max).toString("utf8");
	}
}
