import * as z from "zod";
import type { InputDraft } from "./draft.ts";
import { reportIssues } from "./issues.ts";
import { type Located, member, offsetOf, plainValue } from "./located.ts";
import type { Report } from "./report.ts";

/** The `inputs` of VS Code's mcp.json: questions that `${input:ID}` refers to. */

const option_schema = z.union([z.string(), z.looseObject({ value: z.string() })]);

const inputs_schema = z.array(
	z.looseObject({
		type: z.string(),
		id: z.string().min(1),
		description: z.string().optional(),
		default: z.string().optional(),
		password: z.boolean().optional(),
		options: z.array(option_schema).optional(),
	}),
);

/** Reads the declared inputs; their mistakes go to the report. */
export function readInputs(node: Located | undefined, report: Report): InputDraft[] {
	const list = member(node, "inputs")?.value;
	if (list === undefined) return [];
	const checked = inputs_schema.safeParse(plainValue(list));
	if (!checked.success) {
		const issues = checked.error.issues.map((issue) => ({
			...issue,
			path: ["inputs", ...issue.path],
		}));
		const root: Located = {
			kind: "map",
			start: list.start,
			entries: [{ key: "inputs", key_start: list.start, value: list }],
		};
		reportIssues(report, root, issues, () => []);
		return [];
	}
	const inputs = checked.data.map((input, index): InputDraft => {
		return {
			id: input.id,
			start: offsetOf(list, [index, "id"]),
			kind: kindOf(input.type),
			description: input.description ?? input.id,
			password: input.password ?? false,
			default_value: input.default,
			options: (input.options ?? []).map(optionValue),
		};
	});
	return inputs.filter((input, index) => {
		const twice = inputs.findIndex((other) => other.id === input.id) !== index;
		if (twice) {
			report.problem(
				input.start,
				`The input \`${input.id}\` is declared twice.`,
				"Remove one of them.",
			);
		}
		return !twice;
	});
}

function kindOf(type: string): InputDraft["kind"] {
	if (type === "promptString") return "text";
	return type === "pickString" ? "choice" : "unsupported";
}

function optionValue(option: z.output<typeof option_schema>): string {
	return typeof option === "string" ? option : option.value;
}
