import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repository_root } from "../../tools/lib/paths.ts";
import { type ProgramResult, runProgram } from "../../tools/lib/run-program.ts";
import { gatewayArguments } from "../contenders.ts";

/** The gateway as it was when the budget was set, or why there is none to compare with. */
export type Earlier =
	| {
			readonly kind: "built";
			/** The commit it is of, shortened. */
			readonly commit: string;
			/** What makes Node run it. */
			readonly program: readonly string[];
			remove(): Promise<void>;
	  }
	| { readonly kind: "none"; readonly why: string };

const budget_file = "bench/budget.json";
const lock_file = "package-lock.json";
const commit_chars = 12;

/**
 * Builds the gateway of the commit that changed `bench/budget.json` last, in a folder of its own.
 * How many calls of the ceiling a call costs depends on the machine; how many calls of that gateway
 * it costs does not, so this is what a regression is told by.
 * @throws Error where that commit is there and cannot be built.
 */
export async function buildEarlier(root: string = repository_root): Promise<Earlier> {
	const commit = await commitOfBudget(root);
	if ("why" in commit) return { kind: "none", ...commit };
	const folder = await mkdtemp(join(tmpdir(), "moorage-earlier-"));
	const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
	try {
		const archive = join(folder, "tree.tar");
		await must("git", ["archive", "--output", archive, commit.name], root);
		await must("tar", ["-xf", archive, "-C", folder], root);
		await provideModules(root, folder);
		await must(process.execPath, [join(folder, "tools", "build.ts")], folder);
		return {
			kind: "built",
			commit: commit.name.slice(0, commit_chars),
			program: await programIn(folder),
			remove,
		};
	} catch (error) {
		await remove();
		throw error;
	}
}

/** The commit that the budget is of, or why nothing can be compared with it. */
async function commitOfBudget(root: string): Promise<{ name: string } | { why: string }> {
	const git = (...args: string[]) => runProgram("git", args, { cwd: root });
	const log = await git("log", "-1", "--format=%H", "--", budget_file);
	const name = log.output.trim();
	if (log.code !== 0 || !/^[0-9a-f]{40,64}$/.test(name)) {
		return { why: "there is no history here that tells when the budget was set" };
	}
	const changed = await git("diff", "--quiet", "HEAD", "--", budget_file);
	if (changed.code !== 0) return { why: "the budget is being changed, and is not committed yet" };
	const since = await git("diff", "--quiet", name, "--", "src", "bin", "tools", lock_file);
	if (since.code === 0) return { why: "the budget was set with this very program" };
	return { name };
}

/** Gives it the modules of this tree where they are the same, else those of its own lock file. */
async function provideModules(root: string, folder: string): Promise<void> {
	const [ours, theirs] = await Promise.all(
		[root, folder].map((tree) => readFile(join(tree, lock_file), "utf8")),
	);
	if (ours === theirs) {
		await symlink(join(root, "node_modules"), join(folder, "node_modules"));
	} else {
		await must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
	}
}

/** Started like its own launcher does it: the flags of Node are part of what a gateway costs. */
async function programIn(folder: string): Promise<readonly string[]> {
	const launcher = join(folder, "bin", "launcher", "lean-heap.mjs");
	const { heapOptions } = existsSync(launcher)
		? ((await import(pathToFileURL(launcher).href)) as Parameters<typeof gatewayArguments>[1])
		: { heapOptions: () => [] };
	return gatewayArguments(folder, { heapOptions });
}

async function must(program: string, args: readonly string[], cwd: string): Promise<ProgramResult> {
	const result = await runProgram(program, args, { cwd });
	if (result.code === 0) return result;
	throw new Error(`${program} ${args.join(" ")} ended with ${result.code}: ${result.output}`);
}
