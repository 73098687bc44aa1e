/**
 * Builds the small programs that servers are started through from their sources, and writes their
 * bytes into the source that carries them to machines without a compiler. Run it as
 * `node tools/native.ts` after a change to one of them; a test builds them again and compares every
 * byte.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
	buildNative,
	type NativeModule,
	type Processor,
	renderPrograms,
} from "./lib/native-program.ts";
import { repository_root } from "./lib/paths.ts";

/** A program in C, and the module that carries it. */
export interface NativeProgram extends Omit<NativeModule, "written_by"> {
	/** Both below `src/hosting/`. */
	readonly source: string;
	readonly target: string;
}

/** All of them. */
export const native_programs = {
	forward: {
		source: "egress/native/forward.c",
		target: "egress/forward-programs.ts",
		type_name: "ForwardProgram",
		constant: "forward_programs",
		what: "The forwarder",
	},
	confine: {
		source: "sandbox/native/confine.c",
		target: "sandbox/confine-programs.ts",
		type_name: "ConfineProgram",
		constant: "confine_programs",
		what: "The launcher under Landlock",
	},
	launch: {
		source: "process/native/launch.c",
		target: "process/launch-programs.ts",
		type_name: "LaunchProgram",
		constant: "launch_programs",
		what: "The launcher that waits for its program",
	},
} as const satisfies Record<string, NativeProgram>;

const folder = join(repository_root, "src", "hosting");

/** Compiles a program for a processor. */
export function buildProgram({ source }: NativeProgram, processor: Processor): Buffer {
	return buildNative(processor, join(folder, source));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const program of Object.values(native_programs)) {
		const { source, target, ...words } = program;
		const written_by = `tools/native.ts from src/hosting/${source}`;
		const programs = { x64: buildProgram(program, "x64"), arm64: buildProgram(program, "arm64") };
		writeFileSync(join(folder, target), renderPrograms(programs, { ...words, written_by }));
	}
}
