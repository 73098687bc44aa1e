import assert from "node:assert/strict";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { CommandLine } from "./containment.ts";
import type { InstanceGroups } from "./groups/instance-groups.ts";
import { launch_programs } from "./launch-programs.ts";
import type { ProcessLimits } from "./launcher.ts";
import { fileBytes } from "./launcher.ts";

/*
 * To start a process, the kernel copies the map of this one's memory, which takes longer than all
 * that the new process does until it runs its program; and to enter control groups a process waits
 * for every processor. So while nobody asks for anything, one process is made ready: it is in its
 * groups and waits to be told of a program (`native/launch.c`). When one is to be started, what is
 * left of that is one write.
 */

/** Who waited for a start is answered first. */
const pause_ms = 100;
/** What it is told of has to fit; a longer command line is started the other way. */
const order_bytes_max = 64 * 1024;
/** A machine on which it ends by itself so often is one on which it does not work. */
const failures_max = 3;

/** A program in everything that holds it. */
export interface LaunchOrder {
	readonly line: CommandLine;
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string;
	/** The file that it is given as its fourth descriptor. */
	readonly filter_path?: string | undefined;
}

/** A process that waits to be told of its program. */
export interface Spare {
	readonly child: ChildProcessWithoutNullStreams;
	readonly number: number;
	/** The control groups that it is in. */
	readonly groups: InstanceGroups | undefined;
	/** It becomes a program: what `orderBytes` made of that, with the limits it is to have. */
	launch(order: Buffer, limits: ProcessLimits): void;
	/** Ends it, where it is not to be used after all. */
	discard(): Promise<void>;
}

/** What spares are made with. */
export interface SpareOptions {
	readonly clock: Clock;
	/** Absolute folder that the launcher is written to; made where it is missing. */
	readonly folder: string;
	/** The number of the next program, counted up. */
	number(): number;
	/** Environment by which processes of this number are found. */
	markOf(number: number): Readonly<Record<string, string>>;
	groupsOf(number: number): InstanceGroups | undefined;
}

/** Keeps one process ready for the next program that is started. */
export class SpareLauncher {
	readonly #options: SpareOptions;
	#program: Promise<string | undefined> | undefined;
	#spare: Spare | undefined;
	#timer: Timer | undefined;
	#failures = 0;
	#closed = false;

	constructor(options: SpareOptions) {
		this.#options = options;
	}

	/** Whether there is one now. */
	get is_ready(): boolean {
		return this.#spare !== undefined;
	}

	/** Has one ready in a while; to be called when a start is over, as another may follow. */
	prepareSoon(): void {
		if (this.#closed || this.#failures >= failures_max || this.#spare !== undefined) {
			return;
		}
		this.#timer ??= this.#options.clock.afterIdle(pause_ms, () => {
			void this.#prepare().finally(() => {
				this.#timer = undefined;
			});
		});
	}

	/** Hands it out, if there is one. */
	take(): Spare | undefined {
		const spare = this.#spare;
		this.#spare = undefined;
		if (spare === undefined) {
			return undefined;
		}
		const { stdin, stdout, stderr } = spare.child;
		for (const one of [spare.child, ...([stdin, stdout, stderr] as unknown as Socket[])]) {
			one.ref();
		}
		return spare;
	}

	/** Ends the one that there is; none is made any more. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#timer?.cancel();
		await this.take()?.discard();
	}

	async #prepare(): Promise<void> {
		const { folder, number: next, markOf, groupsOf } = this.#options;
		this.#program ??= writeProgram(folder);
		const program = await this.#program;
		if (program === undefined) {
			this.#failures = failures_max;
		}
		if (program === undefined || this.#closed || this.#spare !== undefined) {
			return;
		}
		const number = next();
		const groups = groupsOf(number);
		const child = spawn(program, [...(groups?.entrances ?? [])], {
			cwd: "/",
			env: markOf(number),
			stdio: ["pipe", "pipe", "pipe", "pipe"],
			// As what it becomes: see `ProcessSpawner`.
			detached: true,
		});
		const spare = spareOf(child, number, groups);
		this.#spare = spare;
		const lost = () => {
			// What has been taken is somebody else's.
			if (this.#spare === spare) {
				this.#spare = undefined;
				this.#failures += 1;
				void groups?.remove();
			}
		};
		child.once("exit", lost);
		child.once("error", lost);
	}
}

/**
 * What a spare is told; undefined where it cannot be told that: it is too long, or no text of a
 * process can be like that.
 */
export function orderBytes({ line, env, cwd, filter_path }: LaunchOrder): Buffer | undefined {
	const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	const args = [line.program, ...line.args];
	const count = (texts: readonly string[]) => [String(texts.length), ...texts];
	const texts = [cwd, filter_path ?? "-", ...count(args), ...count(variables)];
	if (texts.some((text) => text.includes("\0"))) {
		return undefined;
	}
	const bytes = bytesOf(texts);
	return bytes.length > order_bytes_max ? undefined : bytes;
}

function limitBytes({ file_bytes_max, descriptors_max }: ProcessLimits): Buffer {
	const largest = file_bytes_max === undefined ? "-" : String(fileBytes(file_bytes_max));
	return bytesOf([largest, String(descriptors_max ?? "-")]);
}

function bytesOf(texts: readonly string[]): Buffer {
	return Buffer.from(texts.map((text) => `${text}\0`).join(""));
}

function spareOf(
	child: ChildProcessWithoutNullStreams,
	number: number,
	groups: InstanceGroups | undefined,
): Spare {
	const [stdin, stdout, stderr, orders] = child.stdio as unknown as [
		Socket,
		Socket,
		Socket,
		Socket,
	];
	const ended = new Promise<void>((resolve) => {
		child.once("exit", () => resolve());
		child.once("error", () => resolve());
	});
	for (const stream of [stdin, stdout, stderr, orders]) {
		// Its end is told by the process; a stream that ends with it is no news.
		stream.on("error", () => {});
		stream.unref();
	}
	child.unref();
	return {
		child,
		number,
		groups,
		launch: (order, limits) => void orders.end(Buffer.concat([limitBytes(limits), order])),
		async discard() {
			orders.destroy();
			child.kill("SIGKILL");
			child.ref();
			await ended;
			await groups?.remove();
		},
	};
}

/** Writes the launcher; undefined where there is none for this machine, or no place for it. */
async function writeProgram(folder: string): Promise<string | undefined> {
	const program = process.platform === "linux" ? launch_programs[process.arch] : undefined;
	if (program === undefined) {
		return undefined;
	}
	const bytes = Buffer.from(program.base64, "base64");
	const digest = createHash("sha256").update(bytes).digest("hex");
	assert(digest === program.sha256, "the launcher is not the program that was recorded");
	const path = join(folder, "launch");
	try {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		// A program that runs cannot be written to; the name is given to a new file instead.
		await writeFile(`${path}.new`, bytes, { mode: 0o555 });
		await rename(`${path}.new`, path);
		return path;
	} catch {
		return undefined;
	}
}
