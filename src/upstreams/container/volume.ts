import { chmod } from "node:fs/promises";

/**
 * Lets a container write into its volume, whichever user its image runs as: that user's number
 * means nothing on this machine, and may not even be known. Other people of the machine do not
 * get there, because the data folder above it is closed to them.
 */
export async function openVolume(volume: string): Promise<void> {
	// Where it belongs to somebody else it stays as it is, and the server says what it cannot do.
	await chmod(volume, 0o777).catch(() => undefined);
}
