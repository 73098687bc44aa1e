import { z } from "zod";

const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/u);

/** Checks what stands in a lock for one image. */
export const image_entry_schema = z.strictObject({
	/** With its registry, without its tag. */
	name: z.string().regex(/^[a-z0-9][a-zA-Z0-9._/:-]{0,511}$/u),
	/** As its registry gives it, for all platforms; absent where the image came from none. */
	digest: sha256.optional(),
	/** The image's own id, for each platform it was found on. */
	ids: z.record(z.string(), sha256),
});

/** What an image's name was resolved to. */
export type ImageEntry = Readonly<z.infer<typeof image_entry_schema>>;
