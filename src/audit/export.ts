import type { ChainLine } from "./chain.ts";
import type { Disk } from "./disk.ts";
import type { Verifier } from "./signing-key.ts";
import { type Verification, verifyLog } from "./verify.ts";

/** How an export is written: JSON objects, one a line, or a table. */
export const export_formats = ["ndjson", "csv"] as const;
export type ExportFormat = (typeof export_formats)[number];

/** What is exported. */
export interface ExportOptions {
	readonly disk: Disk;
	readonly verifier: Verifier;
	readonly format: ExportFormat;
	/** Wall-clock milliseconds. */
	readonly since_ms?: number | undefined;
	readonly until_ms?: number | undefined;
	/** Takes the next piece of the export. */
	write(text: string): void;
}

/** Columns of a table. */
const columns = [
	"seq",
	"hash",
	"kind",
	"at_ms",
	"call",
	"request_id",
	"trace_id",
	"tenant_id",
	"user",
	"made_by",
	"client_id",
	"session_id",
	"method",
	"action",
	"tool",
	"name",
	"endpoint",
	"server",
	"version",
	"risk",
	"decision",
	"rule",
	"approval_id",
	"status",
	"code",
	"error_id",
	"duration_ms",
	"input_bytes",
	"output_bytes",
	"input_hash",
] as const;

/** Entries that are gathered before they are written. */
const entries_at_once = 500;

/**
 * Writes the entries of a log for others to read, and checks the log on the way: everything up to
 * a problem is written. Blocks, which only hold sealed payloads, are left out.
 */
export function exportLog(
	folder: string,
	options: ExportOptions,
): Verification & {
	readonly exported: number;
} {
	const { disk, verifier, format, since_ms, until_ms, write } = options;
	let waiting: string[] = format === "csv" ? [`${columns.join(",")}\r\n`] : [];
	let exported = 0;
	const verification = verifyLog(folder, {
		disk,
		verifier,
		// No payload is exported, so none is missed.
		is_copy: true,
		onEntry(line, entry) {
			const at_ms = Number(entry["at_ms"]);
			if (entry["kind"] === "block") return;
			if (since_ms !== undefined && at_ms < since_ms) return;
			if (until_ms !== undefined && at_ms >= until_ms) return;
			waiting.push(format === "csv" ? csvRow(line, entry) : jsonLine(line, entry));
			exported += 1;
			if (waiting.length < entries_at_once) return;
			write(waiting.join(""));
			waiting = [];
		},
	});
	write(waiting.join(""));
	return { ...verification, exported };
}

function jsonLine({ seq, hash }: ChainLine, entry: Record<string, unknown>): string {
	return `${JSON.stringify({ seq, hash, ...entry })}\n`;
}

/** A row as RFC 4180 has it. */
function csvRow({ seq, hash }: ChainLine, entry: Record<string, unknown>): string {
	const whole: Record<string, unknown> = { ...entry, seq, hash };
	return `${columns.map((column) => csvCell(whole[column])).join(",")}\r\n`;
}

/** A cell in quotes; what a spreadsheet would take for a formula is marked as text. */
function csvCell(value: unknown): string {
	if (value === undefined || value === null) return "";
	if (typeof value === "number" || typeof value === "boolean") return String(value);
	const text = typeof value === "string" ? value : JSON.stringify(value);
	const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
