/** `npm run package`: builds, and packs the archive that is published. */

import { packPackage } from "./lib/pack.ts";
import { repository_root } from "./lib/paths.ts";
import "./build.ts";

const archive = await packPackage(repository_root, repository_root);
process.stdout.write(`${archive}\n`);
