import { constants } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../lib/random.ts";

/** What keeps a server from writing while its volumes are copied. */
export interface Stillness {
	/** Freezes everything of a server that runs; the returned function lets it go on. */
	still(server: string): Promise<() => Promise<void>>;
}

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
			await cp(join(this.#folder, from), target, {
				recursive: true,
				mode: constants.COPYFILE_FICLONE,
				preserveTimestamps: true,
				verbatimSymlinks: true,
				force: true,
			}).catch((error: NodeJS.ErrnoException) => {
				// A server that has never run has no volumes.
				if (error.code !== "ENOENT") throw error;
			});
		} finally {
			await goOn();
		}
		await renameOwner(target, to);
	}

	/** The volumes of `by` become those of `server`, whose own are removed. */
	async replace(server: string, by: string): Promise<void> {
		const [place, source] = [join(this.#folder, server), join(this.#folder, by)];
		const aside = join(this.#folder, `.replaced-${this.#random.bytes(6).toString("hex")}`);
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
		await rm(aside, { recursive: true, force: true });
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
		await writeFile(path, `${JSON.stringify({ ...owner, server })}\n`, { mode: 0o600 });
	}
}
