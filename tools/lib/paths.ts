import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's own folder. */
export const repository_root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
