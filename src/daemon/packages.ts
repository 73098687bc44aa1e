import type { Plan, ServerPlan, ServerSpec } from "../config/plan.ts";
import { PackageResolver, type ResolveContext } from "../hosting/packages/resolve.ts";
import type { ProcessSpawner } from "../hosting/process/spawner.ts";
import type { Locked, Resolved } from "../hosting/resolved.ts";
import { fail, type Result } from "../lib/result.ts";
import type { VersionRepository } from "../store/version-repository.ts";
import { configFolder } from "./config-files.ts";
import { type ContainerHosting, isContainer } from "./containers.ts";
import type { DaemonOptions } from "./options.ts";
import { PackageSweep } from "./package-sweep.ts";

/** What packages are handled with. */
export interface PackagesParts {
	readonly options: DaemonOptions;
	readonly plan: Plan;
	readonly spawner: ProcessSpawner;
	readonly containers: ContainerHosting;
	readonly versions: VersionRepository;
	/** Puts the values in place that packages may be named by: see `SpecValues.prepare`. */
	prepare(spec: ServerSpec): ServerSpec;
}

/** What servers are made of, installed or fetched as an image, and what nobody needs any more. */
export class Packages {
	readonly #parts: PackagesParts;
	readonly #resolver: PackageResolver;
	readonly #sweep: PackageSweep;

	constructor(parts: PackagesParts) {
		this.#parts = parts;
		const { options, plan, spawner, versions } = parts;
		const { clock, random, environment, log } = options;
		const folders = { data_dir: plan.data, config_dir: configFolder(plan) };
		this.#resolver = new PackageResolver({ ...folders, spawner, clock, random, environment });
		this.#sweep = new PackageSweep({ packages: this.#resolver, versions, clock, log });
	}

	/** How to run a server directly; people hear what it takes. */
	resolve(spec: ServerSpec, context: ResolveContext) {
		const { containers, options } = this.#parts;
		const progress = (text: string) => {
			context.progress(text);
			options.onProgress?.({ kind: "install", server: context.server, text });
		};
		return isContainer(spec)
			? containers.resolve(spec, { ...context, progress })
			: this.#resolver.resolve(spec, { ...context, progress });
	}

	/** What a server's command means now, whatever is locked. Problems are sentences. */
	async renew(
		plan: ServerPlan,
		progress: (line: string) => void,
	): Promise<Result<Resolved, string>> {
		const spec = this.#parts.prepare(plan.spec);
		const found = await this.resolve(spec, { server: plan.name, plan, update: true, progress });
		return found.ok ? found : fail(found.problem.message);
	}

	/** Locks what a server runs from now on. Problems are sentences. */
	keepLocked(locked: Locked): Promise<Result<void, string>> {
		const { containers } = this.#parts;
		return locked.kind === "images"
			? containers.keepLocked(locked)
			: this.#resolver.keepLocked(locked);
	}

	/** Removes what no version needs. */
	sweep(): Promise<void> {
		return this.#sweep.tick();
	}
}
