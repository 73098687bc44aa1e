import type { IncomingMessage } from "node:http";

/** Names and passwords are far shorter. */
const form_bytes_max = 16 * 1024;

/** The fields of a form; undefined when it is too large or no form. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
	const type = request.headers["content-type"] ?? "";
	if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(type)) return undefined;
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > form_bytes_max) return undefined;
		chunks.push(chunk);
	}
	return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
