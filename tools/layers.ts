import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { listFiles } from "./lib/files.ts";
import type { Problem } from "./lib/problem.ts";
import { findReferences, isCode, parseSource, type Reference } from "./lib/source.ts";

/**
 * The rooms of src/, lowest layer first. A room imports from lower layers only; rooms of the same
 * layer do not know each other. This table is the only place that says so.
 */
export const layers: readonly (readonly string[])[] = [
	["lib"],
	["secrets"],
	["config", "protocol", "wire"],
	["store", "telemetry"],
	["upstreams", "identity", "backup"],
	["policy", "approvals", "audit", "calls", "alerts"],
	["hosting", "catalog", "sessions"],
	["gateway", "login", "releases", "trust", "evals"],
	["admin", "dashboard"],
	["daemon"],
	["cli"],
];

/**
 * The dashboard runs in a browser: of the other rooms it may take only the types of the API that
 * it calls.
 */
const dashboard_takes = ["src/admin/contract.ts", "src/admin/operations.ts"];

const layer_of = new Map(layers.flatMap((rooms, layer) => rooms.map((room) => [room, layer])));

/** Whether a file is a test, or only there for tests. */
export function isTest(file: string): boolean {
	return /\.test\.tsx?$/.test(file) || /^test\//.test(file);
}

/** Every import below `root`/src that goes up, sideways, or out of the house. */
export function checkLayers(root: string): Problem[] {
	const files = listFiles(root).filter((file) => file.startsWith("src/"));
	return files.flatMap((file) => {
		const misplaced = checkPlace(file);
		if (misplaced !== undefined) return [{ file, line: 1, message: misplaced }];
		if (!isCode(file) || isTest(file)) return [];
		const references = findReferences(parseSource(file, readFileSync(join(root, file), "utf8")));
		return references.flatMap((reference) => {
			const message = judge(file, reference);
			return message === undefined ? [] : [{ file, line: reference.line, message }];
		});
	});
}

function checkPlace(file: string): string | undefined {
	const room = roomOf(file);
	if (room === undefined) return "Put this file into a room; src/ itself holds only folders.";
	if (layer_of.has(room)) return undefined;
	return `There is no room "${room}". Add it to the table in tools/layers.ts, in its layer.`;
}

function judge(file: string, { specifier, is_type }: Reference): string | undefined {
	if (!specifier.startsWith(".")) return undefined;
	const target = posix.join(posix.dirname(file), specifier);
	if (isTest(target)) return `Source does not import tests (${specifier}).`;
	if (target === "package.json") return undefined;
	const [from, to] = [roomOf(file), roomOf(target)];
	if (from === undefined || to === undefined) return `${specifier} is outside src/.`;
	if (from === to) return undefined;
	if (from === "dashboard") {
		if (dashboard_takes.includes(target) && is_type) return undefined;
		return `The dashboard takes only types, and only from ${dashboard_takes.join(" and ")}.`;
	}
	const [from_layer, to_layer] = [layer_of.get(from), layer_of.get(to)];
	if (from_layer === undefined || to_layer === undefined) return `${specifier} is in no room.`;
	if (to_layer < from_layer) return undefined;
	if (to_layer === from_layer) {
		return `${from}/ and ${to}/ are on the same layer and do not import each other.`;
	}
	return `${from}/ is below ${to}/ and does not import from it.`;
}

/** The folder below src/ that holds a file, or undefined outside src/ and directly in it. */
function roomOf(file: string): string | undefined {
	const parts = file.split("/");
	return parts[0] === "src" && parts.length > 2 ? parts[1] : undefined;
}
