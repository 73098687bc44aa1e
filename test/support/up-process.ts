import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import type { Overview } from "../../src/admin/contract.ts";
import { checkWire } from "../wire/watch.ts";
import { watchedProcess } from "../wire/watched-process.ts";
import { spawnCli } from "./run-cli.ts";
import { until } from "./until.ts";

/** `moorage up` as a process of its own. */
export interface UpProcess {
	readonly child: ChildProcessWithoutNullStreams;
	/** What it has printed so far. */
	readonly stdout: string;
	readonly stderr: string;
	/** Resolves with the exit code, or undefined when a signal ended it. */
	readonly exited: Promise<number | null>;
	/** Resolves when standard output has this text. */
	printed(text: string): Promise<void>;
	/** Resolves when standard error has this text. */
	said(text: string): Promise<void>;
	/** Resolves with what `--json` printed. */
	ready(): Promise<Overview & { mcp_url: string; admin_token_path: string }>;
	stop(): Promise<number | null>;
}

/**
 * Starts `moorage up` with the given words on a port of its own; it ends with the test, and what
 * was said on its wire is checked then.
 */
export function startUp(
	context: TestContext,
	args: readonly string[],
	world: { readonly cwd: string; readonly environment?: NodeJS.ProcessEnv },
): UpProcess {
	const listen = args.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
	const wire = watchedProcess();
	const environment = { ...world.environment, ...wire.environment };
	const child = spawnCli(["up", ...listen, ...args], { ...world, environment }, wire.node_args);
	const printed = { stdout: "", stderr: "" };
	child.stdout.on("data", (chunk: Buffer) => {
		printed.stdout += chunk.toString();
	});
	child.stderr.on("data", (chunk: Buffer) => {
		printed.stderr += chunk.toString();
	});
	let over = false;
	const exited = once(child, "close").then(([code]) => {
		over = true;
		return code as number | null;
	});
	const still = (text: string, what: () => string) => {
		if (over && !what().includes(text)) throw new Error(`it ended without ${text}: ${what()}`);
		return what().includes(text);
	};
	const stop = () => {
		child.kill("SIGTERM");
		return exited;
	};
	context.after(async () => {
		if (!over) {
			child.kill("SIGKILL");
			await exited;
		}
		checkWire(wire.takeComplaints());
	});
	return {
		child,
		exited,
		get stdout() {
			return printed.stdout;
		},
		get stderr() {
			return printed.stderr;
		},
		printed: (text) => until(() => still(text, () => printed.stdout)),
		said: (text) => until(() => still(text, () => printed.stderr)),
		async ready() {
			await until(() => still("\n}\n", () => `${printed.stdout}${over ? printed.stderr : ""}`));
			return JSON.parse(printed.stdout) as Awaited<ReturnType<UpProcess["ready"]>>;
		},
		stop,
	};
}
