import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Sample } from "./figures.ts";
import { cpuOf, residentOf } from "./process-stat.ts";
import { findWrk, type LoadCount, loadWithWrk } from "./wrk.ts";

/** Requests that a load repeats; `$ID` in the body stands for the id of each. */
export interface LoadRequest {
	readonly port: number;
	readonly path: string;
	/** Addresses that the requests take turns at, where it is not one alone. */
	readonly paths?: readonly string[];
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** Every right reply has this text. */
	readonly marker: string;
	/** Sessions that the requests take turns in; their header is added to each. */
	readonly sessions?: readonly string[];
}

/** How hard and how long. */
export interface LoadShape {
	/** Connections, each with one request under way. */
	readonly connections: number;
	readonly warm_ms: number;
	readonly run_ms: number;
	/**
	 * Calls a second that arrive whether or not earlier ones are done (an open loop): a call that
	 * has to wait for a connection waits in its latency. Undefined: as many as the server takes.
	 */
	readonly rate?: number | undefined;
	/** True where every reply is looked at, also while it counts. */
	readonly checked_only?: boolean | undefined;
}

/** Before a server is measured at an address for the first time, its code is compiled. */
const first_warm_ms = 1_000;
const first_warm_calls = 3_000;

interface Done extends LoadCount {
	readonly kind: "measuring" | "done";
}

const program = fileURLToPath(new URL("./load/generator.mjs", import.meta.url));

/**
 * The clients: a process of ours that looks at every reply, and wrk, where it is there, for what
 * is measured in a closed loop.
 */
export class LoadGenerator {
	readonly #has_wrk = findWrk();
	readonly #process: ChildProcess = fork(program, {
		stdio: ["ignore", "ignore", "inherit", "ipc"],
	});

	readonly #warmed = new Set<string>();

	/** Loads the server with this pid once and counts; a wrong reply fails the run. */
	async run(request: LoadRequest, shape: LoadShape, pid: number): Promise<Sample> {
		const address = `${request.port}${request.path} ${request.body.length}`;
		const first = !this.#warmed.has(address);
		this.#warmed.add(address);
		const by_wrk = this.#has_wrk && shape.rate === undefined && !shape.checked_only;
		// Whatever is measured, a process that looks at every reply has had its turn before.
		const counted = by_wrk
			? await this.#byWrk(request, shape, pid, first)
			: await this.#byOurs(request, shape, pid, first);
		const { done, cpu_ms } = counted;
		if (done.errors > 0 || done.calls === 0) {
			throw new Error(`${request.path}: ${done.errors} of ${done.calls} failed: ${done.problem}`);
		}
		const { calls, seconds, p50_ms, p99_ms, p999_ms } = done;
		return { calls, seconds, p50_ms, p99_ms, p999_ms, cpu_ms, rss_mb: residentOf(pid) };
	}

	/** What the report says of who plays the clients. */
	get name(): string {
		return this.#has_wrk ? "wrk, replies checked by a process of ours" : "a process of ours";
	}

	async #byWrk(request: LoadRequest, shape: LoadShape, pid: number, first: boolean) {
		if (first) {
			const run_ms = 1;
			const checked = await this.#byOurs(request, { ...shape, run_ms }, pid, true);
			if (checked.done.errors > 0) return checked;
		}
		const before = cpuOf(pid);
		const done = await loadWithWrk(request, shape.connections, shape.run_ms);
		return { done, cpu_ms: since(before, cpuOf(pid)) };
	}

	async #byOurs(request: LoadRequest, shape: LoadShape, pid: number, first: boolean) {
		const warm_ms = first ? first_warm_ms : shape.warm_ms;
		const warm_calls = first && shape.rate === undefined ? first_warm_calls : 0;
		this.#process.send({ ...request, ...shape, warm_ms, warm_calls });
		await this.#next("measuring");
		const before = cpuOf(pid);
		const done = await this.#next("done");
		return { done, cpu_ms: since(before, cpuOf(pid)) };
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

function since(before: number | undefined, after: number | undefined): number | undefined {
	return before === undefined || after === undefined ? undefined : after - before;
}
