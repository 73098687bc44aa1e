import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import type { ChildHandle, SandboxKind, SandboxState } from "../../upstreams/driver.ts";
import { findProcesses, killProcesses, signalProcess, waitUntilGone } from "./cleanup.ts";
import type { ContainmentMode } from "./containment.ts";
import { endReason, limitNotes, survivedNotes } from "./end-reason.ts";
import { GroupFreezer } from "./group-freezer.ts";
import { no_events, readLimitEvents, setCpuLimit } from "./groups/group-limits.ts";
import type { InstanceGroups } from "./groups/instance-groups.ts";
import { ChildHibernation } from "./hibernation.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { LimitPlan } from "./limits.ts";
import type { ProcessRow, ProcessTable } from "./process-table.ts";
import { childPidsSync, descendantPidsSync, readRowSync } from "./process-table.ts";
import { GroupReclaimer } from "./reclaim.ts";
import { SignalFreezer } from "./signal-freezer.ts";
import { groupUsage, processUsage } from "./usage.ts";
import type { Watchdog } from "./watchdog.ts";

/** How a program ended: one of the two is set. */
export interface ExitStatus {
	readonly code: number | null;
	readonly signal: string | null;
}

/** What a contained child is made of. */
export interface ContainedChildOptions {
	readonly process: ChildProcess & {
		readonly stdin: Writable;
		readonly stdout: Readable;
		readonly stderr: Readable;
	};
	readonly pid: number;
	readonly mode: ContainmentMode;
	/** As recorded in the ledger; later where finding the start time takes a moment. */
	readonly entry: LedgerEntry | Promise<LedgerEntry>;
	/** The `name=value` that marks this child's processes and no others. */
	readonly marker: string;
	readonly table: ProcessTable;
	readonly clock: Clock;
	/** The control groups it is in, where it is in any. */
	readonly groups?: InstanceGroups | undefined;
	/** What it may use up; undefined for our own tools. */
	readonly limits?: ChildLimits | undefined;
	/** What is known at the start of how it is shut off from the machine. */
	readonly notes?: readonly string[] | undefined;
	/** What shuts it off from the machine. */
	readonly sandbox?: SandboxKind | undefined;
	/** Told when its start is over. */
	readonly onSettled?: (() => void) | undefined;
}

/** The limits of a child, and who looks after them. */
export interface ChildLimits {
	readonly plan: LimitPlan;
	readonly watchdog: Watchdog;
	/** Folders whose contents count for the limit on disk space. */
	readonly folders: readonly string[];
	/** What is already known at the start: limits that could not be set. */
	readonly notes: readonly string[];
}

/** How long a killed process may take to disappear before it is given up. */
const kill_wait_ms = 5_000;
/** Highest signal number a shell adds to 128. */
const signal_max = 64;

/** One running program with everything it started. */
export class ContainedChild implements ChildHandle {
	readonly pid: number;
	readonly stdin: Writable;
	readonly stdout: Readable;
	readonly stderr: Readable;
	readonly exited: Promise<ExitStatus>;
	/** Resolves when the program has ended and nothing it started is left. */
	readonly gone: Promise<void>;
	/** Undefined on Windows, which can neither freeze nor stop processes. */
	readonly hibernation: ChildHibernation | undefined;
	readonly sandbox: SandboxState;

	readonly #options: ContainedChildOptions;
	readonly #notes: string[];
	#end_reason: string | undefined;
	#ended = false;
	/** The first process of the namespace, once it has been killed. */
	#inits: readonly ProcessRow[] | undefined;
	#stopping: Promise<void> | undefined;
	#was_killed = false;

