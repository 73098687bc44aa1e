import { readFile } from "node:fs/promises";
import type { TestGateway } from "./gateway.ts";

/** One event of a stream of the admin API. */
export interface AdminEvent {
	readonly type: string;
	readonly data: unknown;
}

/**
 * Asks the admin API for a stream, with the admin token unless other headers say who asks; answers
 * with its response once that has begun.
 */
export async function adminStream(
	gateway: TestGateway,
	path: string,
	{
		body,
		headers,
		signal,
	}: {
		readonly body?: unknown;
		readonly headers?: Readonly<Record<string, string>>;
		readonly signal?: AbortSignal;
	} = {},
): Promise<Response> {
	const own = async () => (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	return fetch(new URL(path, gateway.url), {
		headers: headers ?? { authorization: `Bearer ${await own()}` },
		...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
		...(signal === undefined ? {} : { signal }),
	});
}

/** The events of a stream as they come, until it ends. */
export async function* eventsOf({ body }: Response): AsyncGenerator<AdminEvent> {
	const decoder = new TextDecoder();
	let rest = "";
	for await (const chunk of body ?? []) {
		rest += decoder.decode(chunk as Uint8Array, { stream: true });
		const parts = rest.split("\n\n");
		rest = parts.pop() ?? "";
		for (const part of parts) {
			const type = /^event: (.*)$/m.exec(part)?.[1];
			const data = /^data: (.*)$/m.exec(part)?.[1];
			if (type !== undefined) yield { type, data: JSON.parse(data ?? "null") as unknown };
		}
	}
}
