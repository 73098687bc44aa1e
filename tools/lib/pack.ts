import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** What only the repository needs: the bundle holds the dependencies, and has no scripts to run. */
const fields_dropped = ["scripts", "dependencies", "devDependencies"];

/**
 * Packs the publishable archive into the folder `out` and returns its path. It holds bin/, the
 * bundle in dist/ and the documents, and depends on nothing.
 */
export async function packPackage(root: string, out: string): Promise<string> {
	const stage = mkdtempSync(join(tmpdir(), "moorage-pack-"));
	try {
		const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
			name: string;
			version: string;
			files: string[];
			[field: string]: unknown;
		};
		for (const file of manifest.files) {
			if (!existsSync(join(root, file)))
				throw new Error(`${file} is missing, so nothing is packed`);
			cpSync(join(root, file), join(stage, file), { recursive: true });
		}
		for (const field of fields_dropped) delete manifest[field];
		// The launcher runs on any of these, and provides the Node that the program needs.
		manifest["engines"] = { node: ">=18" };
		writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, undefined, "\t")}\n`);
		mkdirSync(out, { recursive: true });
		const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", out];
		const { code, output } = await runProgram("npm", args, { cwd: stage });
		if (code !== 0) throw new Error(`npm pack failed: ${output}`);
		return join(out, `${manifest.name}-${manifest.version}.tgz`);
	} finally {
		rmSync(stage, { recursive: true, force: true });
	}
}
