import { makeFilter } from "./filter.ts";

const line_length = 88;

/** The text of the module with the filters as bytes. */
export function filtersModule(): string {
	const filters = (["x64", "arm64"] as const).map((architecture) => {
		const text = makeFilter(architecture).toString("base64");
		const lines = text.match(new RegExp(`.{1,${line_length}}`, "g")) ?? [];
		const parts = lines.map((line) => `\t\t"${line}"`).join(" +\n");
		return `\t${architecture}:\n${parts},\n`;
	});
	return [
		"/**",
		" * The system call filter of a sandbox for each architecture: a program of classic BPF, in",
		" * base64. Written by tools/seccomp.ts from the list in tools/seccomp/syscalls.ts.",
		" */",
		"export const seccomp_filters: Readonly<Record<string, string>> = {",
		`${filters.join("")}};`,
		"",
	].join("\n");
}
