/** A package of a registry, as npm and its relatives write it: `@scope/name@range`. */
export interface NpmSpec {
	/** The folder it gets under `node_modules`. */
	readonly name: string;
	/** Version, range, tag or alias; undefined for the latest. */
	readonly range: string | undefined;
}

/** What a word in the place of a package can be. */
export type NpmSpecKind =
	| { readonly kind: "registry"; readonly spec: NpmSpec }
	/** A repository or an address; the word says which. */
	| { readonly kind: "remote"; readonly what: "a git address" | "a web address" }
	/** A folder or file on this machine. */
	| { readonly kind: "local" }
	| { readonly kind: "invalid" };

/** Names a package may have: what registries accept, old capital letters included. */
const name_pattern = /^(?:@[\w~-][\w.~-]*\/)?(?!-)[\w~-][\w.~-]*$/u;
/** Versions, ranges and tags; no protocols, no control characters, nothing like a flag. */
const range_pattern = /^[^-\s:\p{Cc}][^:\p{Cc}]*$/u;
const spec_length_max = 300;

/** Tells what kind of thing a word names, by the rules of npm-package-arg. */
export function parseNpmSpec(text: string): NpmSpecKind {
	if (text === "" || text.length > spec_length_max) {
		return { kind: "invalid" };
	}
	if (/^git@[^:/\s]+:/u.test(text)) {
		return git;
	}
	const at = text.indexOf("@", 1);
	const name = at === -1 ? text : text.slice(0, at);
	const range = at === -1 ? undefined : text.slice(at + 1);
	if (!name_pattern.test(name)) {
		return placeOf(text) ?? { kind: "invalid" };
	}
	if (range === undefined || range === "") {
		return isArchive(name) ? { kind: "local" } : registry(name, undefined);
	}
	if (range.startsWith("npm:")) {
		const target = parseNpmSpec(range.slice(4));
		return target.kind === "registry" ? registry(name, range) : target;
	}
	return (
		placeOf(range) ?? (range_pattern.test(range) ? registry(name, range) : { kind: "invalid" })
	);
}

function registry(name: string, range: string | undefined): NpmSpecKind {
	return { kind: "registry", spec: { name, range } };
}

/** Kinds of places outside a registry; undefined when the text names none. */
function placeOf(text: string): NpmSpecKind | undefined {
	if (/^(?:\.{0,2}\/|\.{1,2}$|~\/|file:|[A-Za-z]:[\\/])/u.test(text) || isArchive(text)) {
		return /^https?:/iu.test(text) ? web : { kind: "local" };
	}
	if (/^(?:git(?:\+\w+)?:|ssh:|github:|gitlab:|bitbucket:|gist:|git@[^:/\s]+:)/iu.test(text)) {
		return git;
	}
	if (/^https?:/iu.test(text)) {
		return /\.git(?:#|$)/u.test(text) ? git : web;
	}
	// user/repository, npm's short form for GitHub.
	return /^[^@/\s:]+\/[^/\s:]+$/u.test(text) ? git : undefined;
}

const git: NpmSpecKind = { kind: "remote", what: "a git address" };
const web: NpmSpecKind = { kind: "remote", what: "a web address" };

function isArchive(text: string): boolean {
	return /\.(?:tgz|tar|tar\.gz)$/iu.test(text);
}
