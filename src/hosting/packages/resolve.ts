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
import type { Resolved } from "../resolved.ts";
import { asWritten } from "../resolved.ts";
import type { InstallFailure } from "./failure.ts";
import { failureSentence } from "./failure.ts";
import { installEnvironment, installSource } from "./install-environment.ts";
import { findNpm, npmInstaller } from "./install-npm.ts";
import { findUv, uvInstaller } from "./install-python.ts";
import type { Installation } from "./installation.ts";
import { install } from "./installation.ts";
import type { Installed } from "./installed.ts";
import { folderName, installedSpec, readInstalled } from "./installed.ts";
import type { Installer } from "./installer.ts";
import { localProgram } from "./local-program.ts";
import { recognizeCommand } from "./recognize.ts";
import type { PackageRequest } from "./request.ts";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";

/** What the resolver is made from. */
export interface PackageResolverOptions {
	/** Absolute state folder; packages go to `packages/` inside it. */
	readonly data_dir: string;
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
	/** Progress for people, one line at a time. */
	progress(line: string): void;
	/** Aborts when the outcome is no longer wanted. */
	readonly signal?: AbortSignal;
}

/** Installations at once; they are heavy on network, disk and processor. */
const installs_max = 2;
const install_ms_default = 5 * 60_000;

/**
 * Turns launcher commands (`npx pkg`, `uvx pkg` and their relatives) into the installed program
 * itself. A package is installed once, the first time it is asked for, into a folder of its
 * own; from then on resolving is reading a file. Other commands come back unchanged.
 */
export class PackageResolver {
	readonly #options: PackageResolverOptions;
	readonly #node_path: string;
	readonly #slots = new Slots(installs_max);
	readonly #work = new SharedWork<Result<Installed, InstallFailure>>();

	constructor(options: PackageResolverOptions) {
		this.#options = options;
		this.#node_path = options.node_path ?? process.execPath;
	}

	/** How to run the server directly. Faults: `install_failed`, `command_missing`. */
	async resolve(spec: ServerSpec, context: ResolveContext): Promise<Result<Resolved, Fault>> {
		const direct = await this.#resolve(spec, context);
		return direct.ok ? succeed(asWritten(direct.value)) : direct;
	}

	async #resolve(spec: ServerSpec, context: ResolveContext): Promise<Result<ServerSpec, Fault>> {
		if (spec.driver !== "stdio") {
			return succeed(spec);
		}
		const recognized = recognizeCommand(spec);
		if (recognized.kind === "other") {
			return succeed(spec);
		}
		if (recognized.kind === "refused") {
			return fail(this.#fault("install_failed", recognized.reason, context.server));
		}
		const { request } = recognized;
		const { server } = context;
		const local = await localProgram(request, spec, this.#node_path);
		if (local !== undefined) {
			return succeed(local);
		}
		const env = installEnvironment(this.#options.environment, spec.env);
		const folder = join(
			this.#options.data_dir,
			"packages",
			request.ecosystem,
			folderName(request, installSource(env)),
		);
		const known = await readInstalled(folder);
		if (known !== undefined) {
			return succeed(this.#directSpec(known, folder, spec, request));
		}
		const installer = await this.#findInstaller(request, env);
		if (installer === undefined) {
			return await this.#leaveToLauncher(spec, request, env, server);
		}
		const installed = await this.#work.join(folder, context, (signal, progress) =>
			this.#install({ request, env, folder, installer, server, signal, progress }),
		);
		if (installed.ok) {
			return succeed(this.#directSpec(installed.value, folder, spec, request));
		}
		const text = failureSentence(nameOf(request), installed.problem);
		const { detail } = installed.problem;
		return fail(this.#fault("install_failed", text, server, detail));
	}

	#directSpec(
		installed: Installed,
		folder: string,
		spec: StdioSpec,
		request: PackageRequest,
	): StdioSpec {
		const path = spec.env["PATH"] ?? this.#options.environment["PATH"];
		const place = { folder, node_path: this.#node_path, path };
		return installedSpec(installed, place, spec, request.args);
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
	): Promise<Result<ServerSpec, Fault>> {
		const found = await findProgram(spec.command, { path: env["PATH"], cwd: spec.cwd });
		if (found.ok) {
			return succeed(spec);
		}
		const remedy =
			request.ecosystem === "npm"
				? "install Node.js with npm"
				: 'install uv ("pip install uv", "brew install uv" or its own installer)';
		const text =
			`${request.launcher} is not installed; ${remedy}. ` +
			"The server starts by itself afterwards.";
		return fail(this.#fault("command_missing", text, server));
	}

	/** Installs when its turn comes, and tells so. */
	async #install(
		work: Pick<Installation, "request" | "env" | "folder" | "installer" | "server" | "signal"> & {
			progress(line: string): void;
		},
	): Promise<Result<Installed, InstallFailure>> {
		const { spawner, clock, random, install_ms = install_ms_default } = this.#options;
		const what = nameOf(work.request);
		if (this.#slots.full) {
			work.progress(`waiting to install ${what}: other packages are being installed`);
		}
		return await this.#slots.use(async () => {
			work.progress(`installing ${what} with ${work.installer.name}`);
			const deadline_ms = install_ms;
			const done = await install({ ...work, spawner, clock, random, deadline_ms });
			if (done.ok) {
				const { version, scripts_skipped } = done.value;
				work.progress(`installed ${what}, version ${version}`);
				if (scripts_skipped.length > 0) {
					const names = scripts_skipped.join(", ");
					work.progress(`install scripts were not run, for safety: ${names}`);
				}
			}
			return done;
		});
	}

	#fault(code: FaultCode, message: string, server: string, detail?: string): Fault {
		return makeFault(this.#options.random, {
			code,
			message,
			detail,
			level: "warn",
			server,
			retry_safe: true,
		});
	}
}

function nameOf(request: PackageRequest): string {
	return request.packages.join(" and ");
}
