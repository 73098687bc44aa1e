import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { InstallFailure } from "./failure.ts";
import type { NpmEntry, NpmNode } from "./lock-entry.ts";
import { lock_entry_schema, treeDigest } from "./lock-entry.ts";
import { parseNpmSpec } from "./npm-spec.ts";

/** What of npm's own lock makes a difference to what is installed. */
const kept_fields: readonly (keyof NpmNode)[] = [
	"name",
	"version",
	"integrity",
	"optional",
	"peer",
	"inBundle",
	"hasInstallScript",
	"bin",
	"dependencies",
	"optionalDependencies",
	"peerDependencies",
	"peerDependenciesMeta",
	"bundleDependencies",
	"os",
	"cpu",
	"libc",
];

/**
 * Makes an entry of the lock that npm wrote. Addresses are left out: the registry of the
 * machine is asked, and the checksums say whether what it gives is the same.
 */
export function npmEntry(
	lock: unknown,
	packages: readonly string[],
	platform: string,
): Result<NpmEntry, InstallFailure> {
	const nodes = (lock as { packages?: Record<string, Record<string, unknown>> } | null)?.packages;
	const tree: Record<string, NpmNode> = {};
	for (const [place, node] of Object.entries(nodes ?? {})) {
		if (place === "") {
			continue;
		}
		const kept = kept_fields.flatMap((name) =>
			node[name] === undefined ? [] : [[name, node[name]] as const],
		);
		const version = String(node["version"]);
		if (node["integrity"] === undefined && node["inBundle"] !== true) {
			const line = `the registry gives no checksum for ${place} ${version}`;
			return fail({ kind: "no_checksum", line });
		}
		tree[place] = Object.fromEntries(kept) as NpmNode;
	}
	const main = tree[placeOf(packages[0] ?? "")];
	const parsed = lock_entry_schema.safeParse({
		ecosystem: "npm",
		name: main?.name ?? nameOf(packages[0] ?? ""),
		version: main?.version,
		integrity: main?.integrity,
		digest: treeDigest("npm", tree),
		platform,
		tree,
	});
	if (!parsed.success || parsed.data.ecosystem !== "npm") {
		const line = "npm wrote a lock of a form that is not known";
		return fail({ kind: "other", line, detail: parsed.error?.message });
	}
	return succeed(parsed.data);
}

/** A project whose `npm ci` installs exactly the tree of an entry. */
export function npmProject(
	entry: NpmEntry,
	packages: readonly string[],
): { readonly manifest: string; readonly lock: string } {
	const dependencies = Object.fromEntries(
		packages.flatMap((text) => {
			const node = entry.tree[placeOf(text)];
			if (node === undefined) {
				return [];
			}
			const target = node.name === undefined ? node.version : `npm:${node.name}@${node.version}`;
			return [[nameOf(text), target] as const];
		}),
	);
	const manifest = { name: "installed", version: "0.0.0", private: true, dependencies };
	const { private: _, ...root } = manifest;
	const lock = { ...root, lockfileVersion: 3, packages: { "": root, ...entry.tree } };
	return { manifest: JSON.stringify(manifest), lock: JSON.stringify(lock) };
}

/** Names of the packages of a tree whose install scripts would run. */
export function scriptedPackages(entry: NpmEntry): string[] {
	const names = Object.entries(entry.tree)
		.filter(([, node]) => node.hasInstallScript === true)
		.map(([place]) => place.slice(place.lastIndexOf("node_modules/") + 13));
	return [...new Set(names)].sort();
}

function nameOf(text: string): string {
	const parsed = parseNpmSpec(text);
	return parsed.kind === "registry" ? parsed.spec.name : text;
}

function placeOf(text: string): string {
	return `node_modules/${nameOf(text)}`;
}
