/**
 * Builds the forwarder of sandboxes from its source, and writes its bytes into the source that
 * carries them to machines without a compiler. Run it as `node tools/forwarder.ts` after a change
 * to `forward.c`; a test builds it again and compares every byte.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
	buildNative,
	type NativeModule,
	type Processor,
	renderPrograms,
} from "./lib/native-program.ts";

const folder = new URL("../src/hosting/egress/", import.meta.url);
const target = fileURLToPath(new URL("forward-programs.ts", folder));

const words: NativeModule = {
	written_by: "tools/forwarder.ts from native/forward.c",
	type_name: "ForwardProgram",
	constant: "forward_programs",
	what: "The forwarder",
};

/** Compiles the forwarder for a processor. */
export function buildForwarder(processor: Processor): Buffer {
	return buildNative(processor, fileURLToPath(new URL("native/forward.c", folder)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const programs = { x64: buildForwarder("x64"), arm64: buildForwarder("arm64") };
	writeFileSync(target, renderPrograms(programs, words));
}
