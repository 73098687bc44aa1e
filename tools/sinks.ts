import { existsSync, readFileSync } from "node:fs";
import { join, matchesGlob, posix } from "node:path";
import { type Plumbing, plumbing, type Sink, sinks } from "../src/telemetry/sinks.ts";
import { isTest } from "./layers.ts";
import { listFiles } from "./lib/files.ts";
import type { Problem } from "./lib/problem.ts";
import { findReferences, isCode, isNode, type Node, parseSource, walk } from "./lib/source.ts";

const registry = "src/telemetry/sinks.ts";
const redactor = "src/secrets/redactor.ts";

/** What of a module lets something out of the process; an empty list means all of it. */
const ways_out: Readonly<Record<string, readonly string[]>> = {
	"node:fs": ["append", "createWriteStream", "open", "write"],
	"node:fs/promises": ["append", "open", "write"],
	"node:http": ["createServer", "request", "get", "ServerResponse"],
	"node:https": [],
	"node:http2": [],
	"node:net": ["connect", "createConnection", "createServer", "Socket"],
	"node:tls": [],
	"node:dgram": [],
	"node:sqlite": ["DatabaseSync", "backup"],
	undici: [],
	nodemailer: [],
	pino: [],
	"../lib/guarded-fetch.ts": [],
};

/** What the check goes by; the registry itself unless a test has one of its own. */
export interface Registry {
	readonly sinks: readonly Sink[];
	readonly plumbing: readonly Plumbing[];
}

/** Files of `root`/src that write and are in no entry of the registry, and entries of no file. */
export function checkSinks(root: string, entries: Registry = { sinks, plumbing }): Problem[] {
	const writers = listFiles(root).filter((file) => {
		if (!file.startsWith("src/") || isTest(file) || !isCode(file)) return false;
		// The dashboard runs in a browser, and writes nowhere but into its page.
		if (file.startsWith("src/dashboard/") || file === registry) return false;
		return writes(file, readFileSync(join(root, file), "utf8"));
	});
	const globs = [...entries.sinks, ...entries.plumbing].flatMap(({ files }) => files);
	const unknown = writers.filter((file) => !globs.some((glob) => matchesGlob(file, glob)));
	const stale = globs.filter((glob) => !writers.some((file) => matchesGlob(file, glob)));
	return [
		...unknown.map((file) => ({
			file,
			line: 1,
			message: `It writes, but is in no sink: name it in ${registry}, and keep secrets out.`,
		})),
		...stale.map((glob) => ({
			file: registry,
			line: 1,
			message: `Nothing that ${glob} names writes any more: remove it.`,
		})),
		...entries.sinks.flatMap((sink) => checkGuard(root, sink)),
	];
}

/** The file that is said to redact must be given a redactor. */
function checkGuard(root: string, { name, guard }: Sink): Problem[] {
	if (!("redacts" in guard)) return [];
	const file = guard.redacts;
	const found = existsSync(join(root, file)) && refersTo(root, file, redactor);
	if (found) return [];
	const message = `The sink "${name}" is said to be redacted by ${file}, which has no redactor.`;
	return [{ file: registry, line: 1, message }];
}

function refersTo(root: string, file: string, target: string): boolean {
	const source = parseSource(file, readFileSync(join(root, file), "utf8"));
	return findReferences(source).some(
		({ specifier }) => posix.join(posix.dirname(file), specifier) === target,
	);
}

/** Whether a file takes hold of anything that lets something out of the process. */
export function writes(file: string, text: string): boolean {
	const { program } = parseSource(file, text);
	let found = false;
	walk(program, (node) => {
		if (node.type === "ImportDeclaration") found ||= importsWayOut(node);
		if (node.type === "MemberExpression") found ||= isStandardStream(node);
		if (node.type === "VariableDeclarator") found ||= takesStandardStream(node);
		if (node.type === "CallExpression") found ||= isNamed(node["callee"], "fetch");
	});
	return found;
}

function importsWayOut(node: Node): boolean {
	const module = isNode(node["source"]) ? String(node["source"]["value"]) : "";
	if (module.startsWith("@opentelemetry/exporter")) return true;
	const key = module.endsWith("/lib/guarded-fetch.ts") ? "../lib/guarded-fetch.ts" : module;
	const names = Object.hasOwn(ways_out, key) ? ways_out[key] : undefined;
	if (names === undefined) return false;
	const specifiers = (node["specifiers"] as Node[]).map((one) =>
		isNode(one["imported"]) ? String(one["imported"]["name"]) : "*",
	);
	if (names.length === 0) return node["importKind"] !== "type";
	return specifiers.some(
		(name) => name === "*" || names.some((way) => name === way || name.startsWith(way)),
	);
}

/** `process.stdout` and `process.stderr`. */
function isStandardStream(node: Node): boolean {
	if (!isNamed(node["object"], "process")) return false;
	return isNamed(node["property"], "stdout") || isNamed(node["property"], "stderr");
}

/** `const { stdout } = process`. */
function takesStandardStream({ id, init }: Node): boolean {
	if (!isNamed(init, "process") || !isNode(id) || id.type !== "ObjectPattern") return false;
	return (id["properties"] as Node[]).some(
		({ key }) => isNamed(key, "stdout") || isNamed(key, "stderr"),
	);
}

function isNamed(node: unknown, name: string): boolean {
	return isNode(node) && node.type === "Identifier" && node["name"] === name;
}
