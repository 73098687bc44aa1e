import assert from "node:assert/strict";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import type { Random } from "../../lib/random.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Fault, FaultCode } from "../../protocol/fault.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { ChildHandle, SandboxKind, Spawner, SpawnRequest } from "../../upstreams/driver.ts";
import type { SandboxProbe } from "../sandbox/probe.ts";
import { probeSandbox, switchedOff } from "../sandbox/probe.ts";
import { isSandboxed, protect, Sandbox } from "../sandbox/sandbox.ts";
import type { Bounds } from "./bounds.ts";
import { setBounds } from "./bounds.ts";
import { ContainedChild } from "./child.ts";
import { killProcesses, marker_name, ownerPrefix } from "./cleanup.ts";
import type { CommandLine, Containment, ContainmentMode } from "./containment.ts";
import { probeContainment, watcherContainment } from "./containment.ts";
import { childEnvironment, folderEnvironment } from "./environment.ts";
import { findProgram, programSentence } from "./find-program.ts";
import type { InstanceGroups } from "./groups/instance-groups.ts";
import { makeInstanceGroups } from "./groups/instance-groups.ts";
import { all_versions, ownHierarchies, probeGroups, releaseTier } from "./groups/probe.ts";
import { QuickEntry } from "./groups/quick-entry.ts";
import { runGroupName, sweepGroups } from "./groups/sweep-groups.ts";
import type { GroupTier } from "./groups/tier.ts";
import { describeTier, hierarchyFor } from "./groups/tier.ts";
import { launchLine } from "./launcher.ts";
import type { LedgerEntry } from "./ledger.ts";
import { Ledger, listLedgers, readLedger } from "./ledger.ts";
import type { SpawnerLog } from "./log.ts";
import type { ProcessRow, ProcessTable } from "./process-table.ts";
import { isRunning, readRowSync, systemProcessTable } from "./process-table.ts";
import { orderBytes, SpareLauncher } from "./spare.ts";
import { Watchdog } from "./watchdog.ts";
import { WatcherLink } from "./watcher-link.ts";

/** What a spawner is made from. */
export interface SpawnerOptions {
	/** Absolute state folder; `run/` inside it holds the ledger. */
	readonly data_dir: string;
	/** Names the gateway in the mark its children carry: 1 to 64 of `A-Za-z0-9_-`. */
	readonly owner_id: string;
	readonly clock: Clock;
	readonly random: Random;
	/** The gateway's own environment; children get a small part of it. */
	readonly environment: Environment;
	readonly log?: SpawnerLog | undefined;
	/** Forces a mode instead of probing for the best one. */
	readonly containment?: ContainmentMode | undefined;
	/** The watcher's program, where it does not lie beside this file (a bundle). */
	readonly watcher_path?: string | undefined;
	/** Versions of control groups that may be used; all that work here where nothing is said. */
	readonly group_versions?: readonly (1 | 2)[] | undefined;
	/** As on a machine where no sandbox works, or where bubblewrap does not. */
	readonly sandbox?: "none" | "landlock" | undefined;
	/** Programs running at once. */
	readonly children_max?: number | undefined;
	/** Files with secrets that no server is given: the configuration, and what it is read with. */
	readonly hidden?: readonly string[] | undefined;
}

/** Programs running at once; far above what a machine can carry, far below its pid limit. */
const children_max_default = 2_000;

/**
 * Makes the spawner: probes how programs can be contained, ends what a former gateway of the
 * same data folder left behind, and starts the watcher where one is needed.
 *
 * Throws when a forced mode does not work here, or when the data folder cannot be written.
 */
