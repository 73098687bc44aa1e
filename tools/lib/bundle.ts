import assert from "node:assert/strict";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { type OutputChunk, type Plugin, rolldown } from "rolldown";
import { collectLicenses } from "./licenses.ts";
import { replaceFiles } from "./replace-files.ts";

/** What packages ask for without needing it: `debug` takes colours where there are any. */
const left_out: readonly string[] = ["supports-color"];

/** Evaluates a text of its own making, to give functions their former names and lengths. */
const harmless_eval = /node_modules\/depd\/index\.js/;

/** One file of a bundle. */
export interface BundleFile {
	readonly name: string;
	readonly bytes: number;
}

/** An address of a neighbouring module, as source writes it and the bundle follows it. */
const module_url = /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/**
 * Bundles `root`/src/cli/main.ts with its dependencies into the folder `out`, so that a plain Node
 * runs it. Every module that source starts as a process or worker of its own, written as
 * `new URL("./name.ts", import.meta.url)`, becomes a file of the bundle too. Throws when the bundle
 * would need anything but Node.
 */
export async function makeBundle(root: string, out: string): Promise<BundleFile[]> {
	const bundle = await rolldown({
		cwd: root,
		input: { main: join(root, "src", "cli", "main.ts") },
		platform: "node",
		// Of a package that has both forms, the one that can be bundled.
		resolve: { mainFields: ["module", "main"] },
		plugins: [leaveOut(left_out), followModuleUrls(root)],
		onLog(level, log, handle) {
			const harmless = log.code === "EVAL" && harmless_eval.test(log.id ?? log.message);
			assert(level !== "warn" || harmless, `the bundle would be incomplete: ${log.message}`);
			handle(level, log);
		},
	});
	const { output } = await bundle.generate({
		format: "esm",
		entryFileNames: "[name].js",
		chunkFileNames: "chunk-[hash].js",
		// Node keeps the text of a program as long as it runs.
		comments: { legal: true, annotation: false, jsdoc: false },
	});
	await bundle.close();
	const chunks = output.filter((file) => file.type === "chunk");
	for (const chunk of chunks) assertComplete(chunk);
	const modules = chunks.flatMap((chunk) => chunk.moduleIds);
	const files = new Map(
		output.map((file) => [file.fileName, file.type === "chunk" ? inAscii(file.code) : file.source]),
	);
	files.set("THIRD-PARTY-LICENSES.txt", collectLicenses(modules));
	replaceFiles(out, files);
	return output.map(({ fileName }) => ({
		name: fileName,
		bytes: Buffer.byteLength(files.get(fileName) ?? ""),
	}));
}

/**
 * The same program in half of the memory: V8 keeps a text with a single character beyond Latin-1 at
 * two bytes a character. Such characters stand in strings, templates and patterns alone, which can
 * all have them as escapes; a raw template could not.
 */
export function inAscii(code: string): string {
	const raw = /String\.raw\s*`[^`]*[^\0-\x7f]/.exec(code);
	assert(raw === null, `a raw template has a character beyond ASCII: ${raw?.[0]}`);
	return code.replaceAll(/[^\0-\x7f]/g, (unit) => {
		return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
	});
}

/** A bundled file may load Node's own modules and other files of the bundle, nothing else. */
function assertComplete(chunk: OutputChunk): void {
	const required = [...chunk.code.matchAll(/\b__require\("([^"]+)"\)/g)].map(([, name]) => name);
	const imported = [...chunk.imports, ...chunk.dynamicImports];
	for (const name of [...required, ...imported]) {
		const is_bundled = name?.startsWith("chunk-") || name?.endsWith(".js");
		assert(is_bundled || isBuiltin(name ?? ""), `${chunk.fileName} needs ${name} at run time`);
	}
}

/** Puts an empty module in the place of packages that nobody has installed. */
function leaveOut(names: readonly string[]): Plugin {
	const prefix = "\0left-out:";
	return {
		name: "leave-out",
		resolveId: (name) => (names.includes(name) ? prefix + name : null),
		load: (id) => (id.startsWith(prefix) ? "module.exports = undefined;" : null),
	};
}

/**
 * Makes every module that is addressed by its URL an entry of its own, and points the address at
 * the file that entry becomes. All files of the bundle are in one folder.
 */
function followModuleUrls(root: string): Plugin {
	return {
		name: "follow-module-urls",
		transform(code, id) {
			if (!id.endsWith(".ts")) return null;
			return code.replaceAll(module_url, (_whole, path: string) => {
				const module = resolve(dirname(id), path);
				const name = entryName(root, module);
				this.emitFile({ type: "chunk", id: module, fileName: name });
				return `new URL("./${name}", import.meta.url)`;
			});
		},
	};
}

/** src/hosting/process/watcher.ts becomes hosting-process-watcher.js. */
function entryName(root: string, module: string): string {
	const path = relative(join(root, "src"), module);
	return path.replaceAll(/[/\\]/g, "-").replace(/\.ts$/, ".js");
}
