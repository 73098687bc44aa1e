/**
 * Builds the forwarder of sandboxes from its source, and writes its bytes into the source that
 * carries them to machines without a compiler. Run it as `node tools/forwarder.ts` after a change
 * to `forward.c`; a test builds it again and compares every byte.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The compiler whose bytes are recorded; another version makes others. */
export const compiler_version = "12.2.0";

/** Compilers by the processor they compile for, as Debian's packages name them. */
export const compilers = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" } as const;

/** A processor that the forwarder is built for. */
export type Processor = keyof typeof compilers;

const folder = new URL("../src/hosting/egress/", import.meta.url);
const target = fileURLToPath(new URL("forward-programs.ts", folder));
const base64_columns = 88;

/** No libc, no start-up files, no build id, no padding: a few pages that need nothing. */
const flags = [
	"-Os",
	"-static",
	"-nostdlib",
	"-ffreestanding",
	"-fno-builtin",
	"-fno-stack-protector",
	"-fno-pic",
	"-no-pie",
	"-fno-asynchronous-unwind-tables",
	"-fno-tree-loop-distribute-patterns",
	"-Wall",
	"-Wextra",
	"-Werror",
	"-s",
	"-Wl,--build-id=none",
	"-Wl,-z,noseparate-code",
	"-Wl,-z,norelro",
];

/** The version of the compiler for a processor; undefined where there is none. */
export function versionOf(processor: Processor): string | undefined {
	try {
		return execFileSync(compilers[processor], ["-dumpfullversion"], { encoding: "utf8" }).trim();
	} catch {
		return undefined;
	}
}

/** Compiles the forwarder for a processor. */
export function buildForwarder(processor: Processor): Buffer {
	const temp = mkdtempSync(join(tmpdir(), "moorage-forward-"));
	try {
		const source = fileURLToPath(new URL("native/forward.c", folder));
		const program = join(temp, "forward");
		const own = processor === "x64" ? ["-fcf-protection=none"] : [];
		execFileSync(compilers[processor], [...flags, ...own, source, "-o", program]);
		return readFileSync(program);
	} finally {
		rmSync(temp, { recursive: true, force: true });
	}
}

/** The source that carries the programs. */
export function renderPrograms(programs: Readonly<Record<Processor, Buffer>>): string {
	const entries = Object.entries(programs).map(([processor, bytes]) => {
		const sha256 = createHash("sha256").update(bytes).digest("hex");
		const pattern = new RegExp(`.{1,${base64_columns}}`, "g");
		const lines = bytes.toString("base64").match(pattern) ?? [];
		const text = lines.map((line) => `\t\t\t"${line}",`).join("\n");
		return `\t${processor}: {\n\t\tsha256: "${sha256}",\n\t\tbase64: [\n${text}\n\t\t].join(""),\n\t},`;
	});
	return `/** Written by tools/forwarder.ts from native/forward.c. */

/** A static program for Linux on one processor. */
export interface ForwardProgram {
	readonly sha256: string;
	readonly base64: string;
}

/** The forwarder, by the processor as Node names it. */
export const forward_programs: Readonly<Record<string, ForwardProgram>> = {
${entries.join("\n")}
};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	writeFileSync(
		target,
		renderPrograms({ x64: buildForwarder("x64"), arm64: buildForwarder("arm64") }),
	);
}
