import { join } from "node:path";
import type { ServerSpec, StdioSpec } from "../../config/plan.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import type { Random } from "../../lib/random.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Fault, FaultCode } from "../../protocol/fault.ts";
import { makeFault } from "../../protocol/fault.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import { findProgram } from "../process/find-program.ts";
import type { Locked, PackageIdentity, Resolved } from "../resolved.ts";
import { asWritten } from "../resolved.ts";
import type { ResolvePlan } from "../surroundings.ts";
import { bundler_request } from "./bundle.ts";
import { directSpec, neededFolders } from "./direct-spec.ts";
import type { FailureKind, InstallFailure } from "./failure.ts";
import { failureSentence } from "./failure.ts";
import { FastStart } from "./fast-start.ts";
import { installEnvironment, sourceSettings } from "./install-environment.ts";
import { findNpm, npmInstaller } from "./install-npm.ts";
import { findUv, uvInstaller } from "./install-python.ts";
import type { Installer } from "./installer.ts";
import { localProgram } from "./local-program.ts";
import { LockFile, lock_file_name } from "./lock-file.ts";
import { keepPackage, lockedPackage } from "./locked-package.ts";
import type { ProgramEntry } from "./npm-program.ts";
import { addressIdentity, programIdentity } from "./program-identity.ts";
import { isLauncher, recognizeCommand } from "./recognize.ts";
import type { PackageRequest } from "./request.ts";
import type { LockedTree, Wanted } from "./trees.ts";
import { PackageTrees } from "./trees.ts";

/** What the resolver is made from. */
export interface PackageResolverOptions {
	/** Absolute state folder; packages go to `packages/` inside it. */
	readonly data_dir: string;
	/** Absolute folder of a configuration that the lock is kept beside; else it is in `data_dir`. */
	readonly config_dir?: string | undefined;
	/** The gateway's own environment; installers get it, servers do not. */
	readonly environment: Environment;
	readonly clock: Clock;
	readonly random: Random;
	/** Runs the installers, contained like servers. */
	readonly spawner: Spawner;
	/** The Node that runs scripts; by default the one that runs the gateway. */
	readonly node_path?: string;
	/** Longest time one installation may take. */
	readonly install_ms?: number;
}

/** Who asks. */
export interface ResolveContext {
	/** The server's name, for faults. */
	readonly server: string;
	/** What the server's package may do; without it no install scripts run. */
	readonly plan?: ResolvePlan;
	/**
	 * True when what is locked is to be found out anew, as for a deploy of a newer version. What is
	 * found is installed and handed back, and only locked by `keepLocked`.
	 */
	readonly update?: boolean | undefined;
	/** True when every byte of what is installed is to be looked at before it is run again. */
	readonly verify?: boolean | undefined;
	/** What to run in place of what the lock says, where it is what the command asks for. */
	readonly locked?: Locked | undefined;
	/** Progress for people, one line at a time. */
	progress(line: string): void;
	/** Aborts when the outcome is no longer wanted. */
	readonly signal?: AbortSignal;
}

/** A fault of the resolver: why in one word, for whoever decides what happens next. */
export interface PackageFault extends Fault {
	readonly why: FailureKind | "refused_address" | "no_installer";
}

/** An installed package and what of it is run. */
interface ReadyPackage {
	readonly tree: LockedTree;
	readonly program: ProgramEntry;
}

const launcher_note =
	"the command is run as it is written, because not every part of it is understood: its package " +
	"is neither locked nor installed once";
const install_ms_default = 5 * 60_000;

/**
 * Turns launcher commands (`npx pkg`, `uvx pkg` and their relatives) into the installed program
 * itself. What a command means is found out once and locked; the locked tree is installed into
 * a folder named by its digest. From then on resolving is reading a few files. Other commands
 * come back as they are written.
 */
export class PackageResolver {
	readonly #options: PackageResolverOptions;
	readonly #node_path: string;
	readonly #lock: LockFile;
	readonly #trees: PackageTrees;
	readonly #fast: FastStart;

