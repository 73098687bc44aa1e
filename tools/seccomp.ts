import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository_root } from "./lib/paths.ts";
import { filtersModule } from "./seccomp/module.ts";

/** Writes the system call filters that Moorage ships: `node tools/seccomp.ts`. */
writeFileSync(join(repository_root, "src/hosting/sandbox/seccomp-filters.ts"), filtersModule());
