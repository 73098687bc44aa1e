import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { PythonEntry } from "./lock-entry.ts";
import { lock_entry_schema, treeDigest } from "./lock-entry.ts";
import { parseRequirement } from "./python-command.ts";

/**
 * Makes an entry of what `uv pip compile --generate-hashes` wrote: one requirement with its
 * hashes over several lines that end in a backslash.
 */
export function pythonEntry(
	compiled: string,
	main: string,
	where: { readonly platform: string; readonly python: string },
): Result<PythonEntry, InstallFailure> {
	const tree: Record<string, string[]> = {};
	for (const line of compiled.replaceAll(/\\\r?\n/gu, " ").split("\n")) {
		const text = line.replace(/(?:^|\s)#.*$/u, "").trim();
		if (text === "") {
			continue;
		}
		const hashes = [...text.matchAll(/--hash=(\S+)/gu)].map(([, hash = ""]) => hash);
		const requirement = text.replace(/\s*--hash=.*$/u, "").trim();
		if (hashes.length === 0) {
			const said = `the package index gives no checksum for ${requirement}`;
			return fail({ kind: "no_checksum", line: said });
		}
		tree[requirement] = hashes.sort();
	}
	const named = normal(parseRequirement(main)?.name ?? main);
	const found = Object.entries(tree).find(([text]) => normal(text.split("==")[0] ?? "") === named);
	const parsed = lock_entry_schema.safeParse({
		ecosystem: "pypi",
		name: named,
		version: found?.[0].replace(/^[^=]*==/u, "").replace(/ ;.*$/u, ""),
		integrity: found?.[1].join(" "),
		digest: treeDigest("pypi", tree),
		platform: where.platform,
		python: where.python,
		tree,
	});
	if (!parsed.success || parsed.data.ecosystem !== "pypi") {
		const line = "uv wrote a lock of a form that is not known";
		return fail({ kind: "other", line, detail: parsed.error?.message });
	}
	return succeed(parsed.data);
}

/** The requirements file that installs exactly the tree of an entry. */
export function pythonRequirements(entry: PythonEntry): string {
	const lines = Object.entries(entry.tree).map(([requirement, hashes]) =>
		[requirement, ...hashes.map((hash) => `    --hash=${hash}`)].join(" \\\n"),
	);
	return `${lines.join("\n")}\n`;
}

/** A name as the index compares names. */
export function normal(name: string): string {
	return name.replace(/[-_.]+/gu, "-").toLowerCase();
}