	constructor(options: ContainedChildOptions) {
		this.#options = options;
		this.#notes = [...(options.notes ?? []), ...(options.limits?.notes ?? [])];
		this.pid = options.pid;
		this.sandbox = { kind: options.sandbox ?? "none", notes: options.notes ?? [] };
		const child = options.process;
		this.stdin = child.stdin;
		this.stdout = child.stdout;
		this.stderr = child.stderr;
		for (const stream of [child.stdin, child.stdout, child.stderr]) {
			// A server that closes its end is no reason for the gateway to fall; whoever
			// reads or writes learns of it through the end of the stream or of the process.
			stream.on("error", () => {});
		}
		child.on("error", () => {});
		this.hibernation = process.platform === "win32" ? undefined : this.#makeHibernation();
		this.exited = new Promise((resolve) => {
			child.once("exit", (code, signal) => {
				this.#ended = true;
				this.hibernation?.end();
				const own = options.mode === "watcher" ? { code, signal } : exitStatus(code, signal);
				this.#end_reason ??= this.#reasonOf(own);
				resolve(own);
			});
		});
		this.#watch();
		this.gone = this.exited.then(() => this.#clearLeftovers());
	}

	/** The processor is limited from now on: a start is hungry, and is over. */
	settled(): void {
		const { groups, limits, onSettled } = this.#options;
		onSettled?.();
		const cpus_max = limits?.plan.group.cpus_max;
		if (groups !== undefined && cpus_max !== undefined && !this.#ended) {
			this.#notes.push(...limitNotes(setCpuLimit(groups, cpus_max)));
		}
	}

	/** See `ChildHandle.end_reason`. */
	end_reason(): string | undefined {
		return this.#end_reason;
	}

	/** See `ChildHandle.was_killed`. */
	was_killed(): boolean {
		return this.#was_killed;
	}

	/** See `ChildHandle.notes`. */
	notes(): readonly string[] {
		const { groups, limits } = this.#options;
		if (groups === undefined || limits === undefined || this.#ended) {
			return this.#notes;
		}
		const survived = survivedNotes(readLimitEvents(groups), limits.plan);
		return survived.length === 0 ? this.#notes : [...this.#notes, ...survived];
	}

	stop(grace_ms: number): Promise<void> {
		this.#stopping ??= this.#stop(grace_ms);
		return this.#stopping;
	}

	kill(): void {
		if (this.#ended) {
			return;
		}
		this.#signalAll();
		this.#options.groups?.kill();
		// After the signals: what was frozen must not run once more before it dies.
		this.hibernation?.end();
	}

	#signalAll(): void {
		if (this.#options.mode === "watcher") {
			signalGroup(this.pid, "SIGKILL");
			return;
		}
		// The init's death ends the namespace. `unshare` goes first, so that it has no time to
		// comment on that; it would also mistake it for a failure of its own.
		this.#inits = childPidsSync(this.pid).flatMap((pid) => readRowSync(pid) ?? []);
		for (const pid of [this.pid, ...this.#inits.map((init) => init.pid)]) {
			signalProcess(pid, "SIGKILL");
		}
	}

	async #stop(grace_ms: number): Promise<void> {
		if (!this.#ended) {
			// Something frozen cannot see that its input has ended, nor act on a signal.
			this.hibernation?.end();
			this.stdin.end();
			if (!(await this.#endsWithin(grace_ms))) {
				await this.#terminate();
				if (!(await this.#endsWithin(grace_ms))) {
					this.#was_killed = !this.#ended;
					this.kill();
				}
			}
			if (!(await this.#endsWithin(kill_wait_ms))) {
				return;
			}
		}
		await this.gone;
	}

	/** SIGTERM to the server and all it started, but not to what only waits for it. */
	async #terminate(): Promise<void> {
		if (this.#options.mode === "pid-namespace") {
			const inits = childPidsSync(this.pid);
			for (const pid of inits.flatMap(descendantPidsSync)) {
				signalProcess(pid, "SIGTERM");
			}
			if (inits.length > 0) {
				return;
			}
		}
		for (const row of await this.#tree()) {
			const waits = row.pid === this.pid || row.ppid === this.pid;
			if (this.#options.mode === "watcher" || !waits) {
				signalProcess(row.pid, "SIGTERM");
			}
		}
	}

	async #tree(): Promise<ProcessRow[]> {
		const { table, entry, marker } = this.#options;
		return await findProcesses(table, { entries: [await entry], marker_prefix: marker });
	}

	/**
	 * In a namespace the kernel has ended everything before the program's end is reported,
	 * unless it was killed; then the end of its first process says so. Where that was not
	 * there yet, or where there is no namespace, the marks tell what is left.
	 */
	async #clearLeftovers(): Promise<void> {
		await this.#endLeftovers();
		await this.#options.groups?.remove();
	}

