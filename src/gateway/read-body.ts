import type { IncomingMessage } from "node:http";
import { fail, type Result, succeed } from "../lib/result.ts";

/** Why a body could not be read. */
export type BodyProblem = "too_large" | "aborted";

/**
 * Reads a request body of at most `bytes_max` bytes. A larger one is refused as soon as it is
 * known to be larger, by its declared length or by what has arrived, and never buffered.
 */
export function readBody(
	request: IncomingMessage,
	bytes_max: number,
): Promise<Result<Buffer, BodyProblem>> {
	return new Promise((resolve) => {
		const declared = Number(request.headers["content-length"]);
		if (declared > bytes_max) {
			resolve(fail("too_large"));
			return;
		}
		const chunks: Buffer[] = [];
		let size_bytes = 0;
		request.on("data", (chunk: Buffer) => {
			size_bytes += chunk.length;
			if (size_bytes > bytes_max) {
				request.removeAllListeners("data");
				request.pause();
				resolve(fail("too_large"));
				return;
			}
			chunks.push(chunk);
		});
		request.on("end", () => {
			resolve(succeed(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
		});
		request.on("error", () => resolve(fail("aborted")));
		request.on("close", () => resolve(fail("aborted")));
	});
}
