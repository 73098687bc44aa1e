import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { readTime } from "../../admin/read-time.ts";
import { system_disk } from "../../audit/disk.ts";
import { type ExportFormat, export_formats, exportLog } from "../../audit/export.ts";
import { auditPlaces } from "../../audit/places.ts";
import { S3Bucket } from "../../audit/s3-bucket.ts";
import { uploadLog } from "../../audit/upload.ts";
import { counted } from "../../lib/counted.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";
import { auditVerifier } from "./key.ts";

/** What `moorage audit export` was asked for. */
export interface ExportAsked {
	readonly json: boolean;
	readonly public_key: string | undefined;
	readonly format: string | undefined;
	readonly since: string | undefined;
	readonly until: string | undefined;
	readonly endpoint: string | undefined;
	readonly lock_days: string | undefined;
	readonly lock_mode: string | undefined;
}

const day_ms = 24 * 3_600_000;
const lock_days_default = 30;
const lock_days_max = 36_500;

/** `moorage audit export` */
export async function exportAudit(
	data: string,
	target: string | undefined,
	asked: ExportAsked,
	context: CommandContext,
): Promise<number> {
	if (target === undefined) {
		throw usageFailure("Where to?", "Name a file, or a bucket as s3://NAME/PREFIX.");
	}
	const { folder } = auditPlaces(data);
	return target.startsWith("s3://")
		? toBucket(folder, target, asked, context)
		: toFile(folder, data, target, asked, context);
}

async function toFile(
	folder: string,
	data: string,
	target: string,
	asked: ExportAsked,
	context: CommandContext,
): Promise<number> {
	const format = formatOf(asked.format, target);
	const verifier = await auditVerifier(data, asked.public_key, context);
	const path = resolve(context.cwd, target);
	const now_ms = context.clock.now();
	const [since_ms, until_ms] = [timeOf(asked.since, now_ms), timeOf(asked.until, now_ms)];
	let file: number;
	try {
		file = openSync(path, "wx", 0o600);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		throw failed(`${path} could not be written (${code ?? "unknown reason"}).`);
	}
	try {
		const write = (text: string) => void writeSync(file, text);
		const options = { disk: system_disk, verifier, format, since_ms, until_ms, write };
		const { exported, problem } = exportLog(folder, options);
		if (asked.json) context.output.json({ path, format, exported, ok: problem === undefined });
		else context.output.line(`Written to ${path}: ${exported} entries.`);
		if (problem === undefined) return exit_codes.ok;
		context.output.note(`The audit is not whole, so the export ends there: ${problem.message}`);
		return exit_codes.failed;
	} finally {
		closeSync(file);
	}
}

async function toBucket(
	folder: string,
	target: string,
	asked: ExportAsked,
	context: CommandContext,
): Promise<number> {
	const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(target) ?? [];
	const { environment, output } = context;
	const access_key_id = environment["AWS_ACCESS_KEY_ID"];
	const secret_access_key = environment["AWS_SECRET_ACCESS_KEY"];
	if (bucket === "" || access_key_id === undefined || secret_access_key === undefined) {
		throw usageFailure(
			"A bucket needs its name and credentials.",
			"Write s3://NAME/PREFIX, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
		);
	}
	const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
	const store = new S3Bucket({
		endpoint: asked.endpoint ?? `https://s3.${region}.amazonaws.com`,
		region,
		bucket,
		access_key_id,
		secret_access_key,
		session_token: environment["AWS_SESSION_TOKEN"],
	});
	const lock = lockOf(asked, context);
	try {
		const done = await uploadLog(folder, prefix, { disk: system_disk, bucket: store, lock });
		if (asked.json) output.json({ bucket, prefix, ...done });
		else {
			output.line(`Copied ${counted(done.written.length, "object")}, ${done.bytes} bytes.`);
			if (done.skipped > 0) output.line(`There already: ${done.skipped}.`);
		}
		return exit_codes.ok;
	} catch (error) {
		throw failed(`The bucket could not be written: ${(error as Error).message}.`);
	}
}

function lockOf(asked: ExportAsked, { clock }: CommandContext) {
	const { lock_mode = "compliance", lock_days } = asked;
	if (lock_mode === "off") return undefined;
	const days = lock_days === undefined ? lock_days_default : Number(lock_days);
	if (!Number.isInteger(days) || days < 1 || days > lock_days_max) {
		throw usageFailure("--lock-days is a number of days.", "Write for example --lock-days 30.");
	}
	if (lock_mode !== "compliance" && lock_mode !== "governance") {
		throw usageFailure(
			`There is no lock mode \`${lock_mode}\`.`,
			"Write compliance, governance or off.",
		);
	}
	const mode = lock_mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
	return { mode, until_ms: clock.now() + days * day_ms } as const;
}

function formatOf(format: string | undefined, target: string): ExportFormat {
	const wanted = format ?? (target.endsWith(".csv") ? "csv" : "ndjson");
	const known = export_formats.find((one) => one === wanted);
	if (known !== undefined) return known;
	throw usageFailure(`There is no format \`${wanted}\`.`, "Write ndjson or csv.");
}

function timeOf(text: string | undefined, now_ms: number): number | undefined {
	const at_ms = readTime(text, now_ms);
	if (!Number.isNaN(at_ms)) return at_ms;
	throw usageFailure(`\`${text}\` is no time.`, "Write for example 2026-01-31T12:00:00Z, or 7d.");
}

function failed(message: string): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "audit_export_failed",
		message,
		next: "Name a file that does not exist yet, or look at what the store says.",
	});
}
