import type { z } from "zod";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type AdminProblem, problemOf } from "./problem.ts";
import { readJson } from "./read-json.ts";

/** Mistakes of a body that are told at once. */
const issues_max = 5;

/** Reads a body of the shape that a schema describes; what does not fit is told one by one. */
export async function readBody<Schema extends z.ZodType>(
	request: Request,
	bytes_max: number,
	schema: Schema,
): Promise<Result<z.infer<Schema>, AdminProblem>> {
	const body = await readJson(request, bytes_max);
	if (!body.ok) return body;
	const parsed = schema.safeParse(body.value.value);
	if (parsed.success) return succeed(parsed.data);
	const sentences = parsed.error.issues.map(
		(issue) => `${issue.path.join(".") || "body"}: ${issue.message}`,
	);
	return fail(problemOf("invalid_request", sentences.slice(0, issues_max).join("; ")));
}
