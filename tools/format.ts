/** `npm run format [-- PATH ...]`: formats and sorts imports, of everything or of some paths. */
import { join } from "node:path";
import { repository_root } from "./lib/paths.ts";
import { runProgram } from "./lib/run-program.ts";

const paths = process.argv.slice(2);
const biome = join(repository_root, "node_modules", "@biomejs", "biome", "bin", "biome");
const args = [biome, "check", "--write", ...(paths.length === 0 ? ["."] : paths)];
const { code, output } = await runProgram(process.execPath, args, { cwd: repository_root });
process.stdout.write(output);
process.exitCode = code;
