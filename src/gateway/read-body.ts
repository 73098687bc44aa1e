import type { IncomingMessage } from "node:http";
import { fail, type Result, succeed } from "../lib/result.ts";

/** Why a body could not be read. */
export type BodyProblem = "too_large" | "aborted";

/**
 * Reads a request body of at most `bytes_max` bytes. A larger one is refused as soon as it is
 * known to be larger, by its declared length or by what has arrived, and never buffered.
 */
export async function readBody(
	request: IncomingMessage,
	bytes_max: number,
): Promise<Result<Buffer, BodyProblem>> {
	const declared_bytes = Number(request.headers["content-length"]);
	if (declared_bytes > bytes_max) return fail("too_large");
	// Most bodies come with the head, and are parsed right after it, before anything that waits goes
	// on. Such a one is taken as it is: as a stream it would take four listeners and four ticks.
	await Promise.resolve();
	if (request.readableLength === declared_bytes)
		return succeed((request.read() as Buffer | null) ?? no_bytes);
	return gatherBody(request, bytes_max);
}

const no_bytes = Buffer.alloc(0);

function gatherBody(
	request: IncomingMessage,
	bytes_max: number,
): Promise<Result<Buffer, BodyProblem>> {
	return new Promise((resolve) => {
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
			// The request keeps its listeners, and a stream its request: they are not to keep the body.
			const read = chunks.splice(0);
			resolve(succeed(read.length === 1 ? (read[0] as Buffer) : Buffer.concat(read)));
		});
		request.on("error", () => resolve(fail("aborted")));
		request.on("close", () => resolve(fail("aborted")));
	});
}
