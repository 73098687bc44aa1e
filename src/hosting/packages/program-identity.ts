import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import type { ServerSpec, StdioSpec } from "../../config/plan.ts";
import { findProgram } from "../process/find-program.ts";
import type { PackageIdentity } from "../resolved.ts";

/** A script that is named in the arguments is read to this size; larger ones are only measured. */
const script_bytes_max = 8 * 1024 ** 2;
/** Arguments that are looked at; more than this names no program any more. */
const arguments_max = 32;

/**
 * What a command of the user's own is: the program it means, and the files named in its
 * arguments, because `node server.js` is more about the script than about Node. Undefined when
 * there is no such program (yet).
 */
export async function programIdentity(
	spec: StdioSpec,
	path: string | undefined,
): Promise<PackageIdentity | undefined> {
	const found = await findProgram(spec.command, { path: spec.env["PATH"] ?? path, cwd: spec.cwd });
	if (!found.ok) {
		return undefined;
	}
	const program = await realpath(found.value);
	const facts = [await describeProgram(program)];
	for (const argument of spec.args.slice(0, arguments_max)) {
		facts.push(await describeArgument(spec.cwd, argument));
	}
	return {
		kind: "program",
		name: program,
		version: undefined,
		integrity: undefined,
		digest: digestOf(facts.filter((fact) => fact !== "").join("\n")),
	};
}

/** What a server is that no program of this machine runs: it is known by its address. */
export function addressIdentity(spec: Exclude<ServerSpec, { driver: "stdio" }>): PackageIdentity {
	const kind = spec.driver === "http" ? "remote" : "image";
	const name = spec.driver === "http" ? directName(spec.url) : spec.image;
	const digest = digestOf(spec.driver === "http" ? spec.url : spec.image);
	return { kind, name, version: undefined, integrity: undefined, digest };
}

/** An address as far as it may be shown: no name and password, no query that may hold a key. */
function directName(address: string): string {
	const url = URL.canParse(address) ? new URL(address) : undefined;
	return url === undefined ? address : `${url.protocol}//${url.host}${url.pathname}`;
}

/** A program may be large; when it changes, its size or its time does. */
async function describeProgram(path: string): Promise<string> {
	const { size, mtimeMs } = await stat(path);
	return JSON.stringify(["program", path, size, Math.trunc(mtimeMs)]);
}

async function describeArgument(cwd: string, argument: string): Promise<string> {
	if (argument === "" || argument.startsWith("-") || /[\0\n]/u.test(argument)) {
		return "";
	}
	const path = isAbsolute(argument) ? argument : resolve(cwd, argument);
	try {
		const found = await stat(path);
		if (!found.isFile()) {
			return "";
		}
		const real = await realpath(path);
		return found.size > script_bytes_max
			? JSON.stringify(["file", real, found.size, Math.trunc(found.mtimeMs)])
			: JSON.stringify(["file", real, digestOf(await readFile(path))]);
	} catch {
		return "";
	}
}

function digestOf(content: string | Buffer): string {
	return `sha256-${createHash("sha256").update(content).digest("hex")}`;
}
