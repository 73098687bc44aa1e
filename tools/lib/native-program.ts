import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The compiler whose bytes are recorded; another version makes others. */
export const compiler_version = "12.2.0";

/** Compilers by the processor they compile for, as Debian's packages name them. */
export const compilers = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" } as const;

/** A processor that programs are built for. */
export type Processor = keyof typeof compilers;

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
	"-fno-unwind-tables",
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

/** Why a program cannot be built here byte by byte; false where it can. */
export function compilerObstacle(processor: Processor): string | false {
	const found = versionOf(processor);
	return (
		found !== compiler_version &&
		`needs ${compilers[processor]} ${compiler_version}, which Debian 12 has (found: ${found ?? "none"})`
	);
}

/** Compiles one file of C to a static program for a processor. */
export function buildNative(processor: Processor, source: string): Buffer {
	const temp = mkdtempSync(join(tmpdir(), "moorage-native-"));
	try {
		const program = join(temp, "program");
		const own = processor === "x64" ? ["-fcf-protection=none"] : [];
		execFileSync(compilers[processor], [...flags, ...own, source, "-o", program]);
		return readFileSync(program);
	} finally {
		rmSync(temp, { recursive: true, force: true });
	}
}

/** How the source that carries programs is worded. */
export interface NativeModule {
	/** Completes "Written by … ". */
	readonly written_by: string;
	readonly type_name: string;
	readonly constant: string;
	/** What the program is, to begin a sentence with. */
	readonly what: string;
}

/** The source that carries the programs. */
export function renderPrograms(
	programs: Readonly<Record<Processor, Buffer>>,
	{ written_by, type_name, constant, what }: NativeModule,
): string {
	const entries = Object.entries(programs).map(([processor, bytes]) => {
		const sha256 = createHash("sha256").update(bytes).digest("hex");
		const pattern = new RegExp(`.{1,${base64_columns}}`, "g");
		const lines = bytes.toString("base64").match(pattern) ?? [];
		const text = lines.map((line) => `\t\t\t"${line}",`).join("\n");
		return `\t${processor}: {\n\t\tsha256: "${sha256}",\n\t\tbase64: [\n${text}\n\t\t].join(""),\n\t},`;
	});
	return `/** Written by ${written_by}. */

/** A static program for Linux on one processor. */
export interface ${type_name} {
	readonly sha256: string;
	readonly base64: string;
}

/** ${what}, by the processor as Node names it. */
export const ${constant}: Readonly<Record<string, ${type_name}>> = {
${entries.join("\n")}
};
`;
}
