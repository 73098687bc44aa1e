/** `npm run package`: builds, and packs the archive that is published. */
import { buildProgram } from "./lib/build.ts";
import { packPackage } from "./lib/pack.ts";
import { repository_root } from "./lib/paths.ts";

await buildProgram(repository_root);
const archive = await packPackage(repository_root, repository_root);
process.stdout.write(`${archive}\n`);
