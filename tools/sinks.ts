import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Plumbing, plumbing, type Sink, sinks } from "../src/telemetry/sinks.ts";
import { isTest } from "./layers.ts";
import { listFiles } from "./lib/files.ts";
import type { Problem } from "./lib/problem.ts";
import { findReferences, isCode, isNode, type Node, parseSource, walk } from "./lib/source.ts";

const registry = "src/telemetry/sinks.ts";
const redactor = "src/secrets/redactor.ts";

/**
 * What of a module lets something out of the process, by the beginnings of names; an empty list
 * means all of it. What is loaded with `import()` counts as all of the module.
 */
const ways_out: Readonly<Record<string, readonly string[]>> = {
	"node:fs": ["append", "copyFile", "cp", "createWriteStream", "open", "promises", "write"],
	"node:fs/promises": ["append", "copyFile", "cp", "open", "write"],
	"node:http": ["createServer", "request", "get", "ServerResponse"],
	"node:https": [],
	"node:http2": [],
	"node:net": ["connect", "createConnection", "createServer", "Socket"],
	"node:tls": [],
	"node:dgram": [],
	"node:child_process": [],
	"node:worker_threads": ["BroadcastChannel", "Worker"],
	"node:process": [],
	"node:console": [],
	"node:inspector": [],
	"node:inspector/promises": [],
	"node:repl": [],
	"node:tty": ["WriteStream"],
	"node:module": ["createRequire"],
	"node:v8": [
		"getHeapSnapshot",
		"setHeapSnapshotNearHeapLimit",
		"takeCoverage",
		"writeHeapSnapshot",
	],
	"node:sqlite": ["DatabaseSync", "backup"],
	undici: [],
	nodemailer: [],
	pino: [],
	"../lib/guarded-fetch.ts": [],
	"../lib/http-agent.ts": [],
	"../lib/http-client.ts": [],
	"../lib/node-http.ts": [],
};

/** Modules of ours among them, which every room imports by a path of its own. */
const own_ways_out = ["guarded-fetch.ts", "http-agent.ts", "http-client.ts", "node-http.ts"];

/** Globals that let something out, called, made or handed on. */
const global_ways_out = ["console", "fetch", "WebSocket", "EventSource", "BroadcastChannel"];

/** Members of `process` that do. */
const process_ways_out = [
	...["stdout", "stderr", "report", "send", "emitWarning"],
	...["getBuiltinModule", "binding", "dlopen", "_rawDebug"],
];

/** What the check goes by; the registry itself unless a test has one of its own. */
export interface Registry {
	readonly sinks: readonly Sink[];
	readonly plumbing: readonly Plumbing[];
}

