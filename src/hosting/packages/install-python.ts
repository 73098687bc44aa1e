import { readdir, realpath, rm } from "node:fs/promises";
import { delimiter, join, sep } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import { findProgram, readShebang } from "../process/find-program.ts";
import type { InstallFailure } from "./failure.ts";
import { explainUv } from "./failure.ts";
import { folder_token } from "./installed.ts";
import type { InstalledParts, Installer } from "./installer.ts";
import { parseRequirement } from "./python-command.ts";

/**
 * Finds uv on PATH, else where its own installer puts it: services seldom have that folder on
 * their PATH. Undefined when there is none.
 */
export async function findUv(
	path: string | undefined,
	home: string | undefined,
): Promise<string | undefined> {
	const own = home === undefined ? [] : [join(home, ".local", "bin"), join(home, ".cargo", "bin")];
	const found = await findProgram("uv", { path: [path ?? "", ...own].join(delimiter), cwd: "/" });
	return found.ok ? found.value : undefined;
}

/** Installs with `uv tool install`, everything inside the folder. */
export function uvInstaller(uv: string): Installer {
	return {
		name: "uv",
		async install(request, folder, run) {
			const [main = "", ...others] = request.packages;
			const outcome = await run(
				[
					uv,
					"tool",
					"install",
					"--no-progress",
					// Done once here instead of by the server's first start.
					"--compile-bytecode",
					...request.options,
					...others.flatMap((other) => ["--with", other]),
					"--",
					main,
				],
				{ UV_TOOL_DIR: join(folder, "tools"), UV_TOOL_BIN_DIR: join(folder, "bin") },
			);
			if (!outcome.ok) {
				return outcome;
			}
			const { code, stdout, stderr } = outcome.value;
			if (code !== 0) {
				return fail(explainUv(stdout, stderr));
			}
			return await describeInstalled(folder, main, request.program);
		},
	};
}

async function describeInstalled(
	folder: string,
	main: string,
	program: string | undefined,
): Promise<Result<InstalledParts, InstallFailure>> {
	const tool = (await names(join(folder, "tools"))).find((name) => !name.startsWith("."));
	if (tool === undefined) {
		return fail({ kind: "other", line: "uv installed nothing" });
	}
	const programs = join("tools", tool, process.platform === "win32" ? "Scripts" : "bin");
	const offered = await names(join(folder, "bin"));
	const present = await names(join(folder, programs));
	// uvx runs the program that is named like the package; a lone one of another name is meant
	// all the same, unless a program was asked for by name.
	const named = parseRequirement(main)?.name ?? main;
	const wanted =
		program === undefined
			? [named, named.replaceAll("_", "-"), ...(offered.length === 1 ? offered : [])]
			: [program];
	const name = wanted.find((candidate) => present.includes(candidate));
	if (name === undefined) {
		const line =
			`the package ${named} has no program ${program ?? named}; it offers ` +
			`${offered.join(", ")}: uvx --from ${named} ${offered[0] ?? "PROGRAM"}`;
		return fail({ kind: "no_program", line });
	}
	// Its links hold the path of the folder before it is moved; nothing needs them.
	await rm(join(folder, "bin"), { recursive: true, force: true });
	return succeed({
		version: await versionOf(join(folder, "tools", tool), tool),
		...(await startOf(folder, join(programs, name))),
		scripts_skipped: [],
	});
}

/**
 * A script of the package names its interpreter by a path that is gone once the folder is
 * moved, so the interpreter is started with the script instead. What is no such script is a
 * program of its own.
 */
async function startOf(
	folder: string,
	file: string,
): Promise<{ entry: string; args_prefix: string[] }> {
	const path = tokenPath(file);
	const words = await readShebang(join(folder, file));
	const root = await realpath(folder);
	const interpreter = words?.[0] ?? "";
	// `#!/bin/sh` stands before a path that is too long for a `#!` line; Python reads both.
	const is_script = [folder, root].some((place) => interpreter.startsWith(place + sep));
	if (!is_script && interpreter !== "/bin/sh") {
		return { entry: path, args_prefix: [] };
	}
	return { entry: tokenPath(join(file, "..", "python")), args_prefix: [path] };
}

function tokenPath(file: string): string {
	return [folder_token, ...file.split(sep)].join("/");
}

/** The installed version, from the name of the package's metadata folder. */
async function versionOf(tool_folder: string, name: string): Promise<string> {
	const pattern = new RegExp(`^${name.replace(/[-_.]+/gu, "[-_.]+")}-(.+)\\.dist-info$`, "iu");
	for (const library of await names(join(tool_folder, "lib"))) {
		for (const entry of await names(join(tool_folder, "lib", library, "site-packages"))) {
			const version = pattern.exec(entry)?.[1];
			if (version !== undefined) {
				return version;
			}
		}
	}
	return "unknown";
}

async function names(folder: string): Promise<string[]> {
	return await readdir(folder).catch(() => []);
}
