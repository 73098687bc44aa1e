import type { ItemKind } from "../../admin/contract.ts";
import { type Command, defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { type ItemLists, readItemLists, type ServerItems } from "../item-lists.ts";
import { firstLine, type Output } from "../output.ts";
import { withProgress } from "../progress.ts";

type Json = Readonly<Record<string, unknown>>;

/** A row without its server: the name, and what it is. */
type Row = readonly [string, string];

/** `moorage tools` */
export const tools_command = itemsCommand({
	kind: "tools",
	summary: "what tools there are",
	head: ["TOOL", "WHAT IT DOES"],
	example: "moorage tools github",
	rows: ({ items }) => items.map((item) => row(item, "name", "description", "title")),
});

/** `moorage resources` */
export const resources_command = itemsCommand({
	kind: "resources",
	summary: "what resources and resource templates there are",
	head: ["RESOURCE", "WHAT IT IS"],
	example: "moorage resources files",
	rows: ({ items, templates }) => [
		...items.map((item) => row(item, "uri", "description", "title", "name")),
		...templates.map((item) => row(item, "uriTemplate", "description", "title", "name")),
	],
});

/** `moorage prompts` */
export const prompts_command = itemsCommand({
	kind: "prompts",
	summary: "what prompts there are",
	head: ["PROMPT", "WHAT IT IS FOR"],
	example: "moorage prompts everything",
	rows: ({ items }) => items.map((item) => row(item, "name", "description", "title")),
});

interface ItemsSpec {
	readonly kind: ItemKind;
	readonly summary: string;
	readonly head: Row;
	readonly example: string;
	rows(list: ServerItems): Row[];
}

function itemsCommand(spec: ItemsSpec): Command {
	const { kind } = spec;
	return defineCommand({
		name: kind,
		summary: spec.summary,
		description:
			`Lists the ${kind} of one server or of all servers. While no gateway runs, what the ` +
			"servers offered last is shown.",
		args: { server: { description: "name of the server (default: all)", kind: "optional" } },
		options: {},
		examples: [
			{ line: `moorage ${kind}`, meaning: "of all servers" },
			{ line: spec.example, meaning: "of one server" },
			{ line: `moorage ${kind} --json`, meaning: "everything the servers say of them" },
		],
		async run({ args, options }, context) {
			const reading = readItemLists(kind, args.server, options.data, context);
			const lists = await withProgress(context, `Asking for ${kind}`, reading);
			if (options.json) printJson(lists, args.server !== undefined, context.output);
			else printTable(spec, lists, args.server !== undefined, context.output);
			return exit_codes.ok;
		},
	});
}

function printJson(lists: ItemLists, single: boolean, output: Output): void {
	const [first] = lists.lists;
	if (single && first !== undefined) {
		output.raw(first.text);
		return;
	}
	const texts = lists.lists.map((list) => list.text).join(",");
	output.raw(`{"servers":[${texts}],"absent":${JSON.stringify(lists.absent)}}`);
}

function printTable(spec: ItemsSpec, lists: ItemLists, single: boolean, output: Output): void {
	if (!lists.running) output.note("No gateway runs; this is what the servers offered last.");
	const rows = lists.lists.flatMap((list) =>
		spec.rows(list).map((one) => (single ? [...one] : [list.server, ...one])),
	);
	if (rows.length === 0) output.line(`There are no ${spec.kind}.`);
	else output.table(single ? spec.head : ["SERVER", ...spec.head], rows, { cut: true });
	for (const { server, message } of lists.absent) output.note(`${server}: ${message}`);
}

/** The name of an item and the first of the given members that says something. */
function row(item: unknown, name: string, ...texts: readonly string[]): Row {
	const members = (item ?? {}) as Json;
	const text = texts
		.map((key) => members[key])
		.find((value): value is string => typeof value === "string");
	return [firstLine(String(members[name])), firstLine(text ?? "")];
}
