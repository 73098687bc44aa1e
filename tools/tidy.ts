import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTest } from "./layers.ts";
import { listFiles } from "./lib/files.ts";
import type { Problem } from "./lib/problem.ts";
import { isCode, parseSource } from "./lib/source.ts";
import { checkExports, checkModulePlaces } from "./tidy/exports.ts";
import { checkGlobals } from "./tidy/globals.ts";
import { banned_texts, source_rules, test_rules } from "./tidy/rules.ts";
import {
	checkFileLength,
	checkFunctionLength,
	checkLineLength,
	checkName,
	type Finding,
} from "./tidy/shape.ts";

/** Written by npm, with its own idea of length and content. */
const generated = /(^|\/)package-lock\.json$/;

/** Files whose bytes are not text. */
const binary = /\.(png|ico|woff2|gz|tgz|db|bin|raw)$/;

/** The habits of the house that neither the compiler nor the linter knows. */
export function checkTidy(root: string): Problem[] {
	return listFiles(root)
		.filter((file) => !generated.test(file))
		.flatMap((file) => {
			const found = checkFile(file, () => readFileSync(join(root, file), "utf8"));
			return found.map((finding) => ({ file, ...finding }));
		});
}

function checkFile(file: string, read: () => string): Finding[] {
	if (binary.test(file)) return checkName(file);
	const text = read();
	const findings = [...checkName(file), ...checkTexts(text)];
	if (!isCode(file)) return findings;
	const source = parseSource(file, text);
	findings.push(...checkFileLength(text), ...checkLineLength(source));
	if (isTest(file)) return [...findings, ...checkGlobals(source, test_rules)];
	findings.push(...checkFunctionLength(source));
	if (!file.startsWith("src/")) return findings;
	return [
		...findings,
		...checkGlobals(source, source_rules),
		...checkExports(source),
		...checkModulePlaces(source),
	];
}

function checkTexts(text: string): Finding[] {
	return text.split("\n").flatMap((content, index) => {
		const banned = banned_texts.find(({ pattern }) => pattern.test(content));
		return banned === undefined ? [] : [{ line: index + 1, message: banned.message }];
	});
}
