/**
 * Builds the launcher that waits for its program from its source, and writes its bytes into the
 * source that carries them to machines without a compiler. Run it as `node tools/launch.ts` after a
 * change to `launch.c`; a test builds it again and compares every byte.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
	buildNative,
	type NativeModule,
	type Processor,
	renderPrograms,
} from "./lib/native-program.ts";

const folder = new URL("../src/hosting/process/", import.meta.url);
const target = fileURLToPath(new URL("launch-programs.ts", folder));

const words: NativeModule = {
	written_by: "tools/launch.ts from native/launch.c",
	type_name: "LaunchProgram",
	constant: "launch_programs",
	what: "The launcher that waits for its program",
};

/** Compiles the launcher for a processor. */
export function buildLaunch(processor: Processor): Buffer {
	return buildNative(processor, fileURLToPath(new URL("native/launch.c", folder)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const programs = { x64: buildLaunch("x64"), arm64: buildLaunch("arm64") };
	writeFileSync(target, renderPrograms(programs, words));
}
