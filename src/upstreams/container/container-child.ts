import { type Duplex, PassThrough } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { ChildHandle, Hibernation, SandboxState } from "../driver.ts";
import { ContainerSleep } from "./container-sleep.ts";
import type { EndedState, Engine } from "./engine.ts";
import { type EngineProblem, engineSentence } from "./engine-problem.ts";
import { exitOf } from "./exit-code.ts";
import { FrameReader } from "./frames.ts";

/** What a running container is made from. */
export interface ContainerChildOptions {
	readonly engine: Engine;
	readonly clock: Clock;
	readonly id: string;
	/** The connection to its standard streams. */
	readonly streams: Duplex;
	readonly memory_bytes_max: number | undefined;
	readonly notes: readonly string[];
}

/** What ended, and why. */
type Exit = { code: number | null; signal: string | null };

/** After SIGKILL an engine needs a moment to see the end; longer, and something is wrong. */
const removed_ms = 10_000;
/** How often an engine is asked for a container's end, and how long after it broke off. */
const asked_max = 5;
const ask_again_ms = 250;
const cpu_period_us = 100_000;
/** The exit code of what was ended by SIGKILL. */
const killed_code = 137;

/** One container that has been started, seen as a program with three streams. */
export class ContainerChild implements ChildHandle {
	/** Its first process is the engine's child, and in a namespace of its own. */
	readonly pid = 0;
	readonly sandbox: SandboxState = { kind: "container", notes: [] };
	readonly stdin: NodeJS.WritableStream;
	readonly stdout = new PassThrough();
	readonly stderr = new PassThrough();
	readonly exited: Promise<Exit>;
	/** Resolves when the engine has nothing of it any more, or could not be made to. */
	readonly gone: Promise<void>;
	readonly hibernation: Hibernation;
	readonly #sleep: ContainerSleep;
	readonly #options: ContainerChildOptions;
	/** Resolves a moment after the streams have ended, when the engine should have told of it. */
	readonly #streams_over: Promise<Result<void, EngineProblem>>;
	#end_reason: string | undefined;
	#notes: readonly string[];
	#stopping: Promise<void> | undefined;
	#killed = false;

