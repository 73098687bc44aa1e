import type { z } from "zod";
import { fail, type Result, succeed } from "../lib/result.ts";
import { indexObject, memberSpan, rawText } from "../wire/object.ts";
import { depth_max } from "../wire/scan.ts";
import { type AdminProblem, problemOf } from "./problem.ts";
import { type JsonBody, readJson } from "./read-json.ts";

/** Mistakes of a body that are told at once. */
const issues_max = 5;

/** A body of the shape that a schema describes, with one member of it as it was written. */
export interface RawBody<Value> {
	readonly value: Value;
	/** The raw JSON of the member, so that no number loses a digit; undefined without one. */
	readonly raw: string | undefined;
}

/** Reads a body of the shape that a schema describes; what does not fit is told one by one. */
export async function readBody<Schema extends z.ZodType>(
	request: Request,
	bytes_max: number,
	schema: Schema,
): Promise<Result<z.infer<Schema>, AdminProblem>> {
	const body = await readJson(request, bytes_max);
	return body.ok ? fitted(body.value, schema) : body;
}

/** Reads a body as `readBody` does, and gives one member of it as it was written, too. */
export async function readRawBody<Schema extends z.ZodType>(
	request: Request,
	bytes_max: number,
	schema: Schema,
	member: string,
): Promise<Result<RawBody<z.infer<Schema>>, AdminProblem>> {
	const body = await readJson(request, bytes_max);
	if (!body.ok) return body;
	const value = fitted(body.value, schema);
	if (!value.ok) return value;
	const raw = rawMember(body.value.text, member);
	if (raw === undefined && Object.hasOwn(body.value.value as object, member)) {
		// Going on without it would be something else than what was asked for.
		const message = `${member}: nested too deep, more than ${depth_max} objects and lists.`;
		return fail(problemOf("invalid_request", message));
	}
	return succeed({ value: value.value, raw });
}

function fitted<Schema extends z.ZodType>(
	body: JsonBody,
	schema: Schema,
): Result<z.infer<Schema>, AdminProblem> {
	const parsed = schema.safeParse(body.value);
	if (parsed.success) return succeed(parsed.data);
	const errors = parsed.error.issues
		.slice(0, issues_max)
		.map(({ path, message }) => ({ field: path.join("."), message }));
	const sentences = errors.map(({ field, message }) => `${field || "body"}: ${message}`);
	return fail({ ...problemOf("invalid_request", sentences.join("; ")), errors });
}

function rawMember(text: string, member: string): string | undefined {
	const bytes = Buffer.from(text);
	const start = bytes.indexOf("{");
	const end = bytes.lastIndexOf("}") + 1;
	const span = memberSpan(indexObject(bytes, { start, end }), member);
	return span && rawText(bytes, span);
}
