import { fail, type Result, succeed } from "../lib/result.ts";
import { type AdminProblem, problemOf } from "./problem.ts";

/** A JSON body as text and as a value. */
export interface JsonBody {
	/** The text as it came, for what is passed on byte for byte. */
	readonly text: string;
	readonly value: unknown;
}

const json_type = /^application\/json\s*(?:;.*)?$/i;

/**
 * Reads a JSON body of at most `bytes_max` bytes. A larger one is refused as soon as it is
 * known to be larger. An absent body is `{}`, so that a call without arguments needs none.
 */
export async function readJson(
	request: Request,
	bytes_max: number,
): Promise<Result<JsonBody, AdminProblem>> {
	const bytes = await readBytes(request, bytes_max);
	if (!bytes.ok) return bytes;
	if (bytes.value.length === 0) return succeed({ text: "{}", value: {} });
	const type = request.headers.get("content-type");
	if (type === null || !json_type.test(type)) {
		return fail(problemOf("content_type", "A body must be application/json."));
	}
	try {
		const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.value);
		return succeed({ text, value: JSON.parse(text) as unknown });
	} catch {
		return fail(problemOf("invalid_json", "The body is not JSON in UTF-8."));
	}
}

async function readBytes(
	request: Request,
	bytes_max: number,
): Promise<Result<Buffer, AdminProblem>> {
	const too_large = () =>
		fail(problemOf("body_too_large", `The body is larger than ${bytes_max} bytes.`));
	if (Number(request.headers.get("content-length") ?? 0) > bytes_max) return too_large();
	if (request.body === null) return succeed(Buffer.alloc(0));
	const chunks: Uint8Array[] = [];
	let size_bytes = 0;
	for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
		size_bytes += chunk.length;
		if (size_bytes > bytes_max) return too_large();
		chunks.push(chunk);
	}
	return succeed(Buffer.concat(chunks));
}
