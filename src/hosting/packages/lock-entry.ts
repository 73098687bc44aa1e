import { createHash } from "node:crypto";
import { z } from "zod";
import { withoutCredentials } from "./npm-command.ts";
import type { PackageRequest } from "./request.ts";

/*
 * What a package command was resolved to, exactly enough to install the same bytes on another
 * machine: every package of the tree with its version and checksum.
 */

const version = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+!_-]*$/u);
const names = z.record(z.string(), z.string());

/** One package of an npm tree: what npm's own lock keeps of it, without where it came from. */
const npm_node = z.strictObject({
	/** The package's name where it is not the folder's, as for an alias. */
	name: z.string().optional(),
	version,
	integrity: z.string().optional(),
	optional: z.boolean().optional(),
	peer: z.boolean().optional(),
	inBundle: z.boolean().optional(),
	hasInstallScript: z.boolean().optional(),
	bin: names.optional(),
	dependencies: names.optional(),
	optionalDependencies: names.optional(),
	peerDependencies: names.optional(),
	peerDependenciesMeta: z.record(z.string(), z.unknown()).optional(),
	bundleDependencies: z.union([z.array(z.string()), z.boolean()]).optional(),
	os: z.array(z.string()).optional(),
	cpu: z.array(z.string()).optional(),
	libc: z.array(z.string()).optional(),
});

const common = {
	/** The package that is meant, and its exact version. */
	name: z.string().min(1),
	version,
	/** Its checksum as the registry gives it; several where a version has several files. */
	integrity: z.string().min(1),
	/** Over the whole tree; it names the folder the tree is installed into. */
	digest: z.string().regex(/^sha256-[0-9a-f]{64}$/u),
	/** Where it was resolved. The tree holds for every platform. */
	platform: z.string(),
};

/** A location below the installation's folder, and nothing that leads out of it. */
const location = z.string().regex(/^(?:(?:^|\/)node_modules\/(?:@[\w.~-]+\/)?[\w~-][\w.~-]*)+$/u);
/** `name==version`, and behind a semicolon where it is needed. */
const requirement = z.string().regex(/^[A-Za-z0-9][\w.-]*==[^\s;\p{Cc}]+(?: ; [^\p{Cc}\\#]+)?$/u);

const npm_entry = z.strictObject({
	ecosystem: z.literal("npm"),
	...common,
	tree: z.record(location, npm_node),
});
const python_entry = z.strictObject({
	ecosystem: z.literal("pypi"),
	...common,
	/** The Python it was resolved for; older ones may not run it. */
	python: z.string().regex(/^\d+\.\d+$/u),
	tree: z.record(requirement, z.array(z.string().regex(/^sha\d+:[0-9a-f]+$/u)).min(1)),
});

/** Checks one entry as it stands in a file. */
export const lock_entry_schema = z.discriminatedUnion("ecosystem", [npm_entry, python_entry]);

/** A package of the npm registry with everything it needs. */
export type NpmEntry = Readonly<z.infer<typeof npm_entry>>;
/** A package of the Python package index with everything it needs. */
export type PythonEntry = Readonly<z.infer<typeof python_entry>>;
/** What one package command was resolved to. */
export type LockEntry = NpmEntry | PythonEntry;
/** One package of an npm tree. */
export type NpmNode = Readonly<z.infer<typeof npm_node>>;

/**
 * Names what was asked for, the same on every machine. `source` is what the server's own
 * settings say of where its packages come from; the machine's are not part of it, so that a
 * mirror can stand in for a registry: the checksums tell whether it is the same package.
 */
export function lockKey(request: PackageRequest, source: readonly string[]): string {
	const choices = [...request.options.filter(decidesTree), ...source].sort();
	const words = [...request.packages, ...choices].map(withoutCredentials);
	return `${request.ecosystem}:${words.join(" ")}`;
}

/** Options that only say where the installer keeps its things, or how, change nothing. */
function decidesTree(option: string): boolean {
	return !/^--(?:cache|cache-dir|userconfig|config-file|offline|no-cache|native-tls|system-certs|allow-insecure-host|keyring-provider)(?:=|$)/u.test(
		option,
	);
}

/** The digest of a tree: every package, its version and its checksum, in one order. */
export function treeDigest(ecosystem: "npm" | "pypi", tree: LockEntry["tree"]): string {
	const lines = Object.entries(tree).map(([place, value]) =>
		JSON.stringify([place, sorted(value)]),
	);
	const text = [ecosystem, ...lines.sort()].join("\n");
	return `sha256-${createHash("sha256").update(text).digest("hex")}`;
}

/** The same value with its keys in one order, however it was written. */
function sorted(value: unknown): unknown {
	if (Array.isArray(value)) {
		return value.map(sorted);
	}
	if (typeof value !== "object" || value === null) {
		return value;
	}
	const entries = Object.entries(value).filter(([, member]) => member !== undefined);
	entries.sort(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** Every package of an entry as `name@version`, with its checksums. */
export function checksums(entry: LockEntry): ReadonlyMap<string, string> {
	if (entry.ecosystem === "pypi") {
		return new Map(
			Object.entries(entry.tree).map(([text, hashes]) => [
				text.replace(/ ;.*$/su, "").replace("==", "@"),
				[...hashes].sort().join(" "),
			]),
		);
	}
	return new Map(
		Object.entries(entry.tree).flatMap(([place, node]) => {
			const name = node.name ?? place.slice(place.lastIndexOf("node_modules/") + 13);
			return node.integrity === undefined ? [] : [[`${name}@${node.version}`, node.integrity]];
		}),
	);
}

/**
 * The first package that two resolutions have in the same version with different contents.
 * Files may be added to a version of a Python package later; none of the old ones may be gone.
 */
export function changedPackage(before: LockEntry, after: LockEntry): string | undefined {
	if (before.ecosystem !== after.ecosystem) {
		return undefined;
	}
	const known = checksums(before);
	for (const [name, sums] of checksums(after)) {
		const old = known.get(name);
		const now = new Set(sums.split(" "));
		if (old !== undefined && !old.split(" ").some((sum) => now.has(sum))) {
			return name;
		}
	}
	return undefined;
}
