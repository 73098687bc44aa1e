import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The licence texts of every package that has a module in the bundle, as their licences ask of
 * whoever passes their code on.
 */
export function collectLicenses(modules: readonly string[]): string {
	const packages = new Set(modules.flatMap((module) => packageFolder(module) ?? []));
	assert(packages.size > 0, "a bundle has modules of packages");
	const notices = [...packages].sort().map((folder) => {
		const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
			name: string;
			version: string;
			license?: string;
		};
		const title = `${manifest.name} ${manifest.version} (${manifest.license ?? "see below"})`;
		return `${title}\n\n${licenseText(folder)}`;
	});
	return `Moorage contains these packages.\n\n${notices.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** The folder of the package that holds a module, or undefined for modules of our own. */
function packageFolder(module: string): string | undefined {
	const path = module.replaceAll("\\", "/");
	const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
	return found?.[1];
}

function licenseText(folder: string): string {
	const files = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name));
	return files.map((name) => `${readFileSync(join(folder, name), "utf8").trim()}\n`).join("\n");
}
