import type { Result } from "../lib/result.ts";
import { type AdminProblem, problemResponse } from "./problem.ts";

/** A JSON answer of a value. */
export function json(
	value: unknown,
	status = 200,
	headers: Readonly<Record<string, string>> = {},
): Response {
	return jsonText(JSON.stringify(value), status, headers);
}

/** A JSON answer of a text that is JSON already. */
export function jsonText(
	text: string,
	status = 200,
	headers: Readonly<Record<string, string>> = {},
): Response {
	return new Response(`${text}\n`, {
		status,
		headers: { "content-type": "application/json", ...headers },
	});
}

/** The answer for what came out: the value, or the problem. */
export function outcome(result: Result<unknown, AdminProblem>, status = 200): Response {
	return result.ok ? json(result.value, status) : problemResponse(result.problem);
}
