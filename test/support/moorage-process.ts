import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkWire } from "../wire/watch.ts";
import { watchedProcess } from "../wire/watched-process.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** What `moorage up --json` prints once it is ready. */
export interface UpReport {
	readonly url: string;
	readonly pid: number;
	readonly servers: readonly { name: string; state: string; tools: number; url: string }[];
}

/** `moorage up` as a process of its own, ready. */
export interface MoorageProcess {
	readonly report: UpReport;
	readonly process: ChildProcess;
	/** What it has written to standard error so far. */
	readonly errors: readonly string[];
	address(endpoint?: string): URL;
	/** Asks it to stop and waits for its end; the exit code. */
	stop(): Promise<number | null>;
	/** Kills it with SIGKILL and waits for its end. */
	kill(): Promise<void>;
}

/**
 * Starts `moorage up CONFIG --data DATA` on a free port and waits until it is ready. What is said
 * on its wire is checked when it ends. `within` is a command that runs it in its own place.
 */
export async function startMoorage(
	config: string,
	data: string,
	environment: NodeJS.ProcessEnv = process.env,
	listen = "127.0.0.1:0",
	within: readonly string[] = [],
): Promise<MoorageProcess> {
	const args = ["up", config, "--data", data, "--listen", listen, "--json"];
	const wire = watchedProcess();
	const [command = "", ...rest] = [
		...within,
		...[process.execPath, ...wire.node_args, program, ...args],
	];
	const child = spawn(command, rest, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...environment, ...wire.environment },
	});
	const errors: string[] = [];
	createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
	const exited = once(child, "exit") as Promise<[number | null]>;
	const lines: string[] = [];
	const ready = new Promise<UpReport>((resolve, reject) => {
		createInterface({ input: child.stdout }).on("line", (line) => {
			lines.push(line);
			try {
				resolve(JSON.parse(lines.join("\n")) as UpReport);
			} catch {
				// The report may span several lines; the next one may complete it.
			}
		});
		void exited.then(([code]) => reject(new Error(`exit ${code}: ${errors.join("\n")}`)));
	});
	const report = await ready;
	return {
		report,
		process: child,
		errors,
		address: (endpoint = "mcp") =>
			new URL(endpoint === "mcp" ? "/mcp" : `/${endpoint}/mcp`, report.url),
		async stop() {
			child.kill("SIGTERM");
			const [code] = await exited;
			checkWire(wire.takeComplaints());
			return code;
		},
		async kill() {
			child.kill("SIGKILL");
			await exited;
			checkWire(wire.takeComplaints());
		},
	};
}
