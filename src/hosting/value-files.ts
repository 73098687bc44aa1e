import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerSpec } from "../config/plan.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { ValueProblem } from "../secrets/values.ts";
import type { FilledSpec } from "./spec-values.ts";

const folder_name = "secrets";

/**
 * Writes the files that a server is to find into its temporary folder, which is removed with the
 * instance, and gives it their paths. Nobody but the user who runs it can read them.
 */
export async function withFiles(
	{ spec, files }: FilledSpec,
	temp: string | undefined,
): Promise<Result<ServerSpec, ValueProblem>> {
	const entries = Object.entries(files);
	if (entries.length === 0 || spec.driver !== "stdio") return succeed(spec);
	if (temp === undefined) {
		return fail({ message: "It has no folder for its files.", next: "Write values into `env`." });
	}
	try {
		const folder = join(temp, folder_name);
		await mkdir(folder, { mode: 0o700 });
		const env = { ...spec.env };
		for (const [index, [name, text]] of entries.entries()) {
			// Numbered, because a variable's name may be no file's name.
			const path = join(folder, `${index + 1}-${name.replaceAll(/[^\w.-]/g, "_").slice(0, 100)}`);
			await writeFile(path, text, { mode: 0o400, flag: "wx" });
			env[name] = path;
		}
		return succeed({ ...spec, env });
	} catch (error) {
		const message = "The files with its values could not be written.";
		return fail({ message, next: "Look at the disk of the data folder.", detail: String(error) });
	}
}
