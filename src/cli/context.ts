import type { Readable, Writable } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import type { Output } from "./output.ts";

/** Signals a command may want to hear. */
export type CommandSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Everything a command knows of the world. A test hands in its own. */
export interface CommandContext {
	readonly environment: Environment;
	readonly clock: Clock;
	readonly random: Random;
	/** Absolute working directory. */
	readonly cwd: string;
	/** Absolute home folder of the user. */
	readonly home: string;
	readonly platform: NodeJS.Platform;
	readonly stdin: Readable & { readonly isTTY?: boolean };
	readonly stdout: Writable;
	readonly stderr: Writable;
	/** For people and programs: tables, notes, JSON. */
	readonly output: Output;
	/** Moorage's own version. */
	readonly version: string;
	/** How this program was started: the program and its first arguments, absolute. */
	readonly self: readonly [string, ...string[]];
	/** Calls `listener` on a signal until the returned function is called. */
	onSignal(signal: CommandSignal, listener: () => void): () => void;
	/** Ends the process at once, for the second Ctrl-C. */
	exitNow(code: number): void;
}
