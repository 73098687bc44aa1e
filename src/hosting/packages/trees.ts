import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Spawner } from "../../upstreams/driver.ts";
import type { Locked } from "../resolved.ts";
import { contentsDigest } from "./contents.ts";
import type { InstallFailure } from "./failure.ts";
import type { InstalledTree } from "./installation.ts";
import { allowedScripts, install } from "./installation.ts";
import { folderName, readInstalled } from "./installed.ts";
import type { Installer } from "./installer.ts";
import type { LockEntry } from "./lock-entry.ts";
import { lockKey } from "./lock-entry.ts";
import type { LockFile } from "./lock-file.ts";
import { contradiction, entryOf } from "./locked-package.ts";
import type { ProgramEntry } from "./npm-program.ts";
import { npmProgram } from "./npm-program.ts";
import { pythonProgram } from "./python-program.ts";
import type { PackageRequest } from "./request.ts";
import type { Member } from "./shared-work.ts";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";
import { sweepPackages } from "./sweep.ts";

/** What the installed trees are kept with. */
export interface PackageTreesOptions {
	readonly data_dir: string;
	readonly lock: LockFile;
	readonly clock: Clock;
	readonly random: Random;
	readonly spawner: Spawner;
	readonly install_ms: number;
}

/** A package that is wanted, and with what it would be installed. */
export interface Wanted {
	readonly request: PackageRequest;
	/** What the server's own settings say of where packages come from. */
	readonly source: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly installer: Installer | undefined;
}

/** Who wants it. */
export interface WantedBy extends Member {
	readonly server: string;
	readonly plan?: { readonly packages: { readonly scripts: readonly string[] } };
	/** True when it is to be found out anew; then nothing is locked. */
	readonly update?: boolean | undefined;
	/** What to install in place of what is locked; see `ResolveContext.locked`. */
	readonly locked?: Locked | undefined;
	/** True when what is installed turned out not to be whole. */
	readonly repair?: boolean;
	/** True when every byte of what is installed is to be looked at first. */
	readonly verify?: boolean | undefined;
}

/** An installed tree, and under which name it is locked. */
export interface LockedTree extends InstalledTree {
	readonly key: string;
}

/** Installations at once; they are heavy on network, disk and processor. */
const installs_max = 2;

/** The trees of packages that are installed, each once, under the digest of what is locked. */
export class PackageTrees {
	readonly #options: PackageTreesOptions;
	readonly #slots = new Slots(installs_max);
	readonly #work = new SharedWork<Result<InstalledTree, InstallFailure>>();
	/** Folders that something may run in. */
	readonly #used = new Set<string>();

	constructor(options: PackageTreesOptions) {
		this.#options = options;
	}

	/**
	 * The tree of a package, installed first where it is not. Undefined when it would have to be
	 * installed and there is nothing to do it with.
	 */
	async provide(
		wanted: Wanted,
		by: WantedBy,
	): Promise<Result<LockedTree, InstallFailure> | undefined> {
		const key = lockKey(wanted.request, wanted.source);
		const tree = await this.#provide(key, wanted, by);
		if (!tree?.ok) {
			return tree;
		}
		this.#used.add(tree.value.folder);
		return succeed({ ...tree.value, key });
	}

