import * as z from "zod";
import { default_audit, default_calls } from "./evidence-plan.ts";
import { formatSize, size_pattern } from "./units.ts";

/** The keys of moorage.yaml that say what is kept of calls: part of the table that schema.ts is. */

const size = z.string("size").regex(size_pattern, "size");
const days = z.int().min(1).max(3650);
/** The risk classes of tools, what is no tool, and what administrators do. */
const kept = (whose: string) =>
	days.optional().describe(`Days that payloads of ${whose} are kept.`);
const classes_schema = z.strictObject({
	read: kept("calls that only read"),
	reversible: kept("calls that can be undone"),
	costly: kept("calls that cost something"),
	visible: kept("calls that others see"),
	destructive: kept("calls that destroy something"),
	other: kept("what is no call of a tool"),
	admin: kept("what administrators do"),
});
const switched = z.enum(["on", "off"]);

const log_file_schema = z.strictObject({
	size: size
		.default(formatSize(default_calls.file_bytes_max))
		.describe("A file that has grown to this size is followed by the next."),
	count: z
		.int()
		.min(1)
		.max(1000)
		.default(default_calls.files_max)
		.describe("Files that are kept; the oldest are removed."),
});

/** `calls`: the call log and the history. */
export const calls_schema = z.strictObject({
	log: z
		.enum(["file", "stdout", "both", "off"])
		.default("file")
		.describe(
			"Where the call log goes, one JSON line a call, never with a payload: to `calls/` in the state folder, to standard output, to both, or nowhere.",
		),
	file: log_file_schema.prefault({}).describe("The files of the call log."),
	history: switched
		.default("on")
		.describe("Whether calls are kept in the store, for `moorage calls` and the dashboard."),
	keep_days: days.default(default_calls.keep_days).describe("Days that calls stay in the history."),
	max: z
		.int()
		.min(1000)
		.max(1_000_000_000)
		.default(default_calls.calls_max)
		.describe("Calls that stay in the history at most; the oldest leave it first."),
});

const kept_schema = {
	keep_days: days.optional().describe("Days that payloads are kept."),
	classes: classes_schema
		.prefault({})
		.describe("Days for the payloads of some classes of calls, where that differs."),
};

const audit_block_schema = z.strictObject({
	mode: z
		.enum(["on", "required", "off"])
		.default("on")
		.describe(
			"`on`: what cannot be written is counted and the call goes on. `required`: a call that cannot be written down first is refused. `off`: nothing is written.",
		),
	keep_days: days
		.default(default_audit.keep_days)
		.describe("Days that payloads and entries are kept."),
	classes: kept_schema.classes,
	tenants: z
		.record(z.string(), z.strictObject(kept_schema))
		.default({})
		.describe("How long the payloads of some tenants are kept, where that differs."),
	payload: size
		.default(formatSize(default_audit.payload_bytes_max))
		.describe("Longest part of a request or a reply that is kept."),
});

/** `audit`: the encrypted, chained log with payloads. */
export const audit_schema = z
	.union([z.enum(["on", "required", "off"]), audit_block_schema])
	.default("on");
