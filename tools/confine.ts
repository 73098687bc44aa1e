/**
 * Builds the launcher of programs under Landlock from its source, and writes its bytes into the
 * source that carries them to machines without a compiler. Run it as `node tools/confine.ts` after
 * a change to `confine.c`; a test builds it again and compares every byte.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
	buildNative,
	type NativeModule,
	type Processor,
	renderPrograms,
} from "./lib/native-program.ts";

const folder = new URL("../src/hosting/sandbox/", import.meta.url);
const target = fileURLToPath(new URL("confine-programs.ts", folder));

const words: NativeModule = {
	written_by: "tools/confine.ts from native/confine.c",
	type_name: "ConfineProgram",
	constant: "confine_programs",
	what: "The launcher under Landlock",
};

/** Compiles the launcher for a processor. */
export function buildConfine(processor: Processor): Buffer {
	return buildNative(processor, fileURLToPath(new URL("native/confine.c", folder)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const programs = { x64: buildConfine("x64"), arm64: buildConfine("arm64") };
	writeFileSync(target, renderPrograms(programs, words));
}