	constructor(options: PackageResolverOptions) {
		this.#options = options;
		this.#node_path = options.node_path ?? process.execPath;
		const { data_dir, config_dir, clock } = options;
		const beside = config_dir === undefined ? undefined : join(config_dir, lock_file_name);
		this.#lock = new LockFile({ beside, own: join(data_dir, lock_file_name) }, clock);
		const install_ms = options.install_ms ?? install_ms_default;
		this.#trees = new PackageTrees({ ...options, install_ms, lock: this.#lock });
		this.#fast = new FastStart({
			...options,
			node_path: this.#node_path,
			bundler: (by) => this.#bundler(by),
		});
	}

	/** How to run the server directly, and what that runs. What is worth a note is told as well. */
	async resolve(
		spec: ServerSpec,
		context: ResolveContext,
	): Promise<Result<Resolved, PackageFault>> {
		const resolved = await this.#resolve(spec, context);
		for (const note of resolved.ok ? resolved.value.notes : []) {
			context.progress(note);
		}
		return resolved;
	}

	async #resolve(
		spec: ServerSpec,
		context: ResolveContext,
	): Promise<Result<Resolved, PackageFault>> {
		if (spec.driver !== "stdio") {
			return succeed({ ...asWritten(spec), identity: addressIdentity(spec) });
		}
		const recognized = recognizeCommand(spec);
		if (recognized.kind === "other") {
			const notes = isLauncher(spec) ? [launcher_note] : [];
			return succeed({ ...(await this.#program(spec)), notes });
		}
		if (recognized.kind === "refused") {
			return this.#refuse("refused_address", recognized.reason, context.server);
		}
		const { request } = recognized;
		const local = await localProgram(request, spec, this.#node_path);
		if (local !== undefined) {
			return succeed(await this.#program(local));
		}
		const env = installEnvironment(this.#options.environment, spec.env);
		const installer = await this.#findInstaller(request, env);
		const source = sourceSettings(spec.env);
		const wanted = { request, source, env, installer };
		const ready = await this.#ready(wanted, context);
		if (ready === undefined) {
			return await this.#leaveToLauncher(spec, request, env, context.server);
		}
		return ready.ok
			? succeed(await this.#direct(ready.value, spec, request, context))
			: this.#failed(request, ready.problem, context.server);
	}

	/** The installed tree and its program; what turns out to be damaged is installed anew once. */
	async #ready(
		wanted: Wanted,
		context: ResolveContext,
	): Promise<Result<ReadyPackage, InstallFailure> | undefined> {
		for (const repair of [false, true]) {
			const tree = await this.#trees.provide(wanted, { ...context, repair });
			if (!tree?.ok) {
				return tree;
			}
			const program = await this.#trees.program(tree.value, wanted.request);
			if (program.ok) {
				return succeed({ tree: tree.value, program: program.value });
			}
			if (repair || program.problem.kind !== "damaged") {
				return program;
			}
		}
		return undefined;
	}

	/**
	 * Removes installed packages, but for those of the given identities and those that were
	 * resolved since the gateway started. Bounded: what is left is for the next time.
	 */
	async keep(references: readonly Pick<PackageIdentity, "digest">[]): Promise<string[]> {
		return await this.#trees.keep(new Set(references.map(({ digest }) => digest)));
	}

	/** Locks what a server runs from now on: found out by `update`, or locked once before. */
	keepLocked(locked: Locked): Promise<Result<void, string>> {
		return keepPackage(this.#lock, locked);
	}

	async #direct(
		{ tree, program }: ReadyPackage,
		spec: StdioSpec,
		request: PackageRequest,
		context: ResolveContext,
	): Promise<Resolved> {
		const { folder, entry, installed } = tree;
		const path = spec.env["PATH"] ?? this.#options.environment["PATH"];
		const place = { folder, node_path: this.#node_path, path };
		const direct = directSpec(program, place, spec, request.args);
		const { ecosystem: kind, name, version, integrity, digest } = entry;
		const skipped = installed.scripts_skipped.join(", ");
		const notes = skipped === "" ? [] : [`install scripts were not run, for safety: ${skipped}`];
		const identity = { kind, name, version, integrity, digest };
		const locked = lockedPackage(tree.key, entry);
		const needs = await neededFolders(direct.command, folder);
		const { plan, server, signal = new AbortController().signal } = context;
		if (program.by !== "node" || plan === undefined) {
			return { spec: direct, identity, needs, notes, locked };
		}
		const progress = (line: string) => context.progress(line);
		const wanted = { tree, file: program.file, spec: direct };
		const fast = await this.#fast.prepare(wanted, { server, plan, needs, signal, progress });
		const { spec: faster, needs: all } = fast;
		return { spec: faster, identity, needs: all, notes: [...notes, ...fast.notes], locked };
	}

	/** The bundler is a package like any other: locked, and installed under its digest. */
	async #bundler(
		by: Pick<ResolveContext, "server" | "progress" | "signal">,
	): Promise<Result<{ folder: string; file: string }, InstallFailure>> {
		const env = installEnvironment(this.#options.environment, {});
		const installer = await this.#findInstaller(bundler_request, env);
		const { server, progress, signal } = by;
		const wanted = { request: bundler_request, source: [], env, installer };
		const ready = await this.#ready(wanted, { server, progress, ...(signal && { signal }) });
		if (ready === undefined) {
			return fail({ kind: "other", line: "npm is not installed" });
		}
		if (!ready.ok) {
			return ready;
		}
		const { tree, program } = ready.value;
		return succeed({ folder: tree.folder, file: program.file });
	}

	/** A command that is run as it is written; what it needs beside its arguments is its runtime. */
	async #program(spec: StdioSpec): Promise<Resolved> {
		const identity = await programIdentity(spec, this.#options.environment["PATH"]);
		const needs = identity === undefined ? [] : await neededFolders(identity.name, undefined);
		return { ...asWritten(spec), identity, needs };
	}

	async #findInstaller(
		request: PackageRequest,
		env: Readonly<Record<string, string>>,
	): Promise<Installer | undefined> {
		if (request.ecosystem === "npm") {
			const npm = await findNpm(this.#node_path, env["PATH"]);
			return npm && npmInstaller(npm);
		}
		const uv = await findUv(env["PATH"], env["HOME"]);
		return uv === undefined ? undefined : uvInstaller(uv);
	}

	/** Without its installer a package can still be run by the launcher, if that is there. */
	async #leaveToLauncher(
		spec: StdioSpec,
		request: PackageRequest,
		env: Readonly<Record<string, string>>,
		server: string,
	): Promise<Result<Resolved, PackageFault>> {
		const found = await findProgram(spec.command, { path: env["PATH"], cwd: spec.cwd });
		const remedy =
			request.ecosystem === "npm"
				? "install Node.js with npm"
				: 'install uv ("pip install uv", "brew install uv" or its own installer)';
		if (found.ok) {
			const note = `${request.launcher} fetches the package at every start; ${remedy} to have it locked`;
			return succeed({ ...(await this.#program(spec)), notes: [note] });
		}
		const text =
			`${request.launcher} is not installed; ${remedy}. ` +
			"The server starts by itself afterwards.";
		return this.#refuse("no_installer", text, server);
	}

	#failed(
		request: PackageRequest,
		failure: InstallFailure,
		server: string,
	): { readonly ok: false; readonly problem: PackageFault } {
		const text = failureSentence(request.packages.join(" and "), failure, server);
		return this.#refuse(failure.kind, text, server, failure.detail);
	}

	#refuse(
		why: PackageFault["why"],
		message: string,
		server: string,
		detail?: string,
	): { readonly ok: false; readonly problem: PackageFault } {
		const parts = { message, detail, level: "warn", server, retry_safe: true } as const;
		const fault = makeFault(this.#options.random, { code: codeOf(why), ...parts });
		return fail(Object.freeze({ ...fault, why }));
	}
}

function codeOf(why: PackageFault["why"]): FaultCode {
	switch (why) {
		case "no_installer":
			return "command_missing";
		case "changed":
			return "package_changed";
		default:
			return "install_failed";
	}
}
