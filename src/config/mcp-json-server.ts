import * as z from "zod";
import { default_scope, default_start, default_timeouts, ranges } from "./defaults.ts";
import type { HttpDraft, ServerDraft, StdioDraft } from "./draft.ts";
import { reportIssues } from "./issues.ts";
import {
	type Located,
	type LocatedEntry,
	member,
	namedTexts,
	placedItems,
	placedMember,
	plainValue,
} from "./located.ts";
import { knownKeys } from "./moorage-form.ts";
import { readToolRules } from "./policy-form.ts";
import type { ToolRulePlan } from "./policy-plan.ts";
import type { Report } from "./report.ts";
import { client_running, type RunningPlan } from "./running.ts";
import { RunningReader, sandboxPaths } from "./running-form.ts";
import { tools_map_schema } from "./schema.ts";
import { running_schema } from "./schema-running.ts";
import { formatDuration } from "./units.ts";

const text_list = z.array(z.string());
const scalar = z.union([z.string(), z.number()]);

/** One server of a client file; keys beyond these are let through. */
const client_server_schema = z.looseObject({
	type: z.enum(["stdio", "local", "http", "streamable-http", "streamableHttp", "sse"]).optional(),
	command: z.string().optional(),
	args: z.array(scalar).optional(),
	env: z.record(z.string(), z.union([scalar, z.null()])).optional(),
	envFile: z.string().optional(),
	cwd: z.string().optional(),
	url: z.string().optional(),
	serverUrl: z.string().optional(),
	httpUrl: z.string().optional(),
	headers: z.record(z.string(), scalar).optional(),
	disabled: z.boolean().optional(),
	enabled: z.boolean().optional(),
	timeout: z.number().positive().optional(),
	disabledTools: text_list.optional(),
	includeTools: text_list.optional(),
	excludeTools: text_list.optional(),
	/** A list is another program's word, and left alone; what holds for single tools is ours. */
	tools: z.union([z.array(z.unknown()), tools_map_schema]).optional(),
	/** Ours: everything else a client file says about it would be another program's word. */
	sandbox: running_schema.shape.sandbox.removeDefault().optional(),
});
type ClientServer = z.output<typeof client_server_schema>;

/** Keys that matter to the client alone; not worth a warning. */
const client_only_keys: ReadonlySet<string> = new Set([
	"alwaysAllow",
	"autoApprove",
	"autoStart",
	"description",
	"dev",
	"gallery",
	"icon",
	"name",
	"title",
	"trust",
	"version",
]);

/** Unknown keys named in one warning. */
const ignored_shown_max = 6;

/** `timeout` below this is in seconds, as some clients write it; others mean milliseconds. */
const timeout_ms_min = 1000;

/** A server of a client file, and what is said of its tools. */
export interface ClientServerDraft {
	readonly draft: ServerDraft;
	readonly tools: readonly ToolRulePlan[];
}

/** Reads one server of a client file; undefined when it is disabled or wrong. */
export function readClientServer(
	root: Located,
	entry: LocatedEntry,
	path: readonly string[],
	report: Report,
): ClientServerDraft | undefined {
	const checked = client_server_schema.safeParse(plainValue(entry.value));
	if (!checked.success) {
		const issues = checked.error.issues.map((issue) => ({
			...issue,
			path: [...path, ...issue.path],
		}));
		reportIssues(report, root, issues, (at) =>
			knownKeys(["servers", entry.key, ...at.slice(path.length)]),
		);
		return undefined;
	}
	const form = checked.data;
	if (form.disabled === true || form.enabled === false) {
		report.warn(entry.key_start, `\`${entry.key}\` is disabled in the file and is not hosted.`);
		return undefined;
	}
	const ours = Array.isArray(form.tools) ? undefined : form.tools;
	const known = [...Object.keys(client_server_schema.shape), ...client_only_keys].filter(
		(key) => key !== "tools" || ours !== undefined,
	);
	warnIgnored(entry.value, known, report, entry.key);
	const driver = chooseDriver(entry, form, report);
	if (driver === undefined) return undefined;
	const paths = sandboxPaths(entry.value);
	const base = {
		name: entry.key,
		title: entry.key,
		name_start: entry.key_start,
		scope: default_scope.without_identity,
		start: default_start,
		tools: {
			allow: [...(form.includeTools ?? []), ...(ours?.allow ?? [])],
			deny: [...(form.disabledTools ?? []), ...(form.excludeTools ?? []), ...(ours?.deny ?? [])],
		},
		timeouts: { ...default_timeouts, call_ms: callTimeout(entry, form, report) },
		running: runningOf(form, root, path, report),
		sandbox_read: paths.read,
		sandbox_write: paths.write,
	} as const;
	const draft = driver === "http" ? httpDraft(base, entry) : stdioDraft(base, entry, report);
	if (draft === undefined) return undefined;
	return { draft, tools: readToolRules(ours ?? {}, [...path, "tools"], root, report) };
}

