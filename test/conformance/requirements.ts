import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parse } from "yaml";

/** The revisions whose frozen requirement sets the gateway is held against. */
export const revisions = ["2025-11-25", "2026-07-28"] as const;
export type Revision = (typeof revisions)[number];

/** Scenario names of one side of a requirement set. */
export interface ScenarioNames {
	/** What the revision requires. */
	readonly required: readonly string[];
	/** What is run without being required: extensions, and what came after the release. */
	readonly others: readonly string[];
}

interface RequirementsFile {
	readonly server: string[];
	readonly client: string[];
	readonly not_scored: { scenario: string; leg: "server" | "client" }[];
}

/** Folder of the installed suite. */
const suite_folder = dirname(
	createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json"),
);

/** The suite's program. */
export const suite_program = join(suite_folder, "dist", "index.js");

/** What a revision requires of a server or a client, as the suite itself has it on file. */
export function readRequirements(revision: Revision, side: "server" | "client"): ScenarioNames {
	const path = join(suite_folder, "requirements", `${revision}.yaml`);
	const file = parse(readFileSync(path, "utf8")) as RequirementsFile;
	const others = file.not_scored.filter(({ leg }) => leg === side);
	return { required: file[side], others: others.map(({ scenario }) => scenario) };
}