export async function createSpawner(options: SpawnerOptions): Promise<ProcessSpawner> {
	assert(isAbsolute(options.data_dir), "data_dir is not absolute");
	assert(isMainThread, "children die with the thread that starts them");
	assert(/^[A-Za-z0-9_-]{1,64}$/u.test(options.owner_id), "owner_id has other characters");
	const [containment, found] = await Promise.all([
		chooseContainment(options),
		findSandbox(options),
	]);
	const { data_dir, environment, hidden = [] } = options;
	const protection = await protect(data_dir, environment, hidden);
	const sandbox = new Sandbox(found, protection, containment);
	const table = systemProcessTable(options.clock);
	await sweepFormerOwners(options, table);
	const self = await table.row(process.pid);
	assert(self !== undefined, "the gateway's own process is not in the process table");
	// A new name for every run: a late watcher of the former run must not mistake this one.
	const run_id = `${options.owner_id}-${process.pid}-${options.random.bytes(4).toString("hex")}`;
	const tier = probeGroups({
		name: runGroupName(run_id),
		may_move: true,
		versions: options.group_versions ?? all_versions,
	});
	const folders = tier.hierarchies.map(({ run_folder }) => run_folder);
	const ledger = new Ledger(options.data_dir, run_id, self, folders);
	options.log?.info(
		{ containment: containment.detail, sandbox: sandbox.detail, limits: describeTier(tier) },
		"servers are contained, sandboxed, limited and frozen by what this machine has",
	);
	return new ProcessSpawner(options, { containment, sandbox, table, ledger, run_id, tier });
}

function findSandbox(options: SpawnerOptions): SandboxProbe | Promise<SandboxProbe> {
	const { data_dir, environment, clock, sandbox: kind } = options;
	return kind === "none"
		? switchedOff
		: probeSandbox({ clock, environment, folder: join(data_dir, "sandbox"), kind });
}

async function chooseContainment(options: SpawnerOptions): Promise<Containment> {
	if (options.containment === "watcher") {
		return watcherContainment;
	}
	const probe = await probeContainment(options);
	if (options.containment === "pid-namespace" && probe.obstacle !== undefined) {
		throw new Error(`Pid namespaces do not work here: ${probe.obstacle}.`);
	}
	return probe.containment;
}

/** Kills what dead owners of the data folder left; resolves with the number of processes. */
async function sweepFormerOwners(options: SpawnerOptions, table: ProcessTable): Promise<number> {
	let killed = 0;
	for (const path of await listLedgers(options.data_dir)) {
		const ledger = await readLedger(path);
		if (ledger !== undefined) {
			if (await isRunning(table, ledger.owner)) {
				continue;
			}
			// The groups first: what is frozen in one cannot die before it is thawed.
			const { clock } = options;
			const left = await sweepGroups(clock, ledger.owner_id, ledger.group_folders);
			killed += await killProcesses(options.clock, table, {
				entries: ledger.entries,
				marker_prefix: ownerPrefix(ledger.owner_id),
			});
			// Groups are gone only once all that was in them is; until then the ledger names them.
			if ((await sweepGroups(clock, ledger.owner_id, left)).length > 0) {
				continue;
			}
		}
		rmSync(path, { force: true });
	}
	if (killed > 0) {
		options.log?.warn({ killed }, "ended processes that a former gateway had left behind");
	}
	return killed;
}

interface Parts {
	readonly containment: Containment;
	readonly sandbox: Sandbox;
	readonly table: ProcessTable;
	readonly ledger: Ledger;
	readonly run_id: string;
	readonly tier: GroupTier;
}

/** A program in everything that holds it, ready to be started. */
interface ContainedProgram {
	readonly line: CommandLine;
	readonly env: Readonly<Record<string, string>>;
	readonly mode: ContainmentMode;
	readonly sandbox: SandboxKind;
	readonly notes: readonly string[];
	/** The file that it is given as its fourth descriptor. */
	readonly filter_path?: string;
}

/** Starts programs so that none of them, nor anything they start, outlives the gateway. */
export class ProcessSpawner implements Spawner {
	readonly #options: SpawnerOptions;
	readonly #parts: Parts;
	readonly #children = new Set<ContainedChild>();
	/** Those that are on their way to be one of the children. */
	#starting = 0;
	readonly #watchdog: Watchdog;
	readonly #watcher: WatcherLink | undefined;
	readonly #quick_entry: QuickEntry;
	readonly #spares: SpareLauncher;
	#spawned = 0;
	#closed = false;