/** A `sandbox` block says what the server needs; without one it gets what its arguments name. */
function runningOf(
	{ sandbox }: ClientServer,
	root: Located,
	path: readonly string[],
	report: Report,
): RunningPlan {
	if (sandbox === undefined) return client_running;
	const reader = new RunningReader(root, report);
	const plan = reader.sandbox(sandbox, [...path, "sandbox"], client_running.sandbox);
	return { ...client_running, sandbox: plan };
}

function chooseDriver(
	entry: LocatedEntry,
	form: ClientServer,
	report: Report,
): "stdio" | "http" | undefined {
	const has_url = [form.url, form.serverUrl, form.httpUrl].some((url) => url !== undefined);
	const has_command = form.command !== undefined;
	if (form.type === "stdio" || form.type === "local") {
		if (has_command) return "stdio";
		missing(entry, "command", "Add the program to run.", report);
		return undefined;
	}
	if (form.type !== undefined) {
		if (form.type === "sse") warnSse(entry, report);
		if (has_url) return "http";
		missing(entry, "url", "Add the address of the server.", report);
		return undefined;
	}
	if (has_url && has_command) {
		report.problem(
			entry.key_start,
			`The server \`${entry.key}\` has both \`command\` and \`url\`.`,
			'Say which one counts with `"type": "stdio"` or `"type": "http"`.',
		);
		return undefined;
	}
	if (has_url) return "http";
	if (has_command) return "stdio";
	report.problem(
		entry.key_start,
		`The server \`${entry.key}\` has neither \`command\` nor \`url\`.`,
		"Add the one that says how to run or reach it.",
	);
	return undefined;
}

function missing(entry: LocatedEntry, key: string, next: string, report: Report): void {
	report.problem(entry.key_start, `The server \`${entry.key}\` has no \`${key}\`.`, next);
}

function warnSse(entry: LocatedEntry, report: Report): void {
	report.warn(
		member(entry.value, "type")?.key_start ?? entry.key_start,
		`\`${entry.key}\` names the old HTTP+SSE transport, which is deprecated. Give the server's Streamable HTTP address if it has one.`,
	);
}

function callTimeout(entry: LocatedEntry, form: ClientServer, report: Report): number {
	if (form.timeout === undefined) return default_timeouts.call_ms;
	const offset = member(entry.value, "timeout")?.value.start ?? entry.key_start;
	const in_seconds = form.timeout < timeout_ms_min;
	const wanted_ms = Math.round(in_seconds ? form.timeout * 1000 : form.timeout);
	const call_ms = Math.min(Math.max(wanted_ms, 1), ranges.duration_ms[1]);
	if (in_seconds || call_ms !== wanted_ms) {
		report.warn(offset, `The timeout of \`${entry.key}\` was read as ${formatDuration(call_ms)}.`);
	}
	return call_ms;
}

type Base = Omit<StdioDraft, "driver" | "command" | "args" | "env" | "env_file" | "files" | "cwd">;

function httpDraft(base: Base, entry: LocatedEntry): HttpDraft | undefined {
	const url = ["url", "serverUrl", "httpUrl"]
		.map((key) => placedMember(entry.value, key))
		.find((text) => text !== undefined);
	if (url === undefined) return undefined;
	const headers = namedTexts(member(entry.value, "headers")?.value);
	const transport = placedMember(entry.value, "type")?.text === "sse" ? "sse" : undefined;
	return { ...base, driver: "http", url, headers, transport };
}

function stdioDraft(base: Base, entry: LocatedEntry, report: Report): StdioDraft | undefined {
	const command = placedMember(entry.value, "command");
	if (command === undefined || command.text.trim() === "") {
		report.problem(
			command?.start ?? entry.key_start,
			`The \`command\` of \`${entry.key}\` is empty.`,
			"Write the program to run, for example `npx`.",
		);
		return undefined;
	}
	const args = placedItems(member(entry.value, "args")?.value);
	if (args.length === 0 && /^[^/\\\s]+\s/.test(command.text.trim())) {
		report.warn(
			command.start,
			`The \`command\` of \`${entry.key}\` is one program's name with spaces in it; arguments belong into \`args\`.`,
		);
	}
	return {
		...base,
		driver: "stdio",
		command,
		args,
		env: namedTexts(member(entry.value, "env")?.value),
		env_file: placedMember(entry.value, "envFile"),
		files: [],
		cwd: placedMember(entry.value, "cwd"),
	};
}

/** Mentions once what a map holds that Moorage does not know. */
export function warnIgnored(
	node: Located,
	known: readonly string[],
	report: Report,
	owner?: string,
): void {
	if (node.kind !== "map") return;
	const ignored = node.entries.filter((entry) => !known.includes(entry.key));
	const first = ignored[0];
	if (first === undefined) return;
	const names = ignored.slice(0, ignored_shown_max).map((entry) => `\`${entry.key}\``);
	const more = ignored.length - names.length;
	const tail = more === 0 ? "" : ` and ${more} more`;
	const where = owner === undefined ? "" : ` in \`${owner}\``;
	report.warn(
		first.key_start,
		`Keys that Moorage does not know were left out of account${where}: ${names.join(", ")}${tail}.`,
	);
}
