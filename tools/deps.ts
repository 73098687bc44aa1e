import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isTest } from "./layers.ts";
import { listFiles } from "./lib/files.ts";
import type { Problem } from "./lib/problem.ts";
import { findReferences, isCode, parseSource } from "./lib/source.ts";

/** A package.json that is checked, and the kinds of dependency in it. */
const manifests = [
	"package.json",
	"bin/node24/package.json",
	"tools/inspector/package.json",
	"tools/mcp-remote/package.json",
];
const kinds = ["dependencies", "devDependencies", "optionalDependencies"] as const;

const reasons_file = "DEPENDENCIES.md";

/** A row of a table in DEPENDENCIES.md: | `name` | reason | */
const row_pattern = /^\| `([^`]+)` \| (.+) \|$/;

/** A reason shorter than this says nothing. */
const reason_chars_min = 20;

interface Dependency {
	readonly manifest: string;
	readonly name: string;
	readonly version: string;
	readonly kind: (typeof kinds)[number];
}

/**
 * Every direct dependency has an exact version and one line of reason, and every line has a
 * dependency; what source imports is a dependency, and what only tests and tools import is not.
 */
export function checkDeps(root: string): Problem[] {
	const dependencies = manifests.flatMap((manifest) => readDependencies(root, manifest));
	return [
		...checkVersions(dependencies),
		...checkReasons(root, dependencies),
		...checkKinds(root, dependencies),
	];
}

function readDependencies(root: string, manifest: string): Dependency[] {
	if (!existsSync(join(root, manifest))) return [];
	const content = JSON.parse(readFileSync(join(root, manifest), "utf8")) as {
		[kind in (typeof kinds)[number]]?: Record<string, string>;
	};
	return kinds.flatMap((kind) =>
		Object.entries(content[kind] ?? {}).map(([name, version]) => ({
			manifest,
			name,
			version,
			kind,
		})),
	);
}

function checkVersions(dependencies: readonly Dependency[]): Problem[] {
	return dependencies
		.filter(({ version }) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
		.map(({ manifest, name, version }) => ({
			file: manifest,
			line: 1,
			message: `${name} is "${version}"; give one exact version.`,
		}));
}

function checkReasons(root: string, dependencies: readonly Dependency[]): Problem[] {
	const text = existsSync(join(root, reasons_file))
		? readFileSync(join(root, reasons_file), "utf8")
		: "";
	const problems: Problem[] = [];
	const seen = new Set<string>();
	const known = new Set(dependencies.map(({ name }) => name));
	for (const [index, content] of text.split("\n").entries()) {
		const [, name = "", reason = ""] = row_pattern.exec(content) ?? [];
		if (name === "") continue;
		const report = (message: string) =>
			problems.push({ file: reasons_file, line: index + 1, message });
		if (!known.has(name)) report(`${name} is no dependency any more; remove its line.`);
		if (seen.has(name)) report(`${name} has a second line; one says it.`);
		if (reason.trim().length < reason_chars_min) report(`Say why ${name} is used.`);
		seen.add(name);
	}
	for (const name of known) {
		if (seen.has(name)) continue;
		const message = `Add a line that says why ${name} is used: | \`${name}\` | because … |`;
		problems.push({ file: reasons_file, line: 1, message });
	}
	return problems;
}

function checkKinds(root: string, dependencies: readonly Dependency[]): Problem[] {
	const kind_of = new Map(
		dependencies
			.filter(({ manifest }) => manifest === "package.json")
			.map(({ name, kind }) => [name, kind]),
	);
	const imported = new Set<string>();
	const problems: Problem[] = [];
	for (const file of listFiles(root)) {
		if (!file.startsWith("src/") || !isCode(file) || isTest(file)) continue;
		const source = parseSource(file, readFileSync(join(root, file), "utf8"));
		for (const { specifier, line } of findReferences(source)) {
			const name = packageOf(specifier);
			if (name === undefined) continue;
			imported.add(name);
			const kind = kind_of.get(name);
			if (kind === undefined) {
				problems.push({ file, line, message: `${name} is not in package.json.` });
			} else if (kind === "devDependencies") {
				problems.push({ file, line, message: `${name} is for development only.` });
			}
		}
	}
	for (const [name, kind] of kind_of) {
		if (kind !== "dependencies" || imported.has(name)) continue;
		const message = `${name} is in dependencies, and nothing in src/ imports it.`;
		problems.push({ file: "package.json", line: 1, message });
	}
	return problems;
}

/** The package of an import, or undefined for files of our own and modules of Node. */
function packageOf(specifier: string): string | undefined {
	if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
	const parts = specifier.split("/");
	return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
