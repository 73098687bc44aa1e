// @ts-check
/** Runs the program in this process, whose Node is new enough: the source, or the bundle. */
import { existsSync } from "node:fs";
import * as module from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ProvisionError } from "./npm-ci.mjs";
import { isCheckout, package_root, toolsFolder } from "./places.mjs";

const main = isCheckout(package_root)
	? join(package_root, "src", "cli", "main.ts")
	: join(package_root, "dist", "main.js");
if (!existsSync(main)) {
	throw new ProvisionError(`${main} is missing; install moorage again`);
}
// Compiled code is kept between starts.
module.enableCompileCache?.(
	join(toolsFolder(package_root, process.env, process.platform), "compiled"),
);
await import(pathToFileURL(main).href);
