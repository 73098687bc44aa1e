import type { Clock } from "../../lib/clock.ts";
import { HttpAgent } from "../../lib/http-agent.ts";

const timeout_ms = 10_000;

/** Sends JSON to an address of the configuration; resolves with why that did not work. */
export async function postJson(
	url: string,
	body: string,
	headers: Readonly<Record<string, string>>,
	clock: Clock,
): Promise<string | undefined> {
	const agent = new HttpAgent({ connect: { timeout: timeout_ms } });
	const limit = new AbortController();
	const timer = clock.afterIdle(timeout_ms, () => limit.abort());
	try {
		const response = await agent.request(url, {
			method: "POST",
			headers: { ...headers, "content-type": "application/json", "user-agent": "moorage" },
			body,
			signal: limit.signal,
		});
		await response.body.dump();
		const { statusCode: status } = response;
		return status >= 200 && status < 300 ? undefined : `it answered with HTTP status ${status}`;
	} catch (error) {
		if (limit.signal.aborted) return "it did not answer in time";
		// The message of an error may hold the address, and an address may be a secret.
		return (error as NodeJS.ErrnoException).code ?? "it could not be reached";
	} finally {
		timer.cancel();
		await agent.close();
	}
}