	/** Use `createSpawner`. */
	constructor(options: SpawnerOptions, parts: Parts) {
		this.#options = options;
		this.#parts = parts;
		this.#watchdog = new Watchdog(options.clock);
		this.#quick_entry = new QuickEntry(options.clock, parts.tier, ownHierarchies());
		this.#spares = new SpareLauncher({
			clock: options.clock,
			folder: join(options.data_dir, "run"),
			number: () => this.#nextNumber(),
			markOf: (number) => ({ [marker_name]: this.#markOf(number) }),
			groupsOf: (number) => this.#groupsOf(number),
		});
		if (needsWatcher(parts) && process.platform !== "win32") {
			this.#watcher = new WatcherLink({
				watcher_path:
					options.watcher_path ?? fileURLToPath(new URL("./watcher.ts", import.meta.url)),
				ledger_path: parts.ledger.path,
				owner_id: parts.run_id,
				env: watcherEnvironment(options.environment),
				clock: options.clock,
				log: options.log,
			});
			this.#watcher.start();
		}
	}

	/** How children are contained. */
	get containment(): ContainmentMode {
		return this.#parts.containment.mode;
	}

	/** The containment in words, for `doctor` and the log. */
	get containment_detail(): string {
		return this.#parts.containment.detail;
	}

	/** What shuts programs off from the machine. */
	get sandbox_kind(): SandboxKind {
		return this.#parts.sandbox.kind;
	}

	/** See `Sandbox.shortfall`. */
	get sandbox_shortfall(): string | undefined {
		return this.#parts.sandbox.shortfall;
	}

	/** How programs are shut off from the machine, in words. */
	get sandbox_detail(): string {
		return this.#parts.sandbox.detail;
	}

	/** Who freezes and limits programs, in words, for `doctor` and the log. */
	get limits_detail(): string {
		return describeTier(this.#parts.tier);
	}

	/** Start of the `MOORAGE_OWNER=...` entry in the environment of every process of ours. */
	get marker_prefix(): string {
		return ownerPrefix(this.#parts.run_id);
	}

	/** Ends what dead owners of the same data folder left. Already done once at creation. */
	sweep(): Promise<number> {
		return sweepFormerOwners(this.#options, this.#parts.table);
	}

	/** See `Spawner.expect`. */
	expect(): void {
		// What is ready is in its groups already.
		if (!this.#spares.is_ready) {
			this.#quick_entry.begin();
		}
	}

	async spawn(request: SpawnRequest): Promise<Result<ChildHandle, Fault>> {
		if (request.confinement !== undefined) {
			this.expect();
		}
		const folders = request.confinement && folderEnvironment(request.confinement);
		const env = childEnvironment(this.#options.environment, { ...folders, ...request.env });
		const program = await this.#findProgram(request, env);
		if (!program.ok) {
			return program;
		}
		if (this.#closed) {
			return this.#refuse(request, "gateway_stopping", "The gateway is stopping.");
		}
		const { children_max = children_max_default } = this.#options;
		if (this.#children.size + this.#starting >= children_max) {
			const text = `${children_max} programs run already; stop some servers first.`;
			return this.#refuse(request, "overloaded", text);
		}
		this.#starting += 1;
		try {
			return await this.#enclose(request, program.value, env);
		} finally {
			this.#starting -= 1;
		}
	}

	/** Starts a program that may run, in what holds it. */
	async #enclose(
		request: SpawnRequest,
		program: string,
		env: Readonly<Record<string, string>>,
	): Promise<Result<ChildHandle, Fault>> {
		const shut = await this.#shutOff(request, program, env);
		if (!shut.ok) {
			return this.#refuse(request, "isolation_missing", shut.problem);
		}
		return await this.#launch(request, shut.value);
	}

	/** Starts a program in its bounds: in a process that waits for it, where there is one. */
	async #launch(
		request: SpawnRequest,
		program: ContainedProgram,
	): Promise<Result<ChildHandle, Fault>> {
		// Our own tools are in no groups.
		const spare = request.confinement === undefined ? undefined : this.#spares.take();
		const number = spare?.number ?? this.#nextNumber();
		const env = { ...program.env, [marker_name]: this.#markOf(number) };
		const marked = { ...program, env, cwd: request.cwd };
		const order = spare && orderBytes(marked);
		if (spare !== undefined && order === undefined) {
			await spare.discard();
			return await this.#launch(request, program);
		}
		const bounds = setBounds(request, {
			tier: this.#parts.tier,
			watchdog: this.#watchdog,
			platform: process.platform,
			groups: () => (spare === undefined ? this.#groupsOf(number) : spare.groups),
		});
		if (!bounds.ok) {
			await spare?.discard();
			return this.#refuse(request, "isolation_missing", bounds.problem);
		}
		const { process_limits } = bounds.value;
		if (spare !== undefined && order !== undefined && process_limits !== undefined) {
			spare.launch(order, process_limits);
			return await this.#adopt(request, spare.child, number, program, bounds.value);
		}
		return await this.#start(request, marked, number, bounds.value);
	}

	/** Puts a program into its sandbox, or into the containment alone. */
	async #shutOff(
		request: SpawnRequest,
		program: string,
		env: Readonly<Record<string, string>>,
	): Promise<Result<ContainedProgram, string>> {
		const { containment, sandbox } = this.#parts;
		const { confinement } = request;
		const line = containment.wrap(program, request.args);
		const bare = { line, env, mode: containment.mode, sandbox: "none" as const };
		if (confinement === undefined) {
			return succeed({ ...bare, notes: [] });
		}
		const prepared = await sandbox.prepare({ request, confinement, program, env });
		if (!prepared.ok) {
			return prepared;
		}
		const shut = prepared.value;
		if (!isSandboxed(shut)) {
			return succeed({ ...bare, notes: shut.notes });
		}
		// bubblewrap makes a pid namespace of its own, which ends when its outermost process does.
		return shut.is_contained
			? succeed({ ...shut, mode: "pid-namespace", sandbox: "bubblewrap" })
			: succeed({
					...shut,
					line: containment.wrap(shut.line.program, shut.line.args),
					mode: containment.mode,
					sandbox: "landlock",
				});
	}

	async #start(
		request: SpawnRequest,
		program: ContainedProgram,
		number: number,
		bounds: Bounds,
	): Promise<Result<ChildHandle, Fault>> {
		const line = launchLine(program.line, bounds, process.platform);
		const filter =
			program.filter_path === undefined ? undefined : openSync(program.filter_path, "r");
		let child: ChildProcessWithoutNullStreams;
		try {
			child = spawn(line.program, [...line.args], {
				cwd: request.cwd,
				env: program.env,
				stdio: ["pipe", "pipe", "pipe", ...(filter === undefined ? [] : [filter])],
				// Its own session and group: a Ctrl-C in the gateway's terminal is not for it.
				detached: process.platform !== "win32",
				windowsHide: true,
			}) as ChildProcessWithoutNullStreams;
		} catch (error) {
			await bounds.groups?.remove();
			return this.#refuse(request, "server_failed", startSentence(error), error as Error);
		} finally {
			if (filter !== undefined) {
				closeSync(filter);
			}
		}
		return await this.#adopt(request, child, number, program, bounds);
	}

	#nextNumber(): number {
		this.#spawned += 1;
		return this.#spawned;
	}

	/** The mark of a program and all that it starts, and of no others: hence the slash at its end. */
	#markOf(number: number): string {
		return `${this.#parts.run_id}/${number}/`;
	}

	#groupsOf(number: number): InstanceGroups | undefined {
		const { tier } = this.#parts;
		return tier.hierarchies.length === 0
			? undefined
			: makeInstanceGroups(this.#options.clock, tier, String(number));
	}

	/** Kills all that still runs and lets the watcher go. Nothing can be spawned afterwards. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#watchdog.close();
		const children = [...this.#children];
		for (const child of children) {
			child.kill();
		}
		await Promise.all([this.#spares.close(), ...children.map((child) => child.stop(0))]);
		await this.#watcher?.close();
		releaseTier(this.#parts.tier);
		this.#parts.ledger.discard();
	}

	async #findProgram(
		request: SpawnRequest,
		env: Readonly<Record<string, string>>,
	): Promise<Result<string, Fault>> {
		const place = { path: env["PATH"], cwd: request.cwd, path_ext: env["PATHEXT"] };
		const [folder, found] = await Promise.all([
			stat(request.cwd).catch(() => undefined),
			findProgram(request.command, place),
		]);
		if (!folder?.isDirectory()) {
			const text = `The working folder ${request.cwd} does not exist. Create it or correct "cwd".`;
			return this.#refuse(request, "server_failed", text);
		}
		return found.ok
			? found
			: this.#refuse(request, "command_missing", programSentence(found.problem));
	}

	/** Records the child and hands it out; from here on it cannot get lost. */
	async #adopt(
		request: SpawnRequest,
		child: ChildProcessWithoutNullStreams,
		number: number,
		{ mode, sandbox, notes }: ContainedProgram,
		{ groups, limits }: Bounds,
	): Promise<Result<ChildHandle, Fault>> {
		const { pid } = child;
		if (pid === undefined) {
			const error = await new Promise<Error>((resolve) => child.once("error", resolve));
			await groups?.remove();
			return this.#refuse(request, "server_failed", startSentence(error), error);
		}
		const { ledger, table } = this.#parts;
		const { clock } = this.#options;
		const entry = this.#record(request.server, pid);
		// Made before anything is awaited: an exit that comes early must find its listeners.
		const marker = `${marker_name}=${this.#markOf(number)}`;
		const parts = { process: child, pid, mode, entry, marker, table, clock, groups, limits };
		const onSettled = () => {
			// Where one server is started, the next may be, or this one again.
			if (request.confinement !== undefined) {
				this.#spares.prepareSoon();
			}
		};
		const handle = new ContainedChild({ ...parts, sandbox, notes, onSettled });
		this.#children.add(handle);
		void handle.gone.then(() => {
			this.#children.delete(handle);
			if (!this.#closed) {
				ledger.remove(pid);
			}
		});
		await entry;
		return succeed(handle);
	}

	/** Writes the child into the ledger; at once where its start time can be read at once. */
	#record(server: string, pid: number): LedgerEntry | Promise<LedgerEntry> {
		const { ledger, table } = this.#parts;
		const add = (row: ProcessRow | undefined): LedgerEntry => {
			const entry = { pid, start_time: row?.start_time ?? "unknown", pgid: pid, server };
			ledger.add(entry);
			return entry;
		};
		return table.sees_environments ? add(readRowSync(pid)) : table.row(pid).then(add);
	}

	#refuse(
		request: SpawnRequest,
		code: FaultCode,
		message: string,
		error?: Error,
	): { readonly ok: false; readonly problem: Fault } {
		return fail(
			makeFault(this.#options.random, {
				code,
				message,
				detail: error?.message,
				level: "warn",
				server: request.server,
				retry_safe: true,
			}),
		);
	}
}

/**
 * Without a namespace somebody must end what a killed gateway leaves; and in frozen groups of
 * version 1 even what has been killed stays until somebody thaws it.
 */
function needsWatcher({ containment, tier }: Parts): boolean {
	return containment.mode === "watcher" || hierarchyFor(tier, "freezer")?.version === 1;
}

/** What the operating system's refusal means, in words. */
function startSentence(error: unknown): string {
	const code = (error as NodeJS.ErrnoException).code;
	switch (code) {
		case "E2BIG":
			return "The server's arguments and environment are too long for this system.";
		case "EMFILE":
		case "ENFILE":
			return "Too many files are open on this machine; raise the open file limit (ulimit -n).";
		case "EAGAIN":
		case "ENOMEM":
			return "This machine has no process or memory to spare; stop something first.";
		case "ERR_INVALID_ARG_VALUE":
			return "The server's command, arguments or environment hold a NUL character.";
		default:
			return `The server's program could not be started${code ? ` (${code})` : ""}.`;
	}
}

/** A watcher inside a hosted program carries that program's mark, to be ended with it. */
function watcherEnvironment(environment: Environment): Record<string, string> {
	const outer = environment[marker_name];
	return childEnvironment(environment, outer === undefined ? {} : { [marker_name]: outer });
}
