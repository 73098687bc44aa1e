import { fail } from "../../lib/result.ts";
import type { ImageLock } from "../../upstreams/container/image-lock.ts";
import { failureSentence } from "./failure.ts";
import type { LockFile } from "./lock-file.ts";

/** The images of a lock file, as the resolver of images sees them. */
export function lockImages(file: LockFile): ImageLock {
	return {
		async get(image, server) {
			const locked = await file.findImage(image);
			return locked.ok ? locked : fail(failureSentence(image, locked.problem, server));
		},
		async set(image, { name, digest, ids }) {
			const entry = { name, ...(digest !== undefined && { digest }), ids: { ...ids } };
			const changed = await file.changeImage(image, () => entry, { mends: true });
			return changed.ok ? undefined : failureSentence(image, changed.problem);
		},
	};
}
