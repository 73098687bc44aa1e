import { succeed } from "../../src/lib/result.ts";
import type { ImageLock, LockedImage } from "../../src/upstreams/container/image-lock.ts";

/** A lock that is kept in memory, for all to see. */
export class MemoryImageLock implements ImageLock {
	readonly images = new Map<string, LockedImage>();

	async get(image: string) {
		return succeed(this.images.get(image));
	}

	async set(image: string, locked: LockedImage) {
		this.images.set(image, locked);
		return undefined;
	}
}
