import { createHash } from "node:crypto";
import { access, copyFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { StdioSpec } from "../../config/plan.ts";
import { askTools } from "./ask-tools.ts";
import { preparedFolder } from "./compile-cache.ts";
import { confined, type PreparedServer, type Workshop } from "./confine.ts";
import type { PackageRequest } from "./request.ts";
import { runProgram } from "./run-program.ts";

/** The bundler: a tool that is installed like any package when a server asks for it. */
export const bundler_request: PackageRequest = {
	ecosystem: "npm",
	launcher: "npx",
	packages: ["esbuild@0.28.2"],
	program: undefined,
	options: [],
	adds_path: false,
	args: [],
};

/** What became of a bundle, kept so that it is made once. */
interface Verdict {
	/** The bundle's file; undefined when it is not used. */
	readonly file: string | undefined;
	/** Why it is not used. */
	readonly reason: string | undefined;
}

const bundle_ms_max = 60_000;
const answer_ms_max = 20_000;

/**
 * Code of older modules inside the bundle looks for these; as properties of the global object
 * they do not get into the way of modules that declare them themselves.
 */
const banner =
	`import{createRequire as moorageRequire}from"node:module";` +
	`globalThis.require??=moorageRequire(import.meta.url);` +
	`globalThis.__filename??=import.meta.filename;globalThis.__dirname??=import.meta.dirname;`;

/** The program to bundle. */
export interface BundleInput {
	readonly tree_folder: string;
	readonly file: string;
	/** How it is run unbundled, with the server's own environment. */
	readonly spec: StdioSpec;
	/** The bundler's script and the Node that runs it. */
	readonly bundler: { readonly folder: string; readonly command: readonly string[] };
}

/**
 * Makes one file of a program and all its modules, beside the program, where what it reads by
 * relative paths is found as before. It is used only when the server shakes hands with it and
 * offers the very same tools as without it.
 */
export async function prepareBundle(
	workshop: Workshop,
	input: BundleInput,
	server: PreparedServer,
): Promise<Verdict> {
	const { tree_folder, file } = input;
	const place = relative(tree_folder, file);
	const hash = createHash("sha256")
		.update([place, input.bundler.folder, banner].join("\n"))
		.digest("hex")
		.slice(0, 16);
	const folder = join(preparedFolder(workshop.data_dir, tree_folder), `bundle-${hash}`);
	const verdict_path = join(folder, "verdict.json");
	const known = await readVerdict(verdict_path, tree_folder);
	if (known !== undefined) {
		return known;
	}
	try {
		await rm(folder, { recursive: true, force: true });
		const target = join(dirname(file), `.moorage-bundle-${hash}.mjs`);
		const reason = await make(workshop, input, server, { folder, target });
		if (server.signal.aborted) {
			return { file: undefined, reason: "it was given up" };
		}
		const verdict = { file: reason === undefined ? relative(tree_folder, target) : null, reason };
		await writeFile(verdict_path, JSON.stringify(verdict));
		return { file: reason === undefined ? target : undefined, reason };
	} catch (error) {
		return { file: undefined, reason: (error as NodeJS.ErrnoException).code ?? String(error) };
	}
}

/** Resolves with why there is no usable bundle; undefined when there is one. */
async function make(
	workshop: Workshop,
	{ file, spec, bundler }: BundleInput,
	server: PreparedServer,
	{ folder, target }: { readonly folder: string; readonly target: string },
): Promise<string | undefined> {
	const made = join(folder, "bundle.mjs");
	const [command = "", ...args] = bundler.command;
	// It reads whatever a package's modules name, so it sees no more than the package may.
	const needs = [...server.needs, bundler.folder];
	const outcome = await confined(workshop, { ...server, needs }, folder, (confinement) =>
		runProgram(workshop.spawner, workshop.clock, {
			server: server.server,
			command,
			args: [
				...args,
				file,
				"--bundle",
				"--platform=node",
				"--format=esm",
				"--legal-comments=none",
				"--log-level=error",
				`--banner:js=${banner}`,
				`--outfile=${made}`,
			],
			env: {},
			cwd: folder,
			confinement,
			deadline_ms: bundle_ms_max,
			signal: server.signal,
		}),
	);
	if (!outcome.ok || outcome.value.code !== 0) {
		return "the bundler cannot make one file of it";
	}
	const temporary = `${target}.tmp`;
	await copyFile(made, temporary);
	await rename(temporary, target);
	await rm(made);
	const ask = (args: readonly string[]) =>
		confined(workshop, server, join(folder, "trial"), (confinement) => {
			const request = { ...spec, args, server: server.server, confinement };
			return askTools(workshop.spawner, workshop.clock, request, answer_ms_max);
		});
	const expected = await ask(spec.args);
	const offered = await ask(spec.args.map((arg) => (arg === file ? target : arg)));
	await rm(join(folder, "trial"), { recursive: true, force: true });
	if (expected !== undefined && expected === offered) {
		return undefined;
	}
	await rm(target, { force: true });
	return expected === undefined
		? "the server does not answer without it, so nothing could be compared"
		: "the server does not offer the same tools with it";
}

async function readVerdict(path: string, tree_folder: string): Promise<Verdict | undefined> {
	try {
		const { file, reason } = JSON.parse(await readFile(path, "utf8")) as {
			file: string | null;
			reason?: string;
		};
		if (file === null) {
			return { file: undefined, reason };
		}
		await access(join(tree_folder, file));
		return { file: join(tree_folder, file), reason: undefined };
	} catch {
		return undefined;
	}
}
