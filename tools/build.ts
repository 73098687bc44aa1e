/** `npm run build`: bundles the program into dist/, dependencies included. */
import { buildProgram } from "./lib/build.ts";
import { repository_root } from "./lib/paths.ts";

await buildProgram(repository_root);
