import { fail, succeed } from "../../lib/result.ts";
import type { ImageLock } from "../../upstreams/container/image-lock.ts";
import type { InstallFailure } from "./failure.ts";
import { failureSentence } from "./failure.ts";
import type { LockFile } from "./lock-file.ts";

/** The images of a lock file, as the resolver of images sees them. */
export function lockImages(file: LockFile): ImageLock {
	const sentence = (image: string, failure: InstallFailure) => failureSentence(image, failure);
	return {
		async get(image) {
			const images = await file.readImages();
			return images.ok ? succeed(images.value.get(image)) : fail(sentence(image, images.problem));
		},
		async set(image, { name, digest, ids }) {
			const entry = { name, ...(digest !== undefined && { digest }), ids: { ...ids } };
			const changed = await file.changeImage(image, () => entry);
			return changed.ok ? undefined : sentence(image, changed.problem);
		},
	};
}
