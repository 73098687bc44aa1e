import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { all_commands } from "../../src/cli/all-commands.ts";
import type { CommandContext, CommandSignal } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";
import { runCommandLine } from "../../src/cli/run.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { Environment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";

/** The entry point of the command line. */
export const cli_path: string = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Where and with what a command runs. */
export interface CliWorld {
	readonly cwd: string;
	readonly environment?: Environment;
	readonly home?: string;
	readonly platform?: NodeJS.Platform;
	readonly input?: string;
	/** Standard output is a terminal of this width. */
	readonly terminal_columns?: number;
}

/** A command that runs inside the test. */
export interface CliRun {
	/** Resolves with the exit code. */
	readonly exit: Promise<number>;
	/** What was printed so far. */
	readonly stdout: string;
	readonly stderr: string;
	readonly output: PassThrough;
	signal(name: CommandSignal): void;
	/** Codes of `exitNow`, which ends nothing here. */
	readonly forced: readonly number[];
}

/** A world for a command, and what the test needs of it. */
export interface TestContextOfCli {
	readonly context: CommandContext;
	readonly stdout: PassThrough;
	readonly stderr: PassThrough;
	readonly listeners: ReadonlyMap<CommandSignal, ReadonlySet<() => void>>;
	readonly forced: number[];
}

/** Makes everything a command needs to know of the world. */
export function createContext(world: CliWorld): TestContextOfCli {
	const stdout = new PassThrough();
	const stderr = new PassThrough();
	const { terminal_columns: columns } = world;
	if (columns !== undefined) Object.assign(stdout, { isTTY: true, columns });
	const environment = world.environment ?? {};
	const listeners = new Map<CommandSignal, Set<() => void>>();
	const forced: number[] = [];
	const context: CommandContext = {
		environment,
		clock: systemClock,
		random: systemRandom,
		cwd: world.cwd,
		home: world.home ?? join(world.cwd, "home"),
		platform: world.platform ?? "linux",
		stdin: Readable.from(world.input === undefined ? [] : [Buffer.from(world.input)]),
		stdout,
		stderr,
		output: new Output({ stdout, stderr, environment }),
		version: "0.0.0",
		self: ["/usr/bin/node", "/opt/moorage/bin/moorage"],
		onSignal(signal, listener) {
			const known = listeners.get(signal) ?? new Set();
			listeners.set(signal, known.add(listener));
			return () => known.delete(listener);
		},
		exitNow: (code) => forced.push(code),
	};
	return { context, stdout, stderr, listeners, forced };
}

/** Starts a command inside this process, with streams and an environment of the test's own. */
export function startCli(args: readonly string[], world: CliWorld): CliRun {
	const { context, stdout, stderr, listeners, forced } = createContext(world);
	const printed = { stdout: "", stderr: "" };
	stdout.on("data", (chunk: Buffer) => {
		printed.stdout += chunk.toString();
	});
	stderr.on("data", (chunk: Buffer) => {
		printed.stderr += chunk.toString();
	});
	return {
		exit: runCommandLine(all_commands, args, context),
		get stdout() {
			return printed.stdout;
		},
		get stderr() {
			return printed.stderr;
		},
		output: stdout,
		signal(name) {
			for (const listener of listeners.get(name) ?? []) listener();
		},
		forced,
	};
}

/** What a command did. */
export interface CliOutcome {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a command inside this process to its end. */
export async function runCli(args: readonly string[], world: CliWorld): Promise<CliOutcome> {
	const run = startCli(args, world);
	const code = await run.exit;
	// What was written last still has to come through the stream.
	await new Promise((resolve) => setImmediate(resolve));
	return { code, stdout: run.stdout, stderr: run.stderr };
}

/** Starts a command as a process of its own; `node_args` go before its program. */
export function spawnCli(
	args: readonly string[],
	world: { readonly cwd: string; readonly environment?: NodeJS.ProcessEnv },
	node_args: readonly string[] = [],
): ChildProcessWithoutNullStreams {
	return spawn(process.execPath, [...node_args, cli_path, ...args], {
		cwd: world.cwd,
		env: { PATH: process.env["PATH"], HOME: homedir(), ...world.environment },
	});
}

/** Runs a command as a process of its own to its end. */
export async function execCli(
	args: readonly string[],
	world: { readonly cwd: string; readonly input?: string },
): Promise<CliOutcome> {
	const child = spawnCli(args, world);
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (chunk: Buffer) => {
		stdout += chunk.toString();
	});
	child.stderr.on("data", (chunk: Buffer) => {
		stderr += chunk.toString();
	});
	child.stdin.end(world.input ?? "");
	const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
	return { code, stdout, stderr };
}
