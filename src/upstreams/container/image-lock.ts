import type { Result } from "../../lib/result.ts";

/** What an image's name was resolved to. */
export interface LockedImage {
	/** With its registry, without its tag. */
	readonly name: string;
	/** `sha256:...`, as its registry gives it; undefined where the image came from none. */
	readonly digest?: string | undefined;
	/** The image's own id, for each platform it was found on. */
	readonly ids: Readonly<Record<string, string>>;
}

/** Keeps what images' names were resolved to. Problems are sentences. */
export interface ImageLock {
	/** Undefined where the name has not been resolved yet. The server is named in problems. */
	get(image: string, server: string): Promise<Result<LockedImage | undefined, string>>;
	/** What stood there is replaced, damaged or not. */
	set(image: string, locked: LockedImage): Promise<string | undefined>;
}
