import type { StdioSpec } from "../../config/plan.ts";
import type { Result } from "../../lib/result.ts";
import { type BundleInput, bundler_request, prepareBundle } from "./bundle.ts";
import { prepareCompileCache } from "./compile-cache.ts";
import type { PreparedServer, Workshop } from "./confine.ts";
import type { InstallFailure } from "./failure.ts";
import type { InstalledTree } from "./installation.ts";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";

/** A program that Node runs, as it was resolved. */
export interface NodeProgram {
	readonly tree: InstalledTree;
	readonly file: string;
	readonly spec: StdioSpec;
}

/** The same program, faster. */
export interface FastProgram {
	readonly spec: StdioSpec;
	readonly needs: readonly string[];
	readonly notes: readonly string[];
}

/** What a server's start is prepared with. */
export interface FastStartOptions extends Workshop {
	readonly node_path: string;
	/** Installs the bundler, or finds it installed. */
	readonly bundler: (
		server: PreparedServer & { progress(line: string): void },
	) => Promise<Result<{ readonly folder: string; readonly file: string }, InstallFailure>>;
}

/** Preparations at once: each runs a server's program, which takes a core. */
const preparations_max = 2;
const own_setting = /^NODE_(?:COMPILE_CACHE|DISABLE_COMPILE_CACHE)$/u;

/**
 * Prepares at a deploy what makes every later start faster: one file in place of hundreds where
 * that is wanted, and V8's compiled code. Whatever does not work leaves the program as it was.
 */
export class FastStart {
	readonly #options: FastStartOptions;
	readonly #slots = new Slots(preparations_max);
	readonly #work = new SharedWork<FastProgram>();
	/** What is prepared lies beside its tree: of one tree one server is prepared at a time. */
	readonly #turns = new Map<string, Slots>();

	constructor(options: FastStartOptions) {
		this.#options = options;
	}

	/** The program as it is to be started from now on. */
	prepare(
		program: NodeProgram,
		server: PreparedServer & { progress(line: string): void },
	): Promise<FastProgram> {
		const { bundle } = server.plan.packages;
		const name = JSON.stringify([program.file, server.plan.sandbox.mode, bundle, program.spec]);
		return this.#work.join(name, server, (signal, progress) =>
			this.#turnsOf(program.tree).use(() =>
				this.#slots.use(() => this.#prepare(program, { ...server, signal, progress })),
			),
		);
	}

	#turnsOf({ folder }: InstalledTree): Slots {
		const turns = this.#turns.get(folder) ?? new Slots(1);
		this.#turns.set(folder, turns);
		return turns;
	}

	async #prepare(
		program: NodeProgram,
		server: PreparedServer & { progress(line: string): void },
	): Promise<FastProgram> {
		const notes: string[] = [];
		let { spec, file } = program;
		if (server.plan.packages.bundle) {
			const bundled = await this.#bundle(program, server);
			if (bundled.file === undefined) {
				notes.push(`started without a bundle: ${bundled.reason ?? "none was made"}`);
			} else {
				const { file: bundle } = bundled;
				spec = { ...spec, args: spec.args.map((arg) => (arg === file ? bundle : arg)) };
				file = bundle;
			}
		}
		const { needs } = server;
		if (Object.keys(spec.env).some((name) => own_setting.test(name))) {
			return { spec, needs, notes };
		}
		const folder = program.tree.folder;
		const cache = await prepareCompileCache(this.#options, folder, file, spec, server);
		return cache === undefined
			? { spec, needs, notes }
			: {
					spec: { ...spec, env: { ...spec.env, NODE_COMPILE_CACHE: cache } },
					needs: [...needs, cache],
					notes,
				};
	}

	async #bundle(
		{ tree, file, spec }: NodeProgram,
		server: PreparedServer & { progress(line: string): void },
	): Promise<{ readonly file: string | undefined; readonly reason: string | undefined }> {
		const tool = await this.#options.bundler(server);
		if (!tool.ok) {
			const name = bundler_request.packages.join(" ");
			const reason = `${name} could not be installed: ${tool.problem.line}`;
			return { file: undefined, reason };
		}
		const command = [this.#options.node_path, tool.value.file];
		const bundler = { folder: tool.value.folder, command };
		const input: BundleInput = { tree_folder: tree.folder, file, spec, bundler };
		return await prepareBundle(this.#options, input, server);
	}
}