	constructor(options: ContainerChildOptions) {
		this.#options = options;
		this.#notes = options.notes;
		this.stdin = options.streams;
		const { clock, streams } = options;
		this.#streams_over = new Promise((resolve) => {
			streams.once("close", () => clock.after(ask_again_ms, () => resolve(streams_ended)));
		});
		this.#readStreams(options.streams);
		this.exited = this.#watch();
		this.gone = this.exited.then(() => this.#remove());
		this.#sleep = new ContainerSleep(options.engine, options.id);
		this.hibernation = this.#sleep;
	}

	end_reason = (): string | undefined => this.#end_reason;

	notes = (): readonly string[] => this.#notes;

	/** Adds to what people should know of it. */
	note(text: string): void {
		this.#notes = [...this.#notes, text];
	}

	/** Limits the processor from now on. */
	async limitCpu(cpus_max: number): Promise<Result<void, EngineProblem>> {
		const { engine, id } = this.#options;
		// The kernel takes no less than a hundredth of the period.
		const quota_us = Math.max(cpu_period_us / 100, Math.round(cpus_max * cpu_period_us));
		const limited = await engine.limitCpu(id, { period_us: cpu_period_us, quota_us });
		if (limited.ok) return succeed(undefined);
		const why = engineSentence(limited.problem);
		this.note(`the limit on processors could not be set: the container engine ${why}`);
		return fail(limited.problem);
	}

	stop(grace_ms: number): Promise<void> {
		this.#stopping ??= this.#stop(grace_ms);
		return this.#stopping;
	}

	kill(): void {
		void this.#kill();
	}

	get is_paused(): boolean {
		return this.#sleep.is_paused;
	}

	/** Ends it for this reason, which goes on after its name. */
	endFor(reason: string): void {
		this.#end_reason ??= reason;
		void this.#kill();
	}

	async #stop(grace_ms: number): Promise<void> {
		const { engine, id, streams } = this.#options;
		// What is paused neither reads the end of its input nor hears a signal.
		await this.hibernation.thaw().catch(() => {});
		streams.end();
		if (!(await this.#endsWithin(grace_ms))) {
			await engine.signal(id, "SIGTERM");
			if (!(await this.#endsWithin(grace_ms))) await this.#kill();
		}
		await this.gone;
	}

	async #kill(): Promise<void> {
		this.#killed = true;
		const { engine, id, streams } = this.#options;
		await engine.remove(id);
		streams.destroy();
	}

	#endsWithin(wait_ms: number): Promise<boolean> {
		const { promise, resolve } = Promise.withResolvers<boolean>();
		const timer = this.#options.clock.after(wait_ms, () => resolve(false));
		void this.exited.then(() => {
			timer.cancel();
			resolve(true);
		});
		return promise;
	}

	#readStreams(streams: Duplex): void {
		const { stdout, stderr } = this;
		const reader = new FrameReader({
			onData: (stream, bytes) => {
				const to = stream === "stdout" ? stdout : stderr;
				if (to.write(bytes)) return;
				streams.pause();
				to.once("drain", () => streams.resume());
			},
			onBroken: () => streams.destroy(),
		});
		streams.on("data", (chunk: Buffer) => reader.push(chunk));
		streams.on("close", () => {
			stdout.end();
			stderr.end();
		});
		// An error is followed by the close, which is what counts.
		streams.on("error", () => {});
	}

	async #watch(): Promise<Exit> {
		const { memory_bytes_max } = this.#options;
		const ended = await this.#endedState();
		if (!ended.ok) {
			const lost = `was lost with its container engine, which ${engineSentence(ended.problem)}`;
			this.#end_reason ??= isRemoved(ended) ? "was removed from the container engine" : lost;
			return { code: null, signal: "SIGKILL" };
		}
		const { exit_code, out_of_memory, error } = ended.value;
		if (this.#end_reason !== undefined) return exitOf(exit_code);
		if (out_of_memory) this.#end_reason = `ran out of memory${limitText(memory_bytes_max)}`;
		else if (exit_code === killed_code && !this.#killed && memory_bytes_max !== undefined) {
			// Not every engine knows that it was the kernel, and why.
			const cause = "was killed by somebody else, as the kernel does with what is out of memory";
			this.#end_reason = `${cause}${limitText(memory_bytes_max)}`;
		} else if (error !== "") this.#end_reason = `was ended by the container engine: ${error}`;
		return exitOf(exit_code);
	}

	/**
	 * How it ended, once it has. An engine that breaks off its answer is asked again: the container
	 * may run on, or may have ended with a reason that is worth knowing. And an engine may leave
	 * whoever waits without an answer where a container was over at once: its streams end then too.
	 */
	async #endedState(): Promise<Result<EndedState, EngineProblem>> {
		const { engine, id, clock } = this.#options;
		for (let asked = 1; ; asked += 1) {
			const waited = await Promise.race([engine.waitForEnd(id), this.#streams_over]);
			const state = waited.ok || !isRemoved(waited) ? await engine.endedState(id) : waited;
			if (state.ok && !state.value.is_running) return state;
			if (isRemoved(state)) return state;
			if (asked >= asked_max) return waited.ok || !state.ok ? state : waited;
			await new Promise<void>((resolve) => clock.after(ask_again_ms, resolve));
		}
	}

	async #remove(): Promise<void> {
		const { engine, id, streams } = this.#options;
		await engine.remove(id);
		// Its last words may still be on their way; the engine ends the stream behind them.
		if (!streams.closed && !streams.readableEnded) {
			const timer = this.#options.clock.afterIdle(removed_ms, () => streams.destroy());
			streams.once("close", () => timer.cancel());
		}
	}
}

const streams_ended = fail<EngineProblem>({ kind: "broken", detail: "its streams ended" });

function isRemoved(answer: Result<unknown, EngineProblem>): boolean {
	return !answer.ok && answer.problem.kind === "refused" && answer.problem.status === 404;
}

function limitText(bytes: number | undefined): string {
	if (bytes === undefined) return "";
	const [size, unit] = bytes >= 1024 ** 3 ? [bytes / 1024 ** 3, "GiB"] : [bytes / 1024 ** 2, "MiB"];
	return ` (limit ${Math.round(size * 10) / 10}${unit})`;
}
