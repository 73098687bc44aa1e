import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { default_data } from "../config/defaults.ts";
import { findConfig, projectFolder } from "../config/find.ts";
import { loadPlan } from "../config/load.ts";
import type { Plan } from "../config/plan.ts";
import type { CommandContext } from "./context.ts";

/**
 * The state folder a command works with: the one given with `--data`, else the one of the
 * configuration found in the working directory, else the default one there. A configuration
 * with mistakes still tells its folder: the gateway that runs on it must be found.
 */
export async function dataFolder(
	context: CommandContext,
	option: string | undefined,
): Promise<string> {
	const { cwd } = context;
	if (option !== undefined) return resolve(cwd, option);
	const found = await findConfig(undefined, cwd);
	const path = found.ok ? found.value : undefined;
	if (path === undefined) return resolve(cwd, default_data);
	const plan = await planAt(path, context);
	return plan === undefined ? writtenFolder(path) : plan.data;
}

/** What a configuration says, without anybody being asked; undefined where it has mistakes. */
export async function planAt(
	path: string,
	{ cwd, environment, home }: Pick<CommandContext, "cwd" | "environment" | "home">,
): Promise<Plan | undefined> {
	// The answers to inputs change nothing that is read off it here.
	const ask = () => Promise.resolve("");
	const plan = await loadPlan({ path, cwd, environment, home, ask, overrides: {} });
	return plan.ok ? plan.value : undefined;
}

/** The plan of the configuration in the working directory, where it is about this state folder. */
export async function planOfFolder(
	data: string,
	context: CommandContext,
): Promise<Plan | undefined> {
	const found = await findConfig(undefined, context.cwd);
	const path = found.ok ? found.value : undefined;
	const plan = path === undefined ? undefined : await planAt(path, context);
	return plan?.data === data ? plan : undefined;
}

/** The folder as it stands in a file that has mistakes elsewhere. */
async function writtenFolder(path: string): Promise<string> {
	const base = projectFolder(path);
	try {
		const written = parseDocument(await readFile(path, "utf8")).get("data");
		if (typeof written === "string" && !written.includes("$")) return resolve(base, written);
	} catch {
		// What cannot be read at all says nothing of its folder.
	}
	return resolve(base, default_data);
}

/** The database of a state folder. */
export function databasePath(data: string): string {
	return join(data, "moorage.db");
}

/** Whether a gateway has ever kept something in this state folder. */
export function hasDatabase(data: string): Promise<boolean> {
	return stat(databasePath(data)).then(
		() => true,
		() => false,
	);
}