/** Files of `root`/src that write and are in no entry of the registry, and entries of no file. */
export function checkSinks(root: string, entries: Registry = { sinks, plumbing }): Problem[] {
	const writers = listFiles(root).filter((file) => {
		if (!file.startsWith("src/") || isTest(file) || !isCode(file)) return false;
		// A declaration runs nothing.
		if (file.endsWith(".d.ts")) return false;
		// The dashboard runs in a browser, and writes nowhere but into its page.
		if (file.startsWith("src/dashboard/") || file === registry) return false;
		return writes(file, readFileSync(join(root, file), "utf8"));
	});
	const named = [...entries.sinks, ...entries.plumbing].flatMap(({ files }) => files);
	const unknown = writers.filter((file) => !named.includes(file));
	const stale = named.filter((file) => !writers.includes(file));
	return [
		...unknown.map((file) => ({
			file,
			line: 1,
			message: `It writes, but is in no sink: name it in ${registry}, and keep secrets out.`,
		})),
		...stale.map((file) => ({
			file: registry,
			line: 1,
			message: `${file} does not write, or is not there: name single files that do.`,
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
	walk(program, (node, { parent, field }) => {
		found ||= importsWayOut(node) || takesFromProcess(node) || takesGlobal(node, parent, field);
	});
	return found;
}

function importsWayOut(node: Node): boolean {
	if (node.type === "ImportExpression") return isWayOut(node["source"], ["*"]);
	if (node.type === "ExportAllDeclaration") return isWayOut(node["source"], ["*"]);
	const is_import = node.type === "ImportDeclaration";
	if (!is_import && node.type !== "ExportNamedDeclaration") return false;
	const specifiers = node["specifiers"] as Node[];
	const names = specifiers.map((one) => {
		const name = one[is_import ? "imported" : "local"];
		return isNode(name) ? String(name["name"] ?? name["value"]) : "*";
	});
	const is_type = node["importKind"] === "type" || node["exportKind"] === "type";
	return isWayOut(node["source"], names, is_type);
}

/** Whether these names of a module let something out; "*" stands for all of it. */
function isWayOut(source: unknown, names: readonly string[], is_type = false): boolean {
	// A module whose name is made as the program runs may be any.
	if (isNode(source) && typeof source["value"] !== "string") return names.includes("*");
	const module = isNode(source) ? String(source["value"]) : "";
	if (module.startsWith("@opentelemetry/exporter") || module.startsWith("undici/")) return true;
	const own = own_ways_out.find((name) => module.endsWith(`/${name}`));
	const bare = own === undefined ? module : `../lib/${own}`;
	const key = Object.hasOwn(ways_out, `node:${bare}`) ? `node:${bare}` : bare;
	const ways = Object.hasOwn(ways_out, key) ? ways_out[key] : undefined;
	if (ways === undefined) return false;
	if (ways.length === 0) return !is_type;
	return names.some((name) => name === "*" || ways.some((way) => name.startsWith(way)));
}

/** `process.stdout` however it is written, and `const { stdout } = process`. */
function takesFromProcess(node: Node): boolean {
	if (node.type === "MemberExpression") {
		if (!isProcess(node["object"])) return false;
		const name = nameOf(node["property"], node["computed"] === true);
		return name === undefined || process_ways_out.includes(name);
	}
	if (node.type !== "VariableDeclarator") return false;
	const { id, init } = node;
	if (!isProcess(init)) return false;
	if (!isNode(id) || id.type !== "ObjectPattern") return true;
	return (id["properties"] as Node[]).some(({ type, key, computed }) => {
		const name = type === "Property" ? nameOf(key, computed === true) : undefined;
		return name === undefined || process_ways_out.includes(name);
	});
}

function isProcess(node: unknown): boolean {
	return isNamed(node, "process") || (isNode(node) && memberOfGlobal(node) === "process");
}

/** A global that is used, and not only the name of something else. */
function takesGlobal(node: Node, parent: Node | undefined, field: string): boolean {
	const member = memberOfGlobal(node);
	if (member !== undefined) return global_ways_out.includes(member);
	if (node.type !== "Identifier" || !global_ways_out.includes(String(node["name"]))) return false;
	if (parent === undefined) return false;
	if (field === "callee") return true;
	if (parent.type !== "MemberExpression" || field !== "object") return false;
	const used = nameOf(parent["property"], parent["computed"] === true) ?? "call";
	return node["name"] === "console" || ["apply", "bind", "call"].includes(used);
}

/** The name in `globalThis.name`, `globalThis["name"]` and `global.name`. */
function memberOfGlobal(node: Node): string | undefined {
	if (node.type !== "MemberExpression") return undefined;
	const { object } = node;
	if (!isNamed(object, "globalThis") && !isNamed(object, "global")) return undefined;
	return nameOf(node["property"], node["computed"] === true) ?? "console";
}

/** The name of a member; undefined where it is made as the program runs. */
function nameOf(property: unknown, is_computed: boolean): string | undefined {
	if (!isNode(property)) return undefined;
	if (!is_computed && property.type === "Identifier") return String(property["name"]);
	return typeof property["value"] === "string" ? property["value"] : undefined;
}

function isNamed(node: unknown, name: string): boolean {
	return isNode(node) && node.type === "Identifier" && node["name"] === name;
}
