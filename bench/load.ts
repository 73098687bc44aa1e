import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Sample } from "./figures.ts";
import { cpuOf, residentOf } from "./process-stat.ts";

/** Requests that a load repeats; `$ID` in the body stands for the id of each. */
export interface LoadRequest {
	readonly port: number;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** Every right reply has this text. */
	readonly marker: string;
}

/** How hard and how long. */
export interface LoadShape {
	/** Connections, each with one request under way. */
	readonly connections: number;
	readonly warm_ms: number;
	readonly run_ms: number;
}

/** Before a server is measured at an address for the first time, its code is compiled. */
const first_warm_ms = 1_000;
const first_warm_calls = 3_000;

interface Done {
	readonly kind: "measuring" | "done";
	readonly calls: number;
	readonly errors: number;
	readonly problem?: string;
	readonly seconds: number;
	readonly p50_ms: number;
	readonly p99_ms: number;
}

const program = fileURLToPath(new URL("./load/generator.mjs", import.meta.url));

/** The process that plays the clients. */
export class LoadGenerator {
	readonly #process: ChildProcess = fork(program, {
		stdio: ["ignore", "ignore", "inherit", "ipc"],
	});

	readonly #warmed = new Set<string>();

	/** Loads the server with this pid once and counts; a wrong reply fails the run. */
	async run(request: LoadRequest, shape: LoadShape, pid: number): Promise<Sample> {
		const address = `${request.port}${request.path}`;
		const first = !this.#warmed.has(address);
		this.#warmed.add(address);
		const warm_ms = first ? first_warm_ms : shape.warm_ms;
		const warm_calls = first ? first_warm_calls : 0;
		this.#process.send({ ...request, ...shape, warm_ms, warm_calls });
		await this.#next("measuring");
		const cpu_before = cpuOf(pid);
		const done = await this.#next("done");
		const cpu_after = cpuOf(pid);
		if (done.errors > 0 || done.calls === 0) {
			throw new Error(`${request.path}: ${done.errors} of ${done.calls} failed: ${done.problem}`);
		}
		const { calls, seconds, p50_ms, p99_ms } = done;
		const known = cpu_before !== undefined && cpu_after !== undefined;
		const cpu_ms = known ? cpu_after - cpu_before : undefined;
		return { calls, seconds, p50_ms, p99_ms, cpu_ms, rss_mb: residentOf(pid) };
	}

	stop(): void {
		this.#process.disconnect();
	}

	#next(kind: Done["kind"]): Promise<Done> {
		return new Promise((resolve, reject) => {
			const process = this.#process;
			const gone = () => reject(new Error("the load generator has ended"));
			process.once("exit", gone);
			process.once("message", (message) => {
				process.off("exit", gone);
				const done = message as Done;
				if (done.kind === kind) resolve(done);
				else reject(new Error(`the load generator said ${done.kind} instead of ${kind}`));
			});
		});
	}
}
