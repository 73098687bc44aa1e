import { createHash } from "node:crypto";
import type { ConfigFile } from "../../admin/dashboard-backend.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import { read_limits } from "../../config/defaults.ts";
import { syntaxOf } from "../../config/find.ts";
import { readBounded } from "../../config/read-bounded.ts";
import { fileState, replaceFile } from "../../config/replace-file.ts";
import { serverLines } from "../../config/server-lines.ts";
import { fitsTag } from "../../lib/entity-tag.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";

/** Reads a configuration file as it is on the disk. */
export async function readConfigFile(path: string): Promise<Result<ConfigFile, AdminProblem>> {
	const text = await readBounded(path, read_limits.config_bytes_max);
	if (!text.ok) {
		return fail(problemOf("config_missing", `The configuration ${text.problem}.`));
	}
	return succeed(described(path, text.value));
}

/**
 * Replaces a configuration file that still is what `etag` says. `apply` makes it the one that runs;
 * where that is refused, the file becomes what it was before.
 */
export async function replaceConfigFile(
	path: string,
	text: string,
	etag: string,
	apply: () => Promise<Result<unknown, AdminProblem>>,
): Promise<Result<ConfigFile, AdminProblem>> {
	const state = await fileState(path);
	const before = await readConfigFile(path);
	if (!before.ok) return before;
	if (!fitsTag(etag, before.value.etag)) return fail(changed);
	if (!(await replaceFile(path, text, state))) return fail(changed);
	const applied = await apply();
	if (applied.ok) return succeed(described(path, text));
	await replaceFile(path, before.value.text, await fileState(path));
	return applied;
}

function described(path: string, text: string): ConfigFile {
	const digest = createHash("sha256").update(text).digest("base64url");
	return { path, syntax: syntaxOf(path), text, etag: `"${digest}"`, servers: serverLines(text) };
}

const changed = problemOf(
	"edited_meanwhile",
	"The configuration was changed by somebody else since it was read.",
);
