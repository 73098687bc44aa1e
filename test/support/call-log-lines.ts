import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { LoggedCall } from "../../src/admin/evidence-backend.ts";
import { repository_root } from "../../tools/lib/paths.ts";

const schema_path = join(repository_root, "docs", "call-log.schema.json");
const schema = JSON.parse(readFileSync(schema_path, "utf8")) as object;
const isLine = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

/** Everything that the call log of a gateway's folder has, each line held against the schema. */
export function callLogLines(folder: string): LoggedCall[] {
	const calls = join(folder, ".moorage", "calls");
	const names = readdirSync(calls).filter((name) => name.endsWith(".ndjson"));
	const texts = names.flatMap((name) => readFileSync(join(calls, name), "utf8").split("\n"));
	const lines = texts.filter((text) => text !== "").map((text) => JSON.parse(text) as LoggedCall);
	for (const line of lines) {
		assert.ok(isLine(line), `${JSON.stringify(line)} ${JSON.stringify(isLine.errors)}`);
	}
	return lines;
}
