import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../lib/run-program.ts";

const requirements = fileURLToPath(new URL("./uv-requirements.txt", import.meta.url));

/** Whether uv can be used, and from which folder when it is not on the PATH already. */
export interface UvPlace {
	/** A folder to put on the PATH, or undefined when none is needed. */
	readonly folder: string | undefined;
	/** Why uv cannot be used, or undefined when it can. */
	readonly missing: string | undefined;
}

/**
 * Provides uv for the tests that host Python servers: the one on the PATH, one installed earlier,
 * or one installed now with pip under `tools_folder`. The version and its hashes are fixed.
 */
export async function provideUv(options: {
	tools_folder: string;
	environment: NodeJS.ProcessEnv;
	say: (line: string) => void;
}): Promise<UvPlace> {
	const { tools_folder, environment, say } = options;
	if (isOnPath("uvx", environment)) return { folder: undefined, missing: undefined };
	const version = /^uv==(\S+)/m.exec(readFileSync(requirements, "utf8"))?.[1] ?? "unknown";
	const place = join(tools_folder, `uv-${version}`);
	const folder = join(place, "bin");
	if (!existsSync(folder)) {
		const python = ["python3", "python"].find((name) => isOnPath(name, environment));
		if (python === undefined) return { folder: undefined, missing: "there is no Python here" };
		say(`installing uv ${version} into ${relative(process.cwd(), place)}`);
		const problem = await install(python, place, environment);
		if (problem !== undefined) return { folder: undefined, missing: problem };
	}
	return { folder, missing: undefined };
}

function isOnPath(program: string, environment: NodeJS.ProcessEnv): boolean {
	const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
	return folders.some((folder) => existsSync(join(folder, program)));
}

/** Returns what went wrong, or undefined. The folder appears only when it is complete. */
async function install(
	python: string,
	place: string,
	environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
	const partial = `${place}.partial-${randomBytes(4).toString("hex")}`;
	mkdirSync(partial, { recursive: true });
	try {
		const pip = ["-m", "pip", "install", "--quiet", "--target", partial, "--only-binary=:all:"];
		const how = ["--require-hashes", "--no-deps", "--retries=1", "--requirement", requirements];
		const { code, output } = await runProgram(python, [...pip, ...how], {
			cwd: partial,
			environment,
		});
		if (code !== 0) return `pip could not install it: ${lastLine(output)}`;
		if (!existsSync(place)) renameSync(partial, place);
		return undefined;
	} finally {
		rmSync(partial, { recursive: true, force: true });
	}
}

function lastLine(output: string): string {
	const lines = output.split("\n").filter((line) => /error/i.test(line));
	return (lines.at(-1) ?? output.trim().split("\n").at(-1) ?? "").trim().slice(0, 300);
}
