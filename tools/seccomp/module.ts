import type { Architecture } from "./filter.ts";
import { makeAttributesFilter, makeDoorFilter, makeFilter } from "./filter.ts";

const line_length = 88;
const architectures: readonly Architecture[] = ["x64", "arm64"];

/** The text of the module with the filters as bytes. */
export function filtersModule(): string {
	return [
		"/**",
		" * The system call filter of a sandbox for each architecture: a program of classic BPF, in",
		" * base64. Written by tools/seccomp.ts from the list in tools/seccomp/syscalls.ts.",
		" */",
		"export const seccomp_filters: Readonly<Record<string, string>> = {",
		...architectures.map((name) => entry(name, makeFilter(name), "\t")),
		"};",
		"",
		"/** What is laid over it where Landlock does without namespaces. */",
		"export interface LandlockFilters {",
		"\t/** No socket leads anywhere. */",
		"\treadonly closed: string;",
		"\t/** TCP only, for Landlock to hold to the proxy's port. */",
		"\treadonly proxied: string;",
		"\t/** TCP and UDP as the machine has them. */",
		"\treadonly open: string;",
		"\t/** Keeps modes, owners and attributes of files by path as they are. */",
		"\treadonly attributes: string;",
		"}",
		"",
		"/** The filters beside Landlock for each architecture, in the same form. */",
		"export const landlock_filters: Readonly<Record<string, LandlockFilters>> = {",
		...architectures.flatMap((name) => [
			`\t${name}: {`,
			entry("closed", makeDoorFilter(name, "closed"), "\t\t"),
			entry("proxied", makeDoorFilter(name, "proxied"), "\t\t"),
			entry("open", makeDoorFilter(name, "open"), "\t\t"),
			entry("attributes", makeAttributesFilter(name), "\t\t"),
			"\t},",
		]),
		"};",
		"",
	].join("\n");
}

function entry(name: string, filter: Buffer, indent: string): string {
	const text = filter.toString("base64");
	const lines = text.match(new RegExp(`.{1,${line_length}}`, "g")) ?? [];
	const parts = lines.map((line) => `${indent}\t"${line}"`).join(" +\n");
	return `${indent}${name}:\n${parts},`;
}
