import type { ChildProcess, ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../../lib/clock.ts";

/** A short program to run for its answer. Not for servers: nothing outlives the deadline. */
export interface RunOnceRequest {
	readonly program: string;
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd?: string;
	readonly deadline_ms: number;
	/** What it reads on its standard input; nothing unless given. */
	readonly input?: string | undefined;
	/** Open files it is given, as its descriptors 3 and up. */
	readonly fds?: readonly number[] | undefined;
}

/** What a short program said. */
export interface RunOnceOutcome {
	/** The exit code; null when it was killed, could not be started or took too long. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** Why it could not be started, e.g. `ENOENT`. */
	readonly error: string | undefined;
	readonly timed_out: boolean;
}

/** More output than this is cut off; probes answer in a few lines. */
const output_bytes_max = 4 * 1024 * 1024;

/** Runs a program to its end and collects what it writes. Never throws. */
export async function runOnce(clock: Clock, request: RunOnceRequest): Promise<RunOnceOutcome> {
	try {
		return await run(clock, request);
	} catch (error) {
		// Some failures to start are thrown instead of reported: a NUL byte, too long a line.
		const text = (error as NodeJS.ErrnoException).code ?? String(error);
		return { code: null, stdout: "", stderr: "", error: text, timed_out: false };
	}
}

function run(clock: Clock, request: RunOnceRequest): Promise<RunOnceOutcome> {
	return new Promise((resolve) => {
		const stdout = new Collector();
		const stderr = new Collector();
		let timed_out = false;
		const finish = (code: number | null, error: string | undefined) => {
			timer.cancel();
			resolve({ code, stdout: stdout.text(), stderr: stderr.text(), error, timed_out });
		};
		const child = spawn(request.program, [...request.args], {
			env: { ...request.env },
			...(request.cwd === undefined ? {} : { cwd: request.cwd }),
			stdio: [
				request.input === undefined ? "ignore" : "pipe",
				"pipe",
				"pipe",
				...(request.fds ?? []),
			],
			// A group of its own, so that what it starts can be ended with it.
			detached: process.platform !== "win32",
			windowsHide: true,
		}) as ChildProcessByStdio<Writable | null, Readable, Readable>;
		// A program that ends before it has read all says why by its exit code.
		child.stdin?.on("error", () => undefined);
		child.stdin?.end(request.input);
		const timer = clock.after(request.deadline_ms, () => {
			timed_out = true;
			killGroup(child);
			// Something may still hold the pipes open; the answer is not waited for any longer.
			child.stdout.destroy();
			child.stderr.destroy();
		});
		child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk));
		child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
		child.on("error", (error: NodeJS.ErrnoException) => finish(null, error.code ?? error.message));
		child.on("close", (code) => finish(timed_out ? null : code, undefined));
	});
}

function killGroup(child: ChildProcess): void {
	try {
		process.kill(-(child.pid ?? Number.NaN), "SIGKILL");
	} catch {
		// No group, or no groups on this system.
		child.kill("SIGKILL");
	}
}

class Collector {
	readonly #chunks: Buffer[] = [];
	#bytes = 0;

	add(chunk: Buffer): void {
		if (this.#bytes < output_bytes_max) {
			this.#chunks.push(chunk);
			this.#bytes += chunk.length;
		}
	}

	text(): string {
		return Buffer.concat(this.#chunks).toString("utf8", 0, output_bytes_max);
	}
}