	/**
	 * Removes installations but for those with these digests, and those that were handed out
	 * since the gateway started. Resolves with the names of the folders it removed.
	 */
	async keep(digests: ReadonlySet<string>): Promise<string[]> {
		const { data_dir, clock, random } = this.#options;
		return await sweepPackages({ data_dir, clock, random, digests, used: this.#used });
	}

	async #provide(
		key: string,
		wanted: Wanted,
		by: WantedBy,
	): Promise<Result<InstalledTree, InstallFailure> | undefined> {
		const chosen = entryOf(by.locked, key);
		const locked = await this.#options.lock.find(key);
		if (!locked.ok && !isReplaced(locked.problem, chosen, by.update)) {
			return locked;
		}
		const entry = chosen ?? (locked.ok ? locked.value : undefined);
		const scripts = by.plan?.packages.scripts ?? [];
		const found = entry && (await this.#find(entry, scripts));
		const known = found && (await this.#unaltered(found, by));
		if (known !== undefined && by.update !== true && by.repair !== true) {
			return succeed(known);
		}
		const { installer } = wanted;
		if (installer === undefined) {
			return known && succeed(known);
		}
		const update = by.update === true;
		const which = update ? "newest" : (chosen?.digest ?? "locked");
		const name = JSON.stringify([key, which, by.repair === true, [...scripts].sort()]);
		const more = { key, update, chosen, scripts };
		return await this.#work.join(name, by, (signal, progress) =>
			this.#install({ ...wanted, installer }, { ...by, ...more, signal, progress }),
		);
	}

	/** What is to be run in a tree. */
	program(
		{ folder, entry }: InstalledTree,
		request: PackageRequest,
	): Promise<Result<ProgramEntry, InstallFailure>> {
		return entry.ecosystem === "npm" ? npmProgram(folder, request) : pythonProgram(folder, request);
	}

	/** The installation of what is locked; undefined when there is none, or it is not whole. */
	async #find(entry: LockEntry, scripts: readonly string[]): Promise<InstalledTree | undefined> {
		const folder = this.#folder(entry, scripts);
		const installed = await readInstalled(folder, entry);
		return installed && { entry, folder, installed };
	}

	/** An installation that is as it was made, where that is asked; undefined where it is not. */
	async #unaltered(tree: InstalledTree, by: WantedBy): Promise<InstalledTree | undefined> {
		if (by.verify !== true || (await contentsDigest(tree.folder)) === tree.installed.contents) {
			return tree;
		}
		const { name, version } = tree.entry;
		by.progress(`files of ${name}, version ${version}, were altered since it was installed`);
		return undefined;
	}

	#root(entry: Pick<LockEntry, "ecosystem">): string {
		return join(this.#options.data_dir, "packages", entry.ecosystem);
	}

	#folder(entry: LockEntry, scripts: readonly string[]): string {
		return join(this.#root(entry), folderName(entry, allowedScripts(entry, scripts)));
	}

	/** Installs when its turn comes, and tells so. */
	async #install(
		wanted: Wanted & { readonly installer: Installer },
		by: Omit<WantedBy, "signal"> & {
			readonly key: string;
			readonly update: boolean;
			readonly chosen: LockEntry | undefined;
			readonly scripts: readonly string[];
			readonly signal: AbortSignal;
		},
	): Promise<Result<InstalledTree, InstallFailure>> {
		const { installer, request } = wanted;
		const what = request.packages.join(" and ");
		if (this.#slots.full) {
			by.progress(`waiting to install ${what}: other packages are being installed`);
		}
		return await this.#slots.use(async () => {
			by.progress(`installing ${what} with ${installer.name}`);
			const locked = await this.#options.lock.find(by.key);
			if (!locked.ok && !isReplaced(locked.problem, by.chosen, by.update)) {
				return locked;
			}
			const known = locked.ok ? locked.value : undefined;
			const entry = by.update ? undefined : (by.chosen ?? known);
			const { spawner, clock, random, install_ms } = this.#options;
			const done = await install({
				...{ spawner, clock, random, request, installer, entry },
				accept: (found) => (by.update ? this.#look(found) : this.#accept(by.key, found)),
				scripts: by.scripts,
				root: this.#root(request),
				env: wanted.env,
				server: by.server,
				signal: by.signal,
				deadline_ms: install_ms,
			});
			if (!done.ok) {
				return done;
			}
			const { installed } = done.value;
			by.progress(`installed ${what}, version ${installed.version}`);
			return done;
		});
	}

	/** Locks what was found out, unless it contradicts what is locked. */
	#accept(key: string, found: LockEntry): Promise<Result<LockEntry, InstallFailure>> {
		return this.#options.lock.change(key, (lock) => {
			const before = lock.get(key);
			if (before !== undefined) {
				return succeed(before);
			}
			const problem = contradiction(lock, found);
			return problem === undefined ? succeed(found) : fail(problem);
		});
	}

	/** Lets be what was found out, unless it contradicts what is locked; locks nothing. */
	async #look(found: LockEntry): Promise<Result<LockEntry, InstallFailure>> {
		const lock = await this.#options.lock.read();
		if (!lock.ok) {
			return lock;
		}
		const problem = contradiction(lock.value, found);
		return problem === undefined ? succeed(found) : fail(problem);
	}
}

/** Whether an entry that is damaged does not matter, because another takes its place. */
function isReplaced(
	{ kind }: InstallFailure,
	chosen: LockEntry | undefined,
	update: boolean | undefined,
): boolean {
	return kind === "entry_damaged" && (chosen !== undefined || update === true);
}
