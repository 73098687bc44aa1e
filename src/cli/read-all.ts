import type { Readable } from "node:stream";
import { usageFailure } from "./failure.ts";

/** Everything a stream has to give, as text. More than `bytes_max` is a failure. */
export async function readAll(stream: Readable, bytes_max: number): Promise<string> {
	const chunks: Buffer[] = [];
	let size_bytes = 0;
	for await (const chunk of stream as AsyncIterable<Buffer | string>) {
		const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
		size_bytes += bytes.length;
		if (size_bytes > bytes_max) {
			throw usageFailure("Standard input is too large.", `Send at most ${bytes_max} bytes.`);
		}
		chunks.push(bytes);
	}
	return Buffer.concat(chunks).toString("utf8");
}
