import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../lib/random.ts";
import { copyFolder } from "./copy-folder.ts";

/** What keeps a server from writing while its volumes are copied. */
export interface Stillness {
	/** Freezes everything of a server that runs; the returned function lets it go on. */
	still(server: string): Promise<() => Promise<void>>;
}

/** How the folders start that were replaced, and may still be in use. */
const aside_prefix = ".replaced-";

/** What follows is drawn, so that one server may have several, and the server's name. */
const aside_name = /^\.replaced-[0-9a-f]{12}-(.+)$/u;

/**
 * Copies and swaps the volumes of whole servers. Where the file system can, a copy shares its
 * blocks with the original until either is written to, and takes next to no time or room.
 */
export class VolumeCopies {
	readonly #folder: string;
	readonly #stillness: Stillness;
	readonly #random: Random;

	/** `data_dir` is the gateway's state folder. */
	constructor(data_dir: string, stillness: Stillness, random: Random) {
		this.#folder = join(data_dir, "volumes");
		this.#stillness = stillness;
		this.#random = random;
	}

	/** Copies all volumes of a server to a name that has none, as they are at one moment. */
	async copy(from: string, to: string): Promise<void> {
		const target = join(this.#folder, to);
		await mkdir(target, { recursive: true, mode: 0o700 });
		const goOn = await this.#stillness.still(from);
		try {
			// A server that has never run has no volumes.
			if (await this.has(from)) await copyFolder(join(this.#folder, from), target);
		} finally {
			await goOn();
		}
		await renameOwner(target, to);
	}

	/**
	 * Whether a server has a place for volumes: forks have one from the start. One that cannot be
	 * looked at is there.
	 */
	async has(server: string): Promise<boolean> {
		return access(join(this.#folder, server)).then(
			() => true,
			({ code }: NodeJS.ErrnoException) => code !== "ENOENT",
		);
	}

	/** The notes beside the volumes of one server say that they are another's. */
	async rename(server: string, to: string): Promise<void> {
		await renameOwner(join(this.#folder, server), to);
	}

	/**
	 * The volumes of `by` become those of `server`, whose own are set aside for whoever still uses
	 * them: the returned function removes them.
	 */
	async replace(server: string, by: string): Promise<() => Promise<void>> {
		const [place, source] = [join(this.#folder, server), join(this.#folder, by)];
		const drawn = this.#random.bytes(6).toString("hex");
		const aside = join(this.#folder, `${aside_prefix}${drawn}-${server}`);
		await renameOwner(source, server);
		await rename(place, aside).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOENT") throw error;
		});
		try {
			await rename(source, place);
		} catch (error) {
			await rename(aside, place).catch(() => undefined);
			await renameOwner(source, by);
			throw error;
		}
		return () => rm(aside, { recursive: true, force: true, maxRetries: 2 });
	}

	/**
	 * Removes what was set aside, and that a killed gateway left; a server that got nothing in its
	 * place has it back. Belongs before any server runs. Rejects where that cannot be given back.
	 */
	async sweep(): Promise<void> {
		const names = await readdir(this.#folder).catch(() => []);
		const there = new Set(names);
		const unwanted: string[] = [];
		for (const aside of await this.#newestFirst(names)) {
			const [, server] = aside_name.exec(aside) ?? [];
			if (server === undefined || there.has(server)) unwanted.push(aside);
			else {
				await rename(join(this.#folder, aside), join(this.#folder, server));
				there.add(server);
			}
		}
		const remove = (name: string) => rm(join(this.#folder, name), { recursive: true, force: true });
		await Promise.allSettled(unwanted.map(remove));
	}

	/** Those of these folders that were set aside, the last one first. */
	async #newestFirst(names: readonly string[]): Promise<string[]> {
		const aside = names.filter((name) => name.startsWith(aside_prefix));
		const dated = await Promise.all(
			aside.map(async (name) => ({ name, at_ms: (await stat(join(this.#folder, name))).ctimeMs })),
		);
		return dated.toSorted((a, b) => b.at_ms - a.at_ms).map(({ name }) => name);
	}

	/** Removes all volumes of a server. */
	async remove(server: string): Promise<void> {
		await rm(join(this.#folder, server), { recursive: true, force: true, maxRetries: 2 });
	}
}

/** The notes beside volumes say whose they are: see `Volumes`. */
async function renameOwner(folder: string, server: string): Promise<void> {
	for (const name of await readdir(folder).catch(() => [])) {
		if (!name.endsWith(".json")) continue;
		const path = join(folder, name);
		const owner = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
		if (owner["server"] === server) continue;
		// Written aside first: a gateway that is killed here leaves no half of a file.
		await writeFile(`${path}.new`, `${JSON.stringify({ ...owner, server })}\n`, { mode: 0o600 });
		await rename(`${path}.new`, path);
	}
}
