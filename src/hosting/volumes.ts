import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail, type Result, succeed } from "../lib/result.ts";

/** Only the user who runs the gateway may look inside. */
const private_mode = 0o700;
const owner_mode = 0o600;

/** Folders of one instance. Both exist and are its own. */
export interface Folders {
	/** Outlives the instance; all instances of one scope key share it. */
	readonly volume: string;
	/** Removed with the instance. */
	readonly temp: string;
	/** Names the instance among all of this gateway: `server/scope-key-hash/number`. */
	readonly instance: string;
}

/** Whose a volume is: written beside it, where its server cannot change it. */
interface VolumeOwner {
	readonly server: string;
	readonly scope_key: string;
}

/** A server with the volumes of another. */
export interface Borrowed {
	readonly server: string;
	readonly from: string;
	lasts(): boolean;
}

/** Why an instance has no folders: a sentence, and what the system said. */
export interface FolderProblem {
	readonly message: string;
	readonly detail: string;
}

/**
 * The folders that instances keep their files in. A volume belongs to a server and a scope key
 * and nothing else: restarts, versions and capabilities of clients leave it alone.
 */
export class Volumes {
	readonly #volumes: string;
	readonly #temps: string;
	#cleared: Promise<unknown> | undefined;
	/** The folder of a server that is not named after it, as long as its own belongs to another. */
	readonly #borrowed: Borrowed | undefined;

	/** `data_dir` is the gateway's state folder, which it has for itself. */
	constructor(data_dir: string, borrowed?: Borrowed) {
		this.#volumes = join(data_dir, "volumes");
		this.#temps = join(data_dir, "temp");
		this.#borrowed = borrowed;
	}

	/** The same, but that a server has the volumes of another until that is over. */
	borrow(borrowed: Borrowed): Volumes {
		return new Volumes(dirname(this.#volumes), borrowed);
	}

	/** The volume of a scope key, whether it exists or not. */
	path(server: string, scope_key: string): string {
		const borrowed = this.#borrowed;
		const is_borrowed = borrowed?.server === server && borrowed.lasts();
		return join(this.#volumes, is_borrowed ? borrowed.from : server, scopeFolder(scope_key));
	}

	/** Makes the folders of one instance, or says why that cannot be. */
	async open(
		server: string,
		scope_key: string,
		number: number,
	): Promise<Result<Folders, FolderProblem>> {
		const folder = scopeFolder(scope_key);
		const volume = this.path(server, scope_key);
		const temp = join(this.#temps, server, `${folder}-${number}`);
		try {
			if (this.#borrowed === undefined) await this.#clearTemps();
			// Beside each other: whoever calls waits for both.
			const [owner] = await Promise.all([
				this.#claim(volume, { server, scope_key }, number),
				makeEmpty(temp),
			]);
			if (owner.server !== server || owner.scope_key !== scope_key) {
				await rm(temp, { recursive: true, force: true });
				const message = `The folder ${volume} belongs to somebody else.`;
				return fail({ message, detail: JSON.stringify(owner) });
			}
			return succeed({ volume, temp, instance: `${server}/${folder}/${number}` });
		} catch (error) {
			const message = `The folders of an instance could not be made in ${this.#volumes}.`;
			return fail({ message, detail: String(error) });
		}
	}

	/** Removes what an instance leaves: everything but its volume. Never rejects. */
	async close({ temp }: Folders): Promise<void> {
		// What cannot be removed now is removed by the next start of the gateway.
		await rm(temp, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined);
	}

	async #claim(volume: string, asker: VolumeOwner, number: number): Promise<VolumeOwner> {
		await mkdir(volume, { recursive: true, mode: private_mode });
		return await claim(`${volume}.json`, asker, number);
	}

	/** Once, before the first instance: what a killed gateway left. */
	#clearTemps(): Promise<unknown> {
		this.#cleared ??= rm(this.#temps, { recursive: true, force: true });
		return this.#cleared;
	}
}

/** Folder name of a scope key: nothing of a person's name stands in a path. */
export function scopeFolder(scope_key: string): string {
	if (scope_key === "") return "shared";
	return createHash("sha256").update(scope_key).digest("hex").slice(0, 32);
}

/** Makes a folder with nothing in it. As a rule there is none of that name. */
async function makeEmpty(path: string): Promise<void> {
	const make = () => mkdir(path, { recursive: true, mode: private_mode });
	if ((await make().catch(() => undefined)) !== undefined) return;
	await rm(path, { recursive: true, force: true });
	await make();
}

/** The owner on record; the one who asks, where there is none yet. */
async function claim(path: string, asker: VolumeOwner, number: number): Promise<VolumeOwner> {
	const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return undefined;
		throw error;
	});
	if (text !== undefined) return JSON.parse(text) as VolumeOwner;
	// Written aside first: a gateway that is killed here leaves no half of a file.
	const aside = `${path}.${number}`;
	await writeFile(aside, `${JSON.stringify(asker)}\n`, { mode: owner_mode });
	await rename(aside, path);
	return asker;
}
