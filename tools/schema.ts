/**
 * Writes what is generated from the schema of moorage.yaml: the JSON Schema for editors and
 * the table in docs/configuration.md; the schema of the call log; and the table of the admin API
 * that the dashboard calls. `--check` only says whether they are up to date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { call_line_schema } from "../src/admin/contracts/evidence.ts";
import { operations } from "../src/admin/operations.ts";
import { moorageJsonSchemaText } from "../src/config/json-schema.ts";
import { referenceTable } from "../src/config/reference.ts";

const docs = join(import.meta.dirname, "..", "docs");
const marks = ["<!-- reference: written by tools/schema.ts -->", "<!-- end of reference -->"];

async function generated(): Promise<Map<string, string>> {
	const page = join(docs, "configuration.md");
	const text = await readFile(page, "utf8");
	const [start, end] = marks.map((mark) => text.indexOf(mark));
	if (start === undefined || end === undefined || start < 0 || end < start) {
		throw new Error(`${page} has lost the marks around its reference.`);
	}
	const head = text.slice(0, start);
	const tail = text.slice(end);
	return new Map([
		[join(docs, "..", "src", "dashboard", "lib", "operations.ts"), clientTable()],
		[join(docs, "moorage.schema.json"), moorageJsonSchemaText()],
		[join(docs, "call-log.schema.json"), callLogSchemaText()],
		[page, `${head}${marks[0]}\n\n${referenceTable()}\n\n${tail}`],
	]);
}

/** Where each operation of the admin API is, for the client of the dashboard. */
function clientTable(): string {
	const rows = Object.entries(operations).map(
		([id, { method, path }]) => `\t${id}: { method: "${method}", path: "${path}" },`,
	);
	return [
		'import type { OperationId } from "../../admin/operations.ts";',
		"",
		"/** Every operation of the admin API. Written by tools/schema.ts from its contract. */",
		"export const operations: Readonly<Record<OperationId, { method: string; path: string }>> = {",
		...rows,
		"};",
		"",
	].join("\n");
}

/** The JSON Schema of one line of the call log. */
function callLogSchemaText(): string {
	const line = z.strictObject(call_line_schema.shape).meta({
		title: "A line of Moorage's call log",
		description:
			"One call, or a request that was answered before it became one. Every member is in every line; what does not apply is null.",
	});
	return `${JSON.stringify(z.toJSONSchema(line), undefined, "\t")}\n`;
}

const check = process.argv.includes("--check");
for (const [path, wanted] of await generated()) {
	const current = await readFile(path, "utf8").catch(() => "");
	if (current === wanted) continue;
	if (check) {
		process.stderr.write(`${path} is out of date: run \`node tools/schema.ts\`.\n`);
		process.exitCode = 1;
	} else await writeFile(path, wanted);
}
