import { createHash } from "node:crypto";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { rolldown } from "rolldown";
import type { BundleFile } from "./bundle.ts";
import { listFiles } from "./files.ts";
import { collectLicenses } from "./licenses.ts";

/** What the dashboard is made of, beside its own folder: a change makes it anew. */
const made_from = ["tools/lib/dashboard.ts", "package-lock.json"];

/** Says which sources the built files are from. */
const stamp_name = "stamp.txt";

/**
 * Builds `root`/src/dashboard into `root`/dist/dashboard: a page, one script and one style sheet,
 * the latter two named after their content, each with a compressed twin. Nothing is done when the
 * files there are from the same sources. Returns what it made, or nothing.
 */
export async function buildDashboard(root: string): Promise<BundleFile[]> {
	const source = join(root, "src", "dashboard");
	if (!existsSync(join(source, "main.tsx"))) return [];
	const out = join(root, "dist", "dashboard");
	const stamp = stampOf(root);
	const stamp_path = join(out, stamp_name);
	if (existsSync(stamp_path) && readFileSync(stamp_path, "utf8") === stamp) return [];
	mkdirSync(join(root, "dist"), { recursive: true });
	const stage = mkdtempSync(join(root, "dist", "dashboard-"));
	try {
		const { code, licenses } = await bundleScript(root, source);
		const style = readFileSync(join(source, "style.css"), "utf8").replaceAll(
			/\/\*[^]*?\*\/|^\s+/gm,
			"",
		);
		const script = put(stage, "app", "js", code);
		const sheet = put(stage, "style", "css", style);
		const page = readFileSync(join(source, "index.html"), "utf8")
			.replace("{{script}}", script)
			.replace("{{style}}", sheet);
		writeFileSync(join(stage, "index.html"), page);
		writeFileSync(join(stage, "THIRD-PARTY-LICENSES.txt"), licenses);
		writeFileSync(join(stage, stamp_name), stamp);
		rmSync(out, { recursive: true, force: true });
		chmodSync(stage, 0o755);
		renameSync(stage, out);
	} catch (error) {
		rmSync(stage, { recursive: true, force: true });
		// Another build may have been quicker; then the files are there.
		if (existsSync(stamp_path) && readFileSync(stamp_path, "utf8") === stamp) return [];
		throw error;
	}
	return listFiles(out).map((name) => ({ name, bytes: readFileSync(join(out, name)).length }));
}

async function bundleScript(root: string, source: string) {
	const bundle = await rolldown({
		cwd: root,
		input: join(source, "main.tsx"),
		platform: "browser",
		transform: { target: "es2022" },
		onLog(level, log, handle) {
			if (level === "warn") throw new Error(`the dashboard would be incomplete: ${log.message}`);
			handle(level, log);
		},
	});
	const { output } = await bundle.generate({ format: "esm", minify: true });
	await bundle.close();
	const [chunk, ...others] = output;
	if (chunk?.type !== "chunk" || others.length > 0) throw new Error("one script was expected");
	return { code: chunk.code, licenses: collectLicenses(chunk.moduleIds) };
}

/** Writes a file under a name that says what is in it, and its compressed twin beside it. */
function put(folder: string, name: string, ending: string, content: string): string {
	const bytes = Buffer.from(content);
	const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
	const file = `${name}-${digest}.${ending}`;
	writeFileSync(join(folder, file), bytes);
	const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
	writeFileSync(join(folder, `${file}.br`), brotliCompressSync(bytes, { params }));
	return basename(file);
}

function stampOf(root: string): string {
	const hash = createHash("sha256");
	const own = listFiles(join(root, "src", "dashboard")).filter((file) => !/\.test\./.test(file));
	for (const file of [...own.map((name) => `src/dashboard/${name}`), ...made_from]) {
		if (!existsSync(join(root, file))) continue;
		hash.update(`${file}\n`).update(readFileSync(join(root, file)));
	}
	return hash.digest("hex");
}
