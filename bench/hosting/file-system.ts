import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Sparse: it takes the room of what is written to it. */
const image_bytes = 2 * 1024 ** 3;

/** A file system of its own, in a file. */
export interface MountedImage {
	readonly folder: string;
	unmount(): Promise<void>;
}

/**
 * Makes and mounts an XFS whose files can, or cannot, share blocks. Rejects with the reason where
 * that is not allowed or `mkfs.xfs` is missing.
 */
export async function mountXfs(shares_blocks: boolean): Promise<MountedImage> {
	const within = await mkdtemp(join(tmpdir(), "moorage-bench-xfs-"));
	const [image, folder] = [join(within, "image"), join(within, "mounted")];
	const remove = () => rm(within, { recursive: true, force: true });
	try {
		await writeFile(image, "");
		await truncate(image, image_bytes);
		await mkdir(folder);
		await run("mkfs.xfs", ["-q", "-m", `reflink=${shares_blocks ? 1 : 0}`, image]);
		await run("mount", ["-o", "loop", image, folder]);
	} catch (error) {
		await remove();
		throw error;
	}
	const unmount = async () => {
		await run("umount", [folder]);
		await remove();
	};
	return { folder, unmount };
}