	async #endLeftovers(): Promise<void> {
		const { mode, clock, table, entry, marker } = this.#options;
		if (mode === "watcher" || this.#inits?.length === 0) {
			const target = { entries: [await entry], marker_prefix: marker };
			await killProcesses(clock, table, target);
			return;
		}
		for (const init of this.#inits ?? []) {
			await waitUntilGone(clock, table, init);
		}
	}

	#watch(): void {
		const { limits } = this.#options;
		if (limits === undefined) {
			return;
		}
		const unwatch = limits.watchdog.watch({
			limits: limits.plan.watched,
			folders: limits.folders,
			asleep: () => this.hibernation?.asleep ?? false,
			pids: () => this.#pids(),
			end: (reason) => {
				this.#end_reason ??= reason;
				this.kill();
			},
			note: (text) => this.#notes.push(text),
		});
		void this.exited.then(unwatch);
	}

	async #pids(): Promise<readonly number[]> {
		const members = this.#options.groups?.members() ?? [];
		return members.length > 0 ? members : (await this.#stoppable()).map(({ pid }) => pid);
	}

	/** What the limits have to do with this end; undefined when nothing. */
	#reasonOf({ code, signal }: ExitStatus): string | undefined {
		const { groups, limits } = this.#options;
		if (limits === undefined) {
			return undefined;
		}
		const events = groups === undefined ? no_events : readLimitEvents(groups);
		return endReason({ code, signal, events, plan: limits.plan });
	}

	#makeHibernation(): ChildHibernation {
		const { clock, groups } = this.#options;
		const place = groups?.place("freezer");
		const freezer =
			place === undefined
				? new SignalFreezer(clock, () => this.#stoppable())
				: new GroupFreezer(clock, place);
		const memory = groups?.place("memory");
		const reclaimer =
			memory && new GroupReclaimer(memory, this.#options.limits?.plan.group.memory_bytes_max);
		return new ChildHibernation({
			freezer,
			reclaimer,
			usage: async () => {
				const used = groups === undefined ? undefined : groupUsage(groups);
				return used !== undefined || process.platform !== "linux"
					? used
					: processUsage(await this.#pids());
			},
		});
	}

	/** All that a signal must stop, parents first as far as possible. */
	async #stoppable(): Promise<readonly ProcessRow[]> {
		if (this.#ended) {
			return [];
		}
		if (this.#options.mode === "watcher") {
			return await this.#tree();
		}
		const rows = [this.pid, ...descendantPidsSync(this.pid)].flatMap(
			(pid) => readRowSync(pid) ?? [],
		);
		return rows.filter((row) => !row.zombie);
	}

	/** True when the program ends in time. */
	#endsWithin(wait_ms: number): Promise<boolean> {
		return new Promise((resolve) => {
			const timer = this.#options.clock.after(wait_ms, () => resolve(this.#ended));
			void this.exited.then(() => {
				timer.cancel();
				resolve(true);
			});
		});
	}
}

/**
 * How the server itself ended, as told by the shells around it: a shell reports a signal as
 * 128 and its number. A server that exits with such a code of its own accord means the same.
 */
export function exitStatus(code: number | null, signal: string | null): ExitStatus {
	if (code === null || code <= 128 || code > 128 + signal_max) {
		return { code, signal };
	}
	const number = code - 128;
	const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
	return name === undefined ? { code, signal } : { code: null, signal: name };
}

function signalGroup(pgid: number, signal: NodeJS.Signals): void {
	// Windows has no process groups; there the program alone is ended.
	if (process.platform === "win32" || !signalProcess(-pgid, signal)) {
		signalProcess(pgid, signal);
	}
}
